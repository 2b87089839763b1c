// Arrays of decimal numbers to float32, correctly rounded: the text that a service prints for a
// float gives exactly that float again. This is the hottest loop of a merge: an answer is little
// else than such an array.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// How arrays are read. All kernels give the same floats and the same verdicts.
enum class FloatKernel {
  kPortable,  // one number at a time
  kAvx2,      // four numbers at a time
  kAvx512,    // eight
};
// Those that this processor can run, the best one last.
[[nodiscard]] std::vector<FloatKernel> FloatKernels();
[[nodiscard]] FloatKernel BestFloatKernel();

// Reads arrays of finite JSON numbers (RFC 8259) and nothing else. One thread at a time.
class FloatArrayReader {
 public:
  // Readable bytes that must stand behind the line.
  static constexpr size_t kPadding = 64;

  explicit FloatArrayReader(FloatKernel kernel = BestFloatKernel()) : kernel_(kernel) {}

  // Appends the numbers of the array whose '[' is line[open] to `out`. Gives the size of the array
  // with its brackets, or nothing when it is not such an array; then `out` is as it was.
  [[nodiscard]] std::optional<size_t> Read(std::string_view line, size_t open,
                                           std::vector<float>& out);

  // Of all arrays read so far: numbers, and how many of them were not of the common form
  // (d.ddd with up to 15 digits behind the point) and took the general path.
  [[nodiscard]] uint64_t values() const { return values_; }
  [[nodiscard]] uint64_t general_values() const { return general_values_; }

 private:
  FloatKernel kernel_;
  uint64_t values_ = 0;
  uint64_t general_values_ = 0;
};

// The same for a token without padding, off the hot path. Replaces `out`; gives why `json` is not
// an array of finite numbers, or nothing.
[[nodiscard]] std::optional<std::string> ParseFloatArray(std::string_view json,
                                                         std::vector<float>& out);

}  // namespace sluice
