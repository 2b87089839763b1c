// Documents of the state folder: small files that are whole under their name whenever the process
// is killed. They are not synced: the state outlives a kill -9, not a power cut, and the local
// service stays fast.
#pragma once

#include <string>
#include <string_view>

#include "io/file/file_system.h"

namespace sluice {

[[nodiscard]] Result<void> ReplaceStateFile(FileSystem& files, const std::string& path,
                                            std::string_view text);
[[nodiscard]] Result<std::string> ReadStateFile(FileSystem& files, const std::string& path);

}  // namespace sluice
