// The kernels behind FloatArrayReader, for its own use and its tests.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace sluice {

struct FloatArrayRead {
  const char* end = nullptr;  // behind ']'; null: not an array of finite numbers
  uint64_t general_values = 0;
};

// Both append to `out` (also when they fail) the numbers of the array that begins at line[open].
[[nodiscard]] FloatArrayRead ReadArrayPortable(std::string_view line, size_t open,
                                               std::vector<float>& out);
#if defined(__x86_64__)
// Reads up to FloatArrayReader::kPadding bytes behind the line. The processor must have AVX2.
[[nodiscard]] FloatArrayRead ReadArrayAvx2(std::string_view line, size_t open,
                                           std::vector<float>& out);
// The same for one of which HasAvx512() is true.
[[nodiscard]] FloatArrayRead ReadArrayAvx512(std::string_view line, size_t open,
                                             std::vector<float>& out);
#endif

// `at`, or the first byte behind it that is no blank.
inline const char* SkipBlanks(const char* at, const char* end) {
  while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n')) {
    ++at;
  }
  return at;
}

// The general path: the element between two delimiters, blanks around it allowed; false when it is
// no finite number.
[[nodiscard]] bool ReadElement(const char* begin, const char* end, float& value);

}  // namespace sluice
