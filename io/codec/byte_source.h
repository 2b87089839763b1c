// ByteSource: bytes that are read once, front to back. One thread at a time.
// Wrapping sources (zstd, gzip) own what they wrap and use bounded memory whatever the input says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>

#include "io/base/error.h"
#include "io/file/file_system.h"

namespace sluice {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Bytes read into `buffer`, 0 at the end. A cut or corrupt stream is an Error, never an end.
  [[nodiscard]] virtual Result<size_t> Read(std::span<std::byte> buffer) = 0;
};

// `file` (a regular one) from `offset` to its end.
[[nodiscard]] std::unique_ptr<ByteSource> MakeFileSource(std::unique_ptr<File> file,
                                                         uint64_t offset = 0);
// Descriptor 0; not closed. Reading ends with kUnfinished soon after `stop` is requested, also when
// nothing comes.
[[nodiscard]] std::unique_ptr<ByteSource> MakeStandardInputSource(std::stop_token stop);

}  // namespace sluice
