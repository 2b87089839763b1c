// What an upload sends, and whom it tells how far it is.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "io/base/error.h"
#include "io/codec/byte_source.h"

namespace sluice {

// What is uploaded: can be opened again from its start whenever a transfer has to begin anew.
struct StageSource {
  std::function<Result<std::unique_ptr<ByteSource>>()> open = {};  // plain (decompressed) bytes
  uint64_t size = 0;                                               // exact, of the plain bytes
};

using ByteProgress = std::function<void(uint64_t bytes_done)>;

}  // namespace sluice
