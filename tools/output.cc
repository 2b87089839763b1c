#include "tools/output.h"

#include <cstdio>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/json_line.h"
#include "tools/words.h"

namespace sluice {

void Console::Print(std::string_view text) const {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void Console::Say(std::string_view text) const {
  if (!quiet) {
    std::fwrite(text.data(), 1, text.size(), stderr);
  }
}

void Console::Warn(std::string_view text) const {
  if (text.empty()) {
    return;
  }
  if (json) {
    Say(JsonLine(nlohmann::ordered_json{{"v", 1}, {"type", "warning"}, {"message", text}}, err));
  } else {
    Say(Styled(err.color, Style::kYellow, "warning:") + ' ' + EscapeControls(text) + '\n');
  }
}

void Console::PrintError(const Error& error) const {
  const std::string text = json ? FormatErrorAsJson(error, err) : FormatError(error, err.color);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

std::string FormatError(const Error& error, bool color) {
  const std::string exit_note = fmt::format("   (exit {})", ExitCode(error.code));
  std::string text = Styled(color, Style::kRed, "error:") + ' ' + EscapeControls(error.message);
  if (error.hint.empty()) {
    // A mistyped word needs no number beside its "Did you mean".
    return text + (error.code == ErrorCode::kUsage ? "" : exit_note) + '\n';
  }
  std::string_view label = "hint: ";
  for (const std::string_view line : SplitText(error.hint, '\n')) {
    text += fmt::format("\n{} {}", label, EscapeControls(line));
    label = "      ";
  }
  return text + exit_note + '\n';
}

std::string FormatErrorAsJson(const Error& error, const Terminal& terminal) {
  const nlohmann::ordered_json document = {
      {"v", 1},
      {"type", "error"},
      {"code", ExitCode(error.code)},
      {"class", ErrorClass(error.code)},
      {"message", error.message},
      {"hint", error.hint},
  };
  return JsonLine(document, terminal);
}

}  // namespace sluice
