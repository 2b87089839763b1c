// What a command that a signal stops says: what becomes of its work, and how to go on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tools/command_context.h"

namespace sluice {

// The command line as a shell takes it: the same command goes on, but for --fresh, which would
// begin anew.
[[nodiscard]] std::string ResumeCommand(const Arguments& arguments);

// "Stopping: `what`.", "Resume:   ...", as lines; for programs {"v":1,"type":"stopping","jobs":N}
// with the number of jobs that keep running.
[[nodiscard]] std::string FormatStopping(const CommandContext& context, std::string_view what,
                                         int64_t jobs);

}  // namespace sluice
