// Content to send that nothing can pack or mistake for another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice {

// Bytes without a pattern, the same for the same seed.
inline std::string BytesWithoutPattern(size_t size, uint32_t seed) {
  std::string text(size, '\0');
  for (char& c : text) {
    seed = seed * 1664525 + 1013904223;
    c = static_cast<char>(seed >> 24);
  }
  return text;
}

}  // namespace sluice
