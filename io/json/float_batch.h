// What the vector kernels of float arrays share: an array is taken in batches. One pass writes down
// where numbers end, then all of them are converted. For the kernels' .cc files alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "io/json/float_kernels.h"

namespace sluice {

inline constexpr size_t kBatchNumbers = 512;  // indexed before they are converted
inline constexpr size_t kIndexBytes = 64;     // looked at for delimiters in one go
inline constexpr size_t kStepNumbers = 8;     // the most that a kernel converts together
inline constexpr size_t kWindowBytes = 16;    // loaded for one number; they end where it ends

// An exact integer times a power of ten that is not exact comes within two steps of the right
// double. It becomes the right float unless the middle of two floats is that near. In steps between
// doubles, of which there are 2^29 between two floats.
inline constexpr int64_t kNearMiddle = 4;

// Where numbers end: at the commas, and at the bracket that closes the array.
struct Delimiters {
  std::array<const char*, kBatchNumbers + kIndexBytes + kStepNumbers> places;
  size_t count = 0;
  const char* next = nullptr;  // where to look on
  bool closed = false;
};

// Numbers that stand one behind the other.
struct NumberBatch {
  const char* line = nullptr;   // what stands in front of it must not be read
  const char* begin = nullptr;  // of the first number
  const char* const* ends = nullptr;
  size_t count = 0;
};

// The delimiters of a block: its commas, up to the first bracket and with it.
inline uint64_t DelimitersOf(uint64_t commas, uint64_t brackets) {
  return brackets == 0 ? commas : (commas | brackets) & (brackets ^ (brackets - 1));
}

struct BatchKernel {
  // Appends to `delimiters` from its `next` on, until there are kBatchNumbers, the array is closed
  // or the line ends.
  void (*find_delimiters)(const char* line_end, Delimiters& delimiters);
  // False when one of the numbers is none. Counts those that it gave to ReadElement().
  bool (*convert)(const NumberBatch& batch, float* out, uint64_t& general_values);
};

[[nodiscard]] FloatArrayRead ReadArrayInBatches(const BatchKernel& kernel, std::string_view line,
                                                size_t open, std::vector<float>& out);

// The general path.
[[nodiscard]] bool ReadSingly(const NumberBatch& batch, float* out, uint64_t& general_values);

// The kernel of AVX2, also for what the one of AVX-512 does not take.
[[nodiscard]] bool ConvertAvx2(const NumberBatch& batch, float* out, uint64_t& general_values);

}  // namespace sluice
