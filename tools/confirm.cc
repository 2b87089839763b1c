#include "tools/confirm.h"

#include <array>
#include <cstddef>
#include <fmt/format.h>
#include <span>
#include <string_view>
#include <unistd.h>
#include <utility>

#include "io/base/text.h"
#include "io/codec/byte_source.h"

namespace sluice {
namespace {

// Anything but a yes is a no. The question is shown even under --quiet.
Result<bool> Ask(std::string_view question, std::stop_token stop) {
  fmt::print(stderr, "{} [y/N] ", EscapeControls(question));
  std::array<std::byte, 256> line = {};  // a terminal gives a line at a time
  SLUICE_ASSIGN(const size_t count, MakeStandardInputSource(std::move(stop))->Read(line));
  const std::string_view text = AsText(std::span(line).first(count));
  const std::string_view answer = text.substr(0, text.find('\n'));
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace

Result<void> Confirm(const CommandContext& context, std::string_view question, Error refusal) {
  const Arguments& arguments = context.arguments;
  if (arguments.Has("--yes")) {
    return {};
  }
  if (isatty(STDIN_FILENO) == 1 && !arguments.Has("--no-input")) {
    SLUICE_ASSIGN(const bool agrees, Ask(question, context.signals.stop_token()));
    if (agrees) {
      return {};
    }
  }
  return std::unexpected(std::move(refusal));
}

}  // namespace sluice
