// What `retry` and `cancel` share: a run for which only its folder is given.
#pragma once

#include <string>

#include "io/base/error.h"
#include "io/file/file_system.h"
#include "tools/command_context.h"
#include "tools/run_command_options.h"

namespace sluice {

// The run's options as it was last started, but for what the command's own flags say. Errors:
// kUsage for a folder that is no run's or has sent nothing, kLocked when another process works on
// it (the local service must not touch what a live run works with).
[[nodiscard]] Result<RunCommandOptions> ReadKeptRun(const CommandContext& context,
                                                    FileSystem& files);

// Where the objects of such a run are (AddressOfObjects()); empty when nothing says otherwise.
[[nodiscard]] std::string KeptAddressOfObjects(const std::string& run_folder);

}  // namespace sluice
