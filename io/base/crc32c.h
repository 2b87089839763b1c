// Crc32c: CRC-32 with Castagnoli's polynomial (RFC 3720, appendix B.4), by which Cloud Storage
// tells what it stored. Immutable functions, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice {

// Of the bytes whose checksum is `before` (0 of none) and `bytes` behind them.
[[nodiscard]] uint32_t Crc32c(uint32_t before, std::span<const std::byte> bytes);

}  // namespace sluice
