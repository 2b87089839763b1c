// `sluice help`, `--help` and the topics. Lists what works, nothing else.
#pragma once

#include <string>
#include <string_view>

#include "io/base/error.h"
#include "tools/command_context.h"

namespace sluice {

// `help` and its topics, and the page of any command. Where none was asked for, because the command
// line ends too early, it goes to stderr, and the exit code is 2.
[[nodiscard]] Result<int> HelpCommand(const CommandContext& context);

// "exit-codes", "environment", "formats", or the name of a command. Errors: kUsage.
[[nodiscard]] Result<std::string> HelpTopic(std::string_view name);

// The page of one command.
[[nodiscard]] std::string CommandHelp(const CommandSpec& command);

}  // namespace sluice
