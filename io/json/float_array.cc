#include "io/json/float_array.h"

#include <cmath>

#include "io/json/avx2.h"
#include "io/json/avx512.h"
#include "io/json/float_kernels.h"
#include "io/json/float_text.h"

namespace sluice {
namespace {

FloatArrayRead ReadArrayWith(FloatKernel kernel, std::string_view line, size_t open,
                             std::vector<float>& out) {
  switch (kernel) {
#if defined(__x86_64__)
    case FloatKernel::kAvx2:
      return ReadArrayAvx2(line, open, out);
    case FloatKernel::kAvx512:
      return ReadArrayAvx512(line, open, out);
#endif
    default:
      return ReadArrayPortable(line, open, out);
  }
}

}  // namespace

std::vector<FloatKernel> FloatKernels() {
  std::vector<FloatKernel> kernels = {FloatKernel::kPortable};
#if defined(__x86_64__)
  if (HasAvx2()) {
    kernels.push_back(FloatKernel::kAvx2);
    if (HasAvx512()) {
      kernels.push_back(FloatKernel::kAvx512);
    }
  }
#endif
  return kernels;
}

FloatKernel BestFloatKernel() { return FloatKernels().back(); }

bool ReadElement(const char* begin, const char* end, float& value) {
  const FloatRead read = ReadFloat(SkipBlanks(begin, end), end);
  value = read.value;
  return read.end != nullptr && std::isfinite(value) && SkipBlanks(read.end, end) == end;
}

FloatArrayRead ReadArrayPortable(std::string_view line, size_t open, std::vector<float>& out) {
  const char* const end = line.data() + line.size();
  const char* at = SkipBlanks(line.data() + open + 1, end);
  if (at < end && *at == ']') {
    return {.end = at + 1};
  }
  while (true) {
    const FloatRead read = ReadFloat(at, end);
    if (read.end == nullptr || !std::isfinite(read.value)) {
      return {};
    }
    out.push_back(read.value);
    at = SkipBlanks(read.end, end);
    if (at == end || (*at != ',' && *at != ']')) {
      return {};
    }
    if (*at == ']') {
      return {.end = at + 1};
    }
    at = SkipBlanks(at + 1, end);
  }
}

std::optional<size_t> FloatArrayReader::Read(std::string_view line, size_t open,
                                             std::vector<float>& out) {
  const size_t before = out.size();
  const FloatArrayRead read = ReadArrayWith(kernel_, line, open, out);
  if (read.end == nullptr) {
    out.resize(before);
    return std::nullopt;
  }
  values_ += out.size() - before;
  general_values_ += read.general_values;
  return static_cast<size_t>(read.end - line.data()) - open;
}

std::optional<std::string> ParseFloatArray(std::string_view json, std::vector<float>& out) {
  out.clear();
  if (!json.starts_with('[')) {
    return "values are not an array";
  }
  const FloatArrayRead read = ReadArrayPortable(json, 0, out);
  if (read.end != json.data() + json.size()) {
    return "values hold something that is not a finite number";
  }
  return std::nullopt;
}

}  // namespace sluice
