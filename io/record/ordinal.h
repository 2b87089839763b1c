// Ordinal: a document's place in the corpus, 64 bit, from 0, without gaps: refused lines have none.
// It is the row of the output, and as twelve decimal digits the key of the request.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

using Ordinal = uint64_t;

inline constexpr size_t kKeyDigits = 12;
inline constexpr Ordinal kOrdinalMax = 999'999'999'999;  // what twelve digits can say

// Writes the key of `ordinal` over kKeyDigits characters at `place`.
void WriteKey(Ordinal ordinal, char* place);
// The ordinal that a key stands for, or nothing when it is not a key of ours.
[[nodiscard]] std::optional<Ordinal> ParseKey(std::string_view key);

// The documents that one shard owns: [first, first + count).
struct OrdinalRange {
  Ordinal first = 0;
  uint64_t count = 0;
  [[nodiscard]] Ordinal end() const { return first + count; }
  [[nodiscard]] bool contains(Ordinal ordinal) const {
    return ordinal >= first && ordinal - first < count;
  }
};

}  // namespace sluice
