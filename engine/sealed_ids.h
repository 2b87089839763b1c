// The ids file as the manifest knows it. Its lines go into the output as they are, so that a bit
// that turned on disk must be found before the output is there, and not by `verify` only.
#pragma once

#include <string>

#include "io/base/error.h"
#include "io/file/file_system.h"
#include "io/shard/manifest.h"

namespace sluice {

// The lines of each sealed shard in the ids file at `path` are what they were. Reads the whole file
// once. Errors: kInput naming the rows where it differs, or that are not there; kIo.
[[nodiscard]] Result<void> ExpectSealedIds(FileSystem& files, const std::string& path,
                                           const Manifest& manifest);

}  // namespace sluice
