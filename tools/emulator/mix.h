// Fixed 64-bit mixing: the same numbers on every machine and in every version. Immutable functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

// The finalizer of splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
// generators", 2014): every input bit reaches every output bit.
[[nodiscard]] constexpr uint64_t MixBits(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

// FNV-1a over the bytes, then mixed (http://www.isthe.com/chongo/tech/comp/fnv/).
[[nodiscard]] constexpr uint64_t HashText(std::string_view text, uint64_t seed) {
  uint64_t hash = 0xcbf29ce484222325U ^ seed;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  return MixBits(hash);
}

// The `index`-th number of a stream, as a share of one: 0 <= x < 1.
[[nodiscard]] constexpr double ShareAt(uint64_t seed, uint64_t index) {
  return static_cast<double>(MixBits(seed + (index + 1) * 0x9e3779b97f4a7c15U) >> 11) * 0x1p-53;
}

}  // namespace sluice
