#include "io/base/crc32c.h"

#include <algorithm>
#include <fmt/format.h>
#include <isa-l/crc.h>

namespace sluice {

uint32_t Crc32c(uint32_t before, std::span<const std::byte> bytes) {
  constexpr size_t kPartBytes = size_t{1} << 30;  // ISA-L counts in int.
  uint32_t state = ~before;
  while (!bytes.empty()) {
    const std::span<const std::byte> part = bytes.first(std::min(bytes.size(), kPartBytes));
    // ISA-L reads only, though its parameter is not const.
    auto* begin = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(part.data()));
    state = crc32_iscsi(begin, static_cast<int>(part.size()), state);
    bytes = bytes.subspan(part.size());
  }
  return ~state;
}

std::string Crc32cHex(uint32_t crc32c) { return fmt::format("{:08x}", crc32c); }

}  // namespace sluice
