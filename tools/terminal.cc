#include "tools/terminal.h"

#include <cstdlib>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace sluice {
namespace {

struct Character {
  char32_t code = 0;
  size_t size = 0;  // 0: no valid UTF-8 here
};

bool IsContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

// The character at the front of `text`, which is not empty. Strict: no overlong forms, no
// surrogates, nothing above U+10FFFF.
Character DecodeFront(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80U) {
    return {.code = lead, .size = 1};
  }
  const size_t size = lead >= 0xF0U ? 4 : lead >= 0xE0U ? 3 : 2;
  if (lead < 0xC2U || lead > 0xF4U || text.size() < size) {
    return {};
  }
  char32_t code = lead & (0x7FU >> size);
  for (size_t place = 1; place < size; ++place) {
    if (!IsContinuation(text[place])) {
      return {};
    }
    code = code << 6U | (static_cast<unsigned char>(text[place]) & 0x3FU);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < kLeast[size] || code > 0x10FFFF || surrogate) {
    return {};
  }
  return {.code = code, .size = size};
}

bool SteersTerminal(char32_t code) {
  const bool control = code < 0x20 || (code >= 0x7F && code <= 0x9F);
  const bool separator = code == 0x2028 || code == 0x2029;
  const bool direction = code == 0x061C || code == 0x200E || code == 0x200F ||
                         (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
  return control || separator || direction;
}

std::string EscapeCode(char32_t code) {
  switch (code) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return code < 0x100 ? fmt::format("\\x{:02x}", static_cast<uint32_t>(code))
                          : fmt::format("\\u{:04x}", static_cast<uint32_t>(code));
  }
}

}  // namespace

bool WantsColor(ColorChoice choice, bool is_terminal, const char* no_color,
                const char* clicolor_force) {
  const auto is_set = [](const char* value) { return value != nullptr && *value != '\0'; };
  switch (choice) {
    case ColorChoice::kAlways:
      return true;
    case ColorChoice::kNever:
      return false;
    case ColorChoice::kAuto:
      break;
  }
  if (is_set(no_color)) {
    return false;
  }
  if (is_set(clicolor_force) && std::string_view(clicolor_force) != "0") {
    return true;
  }
  return is_terminal;
}

Terminal DescribeTerminal(int descriptor, ColorChoice choice) {
  Terminal terminal;
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || *term == '\0' || std::string_view(term) == "dumb";
  terminal.is_terminal = isatty(descriptor) == 1 && !dumb;
  terminal.color = WantsColor(choice, terminal.is_terminal, std::getenv("NO_COLOR"),
                              std::getenv("CLICOLOR_FORCE"));
  winsize size{};
  if (terminal.is_terminal && ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    terminal.width = size.ws_col;
  }
  return terminal;
}

std::string EscapeControls(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const Character character = DecodeFront(text);
    if (character.size == 0) {
      escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
      text.remove_prefix(1);
      continue;
    }
    if (SteersTerminal(character.code)) {
      escaped += EscapeCode(character.code);
    } else {
      escaped += text.substr(0, character.size);
    }
    text.remove_prefix(character.size);
  }
  return escaped;
}

size_t CountCharacters(std::string_view text) {
  size_t count = 0;
  for (const char byte : text) {
    count += IsContinuation(byte) ? 0 : 1;
  }
  return count;
}

std::string CutToWidth(std::string_view text, size_t width) {
  constexpr std::string_view kMark = "...";
  if (CountCharacters(text) <= width) {
    return std::string(text);
  }
  const size_t keep = width > kMark.size() ? width - kMark.size() : 0;
  size_t end = 0;
  for (size_t kept = 0; end < text.size(); ++end) {
    if (!IsContinuation(text[end]) && kept++ == keep) {
      break;
    }
  }
  return std::string(text.substr(0, end)) + std::string(kMark.substr(0, width));
}

std::string Styled(bool color, Style style, std::string_view text) {
  if (!color) {
    return std::string(text);
  }
  constexpr int kCodes[] = {31, 33};  // ECMA-48, SGR
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<size_t>(style)], text);
}

}  // namespace sluice
