// What an upload sends, and whom it tells how far it is.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "io/base/error.h"
#include "io/codec/byte_source.h"

namespace sluice {

// What is uploaded: can be opened again from its start whenever a transfer has to begin anew.
struct StageSource {
  std::function<Result<std::unique_ptr<ByteSource>>()> open = {};  // plain (decompressed) bytes
  uint64_t size = 0;                                               // exact, of the plain bytes
  // A word that changes with the content, by which an upload knows after a restart of the program
  // that it goes on with the same bytes. Empty: only the size and, at the end, the SHA-256 tell.
  std::string identity = {};
};

using ByteProgress = std::function<void(uint64_t bytes_done)>;

// The bytes of a regular file as they stand; known again by its size and time of change. The file
// is opened when the source is. Errors: kIo, kNotFound; kInput for a folder or a pipe.
[[nodiscard]] Result<StageSource> SourceOfFile(const std::string& path);

// Bytes in memory, kept by the source; known again by their SHA-256.
[[nodiscard]] StageSource SourceOfBytes(std::string bytes);

}  // namespace sluice
