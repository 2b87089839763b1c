// Crc32c: CRC-32 with Castagnoli's polynomial (RFC 3720, appendix B.4), by which Cloud Storage
// tells what it stored. Thread-safe, but for one Crc32cSum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace sluice {

// Of the bytes whose checksum is `before` (0 of none) and `bytes` behind them.
[[nodiscard]] uint32_t Crc32c(uint32_t before, std::span<const std::byte> bytes);

// Eight lower-case hex digits.
[[nodiscard]] std::string Crc32cHex(uint32_t crc32c);

// The checksum of bytes that pass by.
class Crc32cSum {
 public:
  void Update(std::span<const std::byte> bytes) { value_ = Crc32c(value_, bytes); }
  [[nodiscard]] uint32_t value() const { return value_; }
  [[nodiscard]] std::string HexDigest() const { return Crc32cHex(value_); }

 private:
  uint32_t value_ = 0;
};

}  // namespace sluice
