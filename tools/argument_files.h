// Files that the command line names.
#pragma once

#include <string>
#include <string_view>

#include "api/files/stage_source.h"
#include "io/base/error.h"
#include "io/file/file_system.h"
#include "tools/arguments.h"

namespace sluice {

// The content of the file, which is small, that the flag `name` names; empty when it was not given.
// Errors: kUsage naming the flag.
[[nodiscard]] Result<std::string> ReadFlagFile(const Arguments& arguments, std::string_view name,
                                               FileSystem& files);

// SourceOfFile() for an argument: one that is not there is kInput, as nothing remote is meant.
[[nodiscard]] Result<StageSource> SourceOfArgument(const std::string& path);

}  // namespace sluice
