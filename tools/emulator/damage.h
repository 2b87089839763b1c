// What faults do to bytes that were kept.
#pragma once

#include <string>

#include "io/base/error.h"
#include "io/file/file_system.h"

namespace sluice {

// In the middle of the file.
[[nodiscard]] Result<void> FlipOneBit(FileSystem& files, const std::string& path);

}  // namespace sluice
