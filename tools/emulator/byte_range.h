// Answers that are bytes of a file, whole or the part that a Range header asks for. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tools/emulator/service.h"

namespace sluice {

// The bytes of a file that a Range header asks for; `last` is the last one's offset.
struct ByteRange {
  uint64_t first = 0;
  uint64_t last = 0;
};

// "bytes=5-", "bytes=5-9" and "bytes=-9", the last nine; anything else counts as no Range at all.
// The first byte may lie behind the end.
[[nodiscard]] std::optional<ByteRange> ParseRange(std::string_view header, uint64_t size);

// Answers with the `size` bytes, or with 206 or 416 when a part is asked for, as the faults have
// it.
void SendBytes(Service& service, Exchange& exchange, HttpHeaders headers, File& bytes,
               uint64_t size);

}  // namespace sluice
