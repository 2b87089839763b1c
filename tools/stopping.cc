#include "tools/stopping.h"

#include <fmt/format.h>

namespace sluice {

std::string ResumeCommand(const Arguments& arguments) {
  std::string command = "sluice";
  for (const std::string& word : arguments.words) {
    if (word != "--fresh") {
      command += ' ' + QuoteForShell(EscapeControls(word));
    }
  }
  return command;
}

std::string FormatStopping(const CommandContext& context, std::string_view what, int64_t jobs) {
  if (context.console.json) {
    return fmt::format("{{\"v\":1,\"type\":\"stopping\",\"jobs\":{}}}\n", jobs);
  }
  return fmt::format("Stopping: {}.\nResume:   {}\n", what, ResumeCommand(context.arguments));
}

}  // namespace sluice
