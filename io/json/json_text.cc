#include "io/json/json_text.h"

#include <array>
#include <fmt/format.h>
#include <iterator>
#include <simdjson.h>

#include "io/base/error.h"

namespace sluice {
namespace {

// The letter behind the backslash, 'u' for the long form, 0 for bytes that stand for themselves.
constexpr std::array<char, 256> MakeEscapes() {
  std::array<char, 256> escapes = {};
  for (size_t byte = 0; byte < 0x20; ++byte) {
    escapes[byte] = 'u';
  }
  escapes['\b'] = 'b';
  escapes['\f'] = 'f';
  escapes['\n'] = 'n';
  escapes['\r'] = 'r';
  escapes['\t'] = 't';
  escapes['"'] = '"';
  escapes['\\'] = '\\';
  return escapes;
}

constexpr std::array<char, 256> kEscapes = MakeEscapes();

// What may stand behind a lead byte of UTF-8 (Unicode 15, table 3-7).
struct Utf8Form {
  size_t size = 0;  // 0: no character begins so
  unsigned char second_min = 0x80;
  unsigned char second_max = 0xBF;
};

Utf8Form FormOf(unsigned char lead) {
  if (lead < 0x80) {
    return {.size = 1};
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    return {.size = 2};
  }
  if (lead >= 0xE0 && lead <= 0xEF) {
    return {.size = 3,
            .second_min = static_cast<unsigned char>(lead == 0xE0 ? 0xA0 : 0x80),
            .second_max = static_cast<unsigned char>(lead == 0xED ? 0x9F : 0xBF)};
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    return {.size = 4,
            .second_min = static_cast<unsigned char>(lead == 0xF0 ? 0x90 : 0x80),
            .second_max = static_cast<unsigned char>(lead == 0xF4 ? 0x8F : 0xBF)};
  }
  return {};
}

// The size of the character at the front of `text`, 0 when there is none.
size_t CharacterSize(std::string_view text) {
  const Utf8Form form = FormOf(static_cast<unsigned char>(text[0]));
  if (form.size > text.size()) {
    return 0;
  }
  for (size_t i = 1; i < form.size; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool is_good =
        i == 1 ? byte >= form.second_min && byte <= form.second_max : byte >= 0x80 && byte <= 0xBF;
    if (!is_good) {
      return 0;
    }
  }
  return form.size;
}

}  // namespace

void AppendJsonString(std::string& out, std::string_view text) {
  out.push_back('"');
  size_t copied = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const char escape = kEscapes[byte];
    if (escape == 0) {
      continue;
    }
    out.append(text, copied, i - copied);
    copied = i + 1;
    if (escape == 'u') {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    } else {
      out.push_back('\\');
      out.push_back(escape);
    }
  }
  out.append(text, copied);
  out.push_back('"');
}

std::string JsonString(std::string_view text) {
  std::string token;
  AppendJsonString(token, text);
  return token;
}

std::optional<size_t> FindInvalidUtf8(std::string_view text) {
  if (simdjson::validate_utf8(text)) {
    return std::nullopt;
  }
  for (size_t i = 0; i < text.size();) {
    const size_t size = CharacterSize(text.substr(i));
    if (size == 0) {
      return i;
    }
    i += size;
  }
  SLUICE_CHECK(false, "simdjson refuses UTF-8 that the table accepts");
}

}  // namespace sluice
