#include "tools/confirm.h"

#include <fmt/format.h>
#include <iostream>
#include <string>
#include <unistd.h>
#include <utility>

namespace sluice {
namespace {

// Anything but a yes is a no. The question is shown even under --quiet.
bool Ask(std::string_view question) {
  fmt::print(stderr, "{} [y/N] ", EscapeControls(question));
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace

Result<void> Confirm(const CommandContext& context, std::string_view question, Error refusal) {
  const Arguments& arguments = context.arguments;
  const bool may_ask = isatty(STDIN_FILENO) == 1 && !arguments.Has("--no-input");
  if (arguments.Has("--yes") || (may_ask && Ask(question))) {
    return {};
  }
  return std::unexpected(std::move(refusal));
}

}  // namespace sluice
