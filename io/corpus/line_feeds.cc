#include "io/corpus/line_feeds.h"

#include <algorithm>
#include <cstring>

namespace sluice {
namespace {

// A compiler vector: two registers on the oldest processors of the architecture, one on newer ones.
using Bytes = uint8_t __attribute__((vector_size(32)));

// The function is built once for each, and the loader takes what the processor can do; but it asks
// before the thread sanitizer is ready.
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define SLUICE_FOR_EACH_PROCESSOR __attribute__((target_clones("avx2", "default")))
#else
#define SLUICE_FOR_EACH_PROCESSOR
#endif

// Each byte lane counts its own line feeds, which must not pass 255.
constexpr size_t kStepsMax = 255;

[[gnu::always_inline]] inline uint64_t SumOf(const Bytes& lanes) {
  uint64_t sum = 0;
  for (size_t i = 0; i < sizeof(Bytes); ++i) {
    sum += lanes[i];
  }
  return sum;
}

}  // namespace

SLUICE_FOR_EACH_PROCESSOR uint64_t CountLineFeeds(std::string_view text) {
  uint64_t count = 0;
  while (text.size() >= sizeof(Bytes)) {
    const size_t steps = std::min(text.size() / sizeof(Bytes), kStepsMax);
    Bytes lanes = {};
    for (size_t i = 0; i < steps; ++i) {
      Bytes bytes;
      std::memcpy(&bytes, text.data() + i * sizeof(Bytes), sizeof(Bytes));
      // A comparison gives 255, which is -1, where it holds.
      lanes -= reinterpret_cast<Bytes>(bytes == '\n');
    }
    count += SumOf(lanes);
    text.remove_prefix(steps * sizeof(Bytes));
  }
  return count + static_cast<uint64_t>(std::ranges::count(text, '\n'));
}

}  // namespace sluice
