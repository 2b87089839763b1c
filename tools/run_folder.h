// The run folder of a command, before the engine works in it.
#pragma once

#include <string>

#include "io/base/error.h"
#include "io/file/file_system.h"
#include "tools/command_context.h"
#include "tools/run_command_options.h"

namespace sluice {

// -C DIR, else the newest *.sluice here. Errors: kUsage when there is none.
[[nodiscard]] Result<std::string> FindRunFolder(const Arguments& arguments);

// Does what --fresh asks for, and refuses what the engine would notice too late: the engine takes
// the lock, but neither --fresh nor the local service may touch what a live run works with, and a
// mistyped input must not leave a run folder behind. Errors: kUsage, kInput, kLocked, kIo.
[[nodiscard]] Result<void> ReadyRunFolder(const CommandContext& context,
                                          const RunCommandOptions& options, FileSystem& files);

}  // namespace sluice
