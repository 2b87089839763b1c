// Files that the command line names.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "api/files/stage_source.h"
#include "io/base/error.h"
#include "io/file/file_system.h"
#include "tools/arguments.h"

namespace sluice {

// The content of the file, a small text, that the flag `name` names; empty when it was not given.
// Errors: kUsage naming the flag, also for what is not UTF-8.
[[nodiscard]] Result<std::string> ReadFlagFile(const Arguments& arguments, std::string_view name,
                                               FileSystem& files);

// SourceOfFile() for an argument: one that is not there is kInput, as nothing remote is meant.
[[nodiscard]] Result<StageSource> SourceOfArgument(const std::string& path);

// The same of JSON lines to be read here, not sent as they stand: a .gz or .zst file is
// decompressed, "-" is standard input, which is kept in memory. Without a size, which nobody knows
// yet. Errors: also kInput for more on standard input than kPipedBytesMax.
[[nodiscard]] Result<StageSource> PlainSourceOfArgument(const std::string& path,
                                                        std::stop_token stop);

inline constexpr uint64_t kPipedBytesMax = uint64_t{256} << 20;

}  // namespace sluice
