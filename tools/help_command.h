// `sluice help`, `--help` and the topics. Lists what works, nothing else.
#pragma once

#include <string>

#include "io/base/error.h"
#include "tools/command_context.h"

namespace sluice {

// Without a command or topic: the list of commands; exit code 2 when nothing at all was asked.
[[nodiscard]] Result<int> HelpCommand(const CommandContext& context);

// The page of one command.
[[nodiscard]] std::string CommandHelp(const CommandSpec& command);

}  // namespace sluice
