// Every kernel must give the same verdict and the same floats on any bytes, and take what the slow
// reference takes.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "io/json/float_array.h"
#include "io/json/json_document.h"

namespace {

struct Read {
  std::optional<size_t> size;
  std::vector<float> values;
};

Read ReadWith(sluice::FloatKernel kernel, std::string_view line, size_t open) {
  Read read;
  sluice::FloatArrayReader reader(kernel);
  read.size = reader.Read(line, open, read.values);
  return read;
}

void Require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// The text that was taken is a JSON array, and its numbers as doubles are next to the floats.
void CheckAgainstReference(std::string_view array, const std::vector<float>& values) {
  const auto json = sluice::ParseJson(array);
  Require(json.is_array() && json.size() == values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    Require(json[i].is_number());
    const auto nearest = static_cast<float>(json[i].get<double>());
    Require(nearest == values[i] || std::nextafter(nearest, values[i]) == values[i]);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // The line ends at the first NUL NUL; what stands behind it must not be looked at.
  std::string buffer(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(buffer.find(std::string_view("\0\0", 2)), size);
  buffer.append(sluice::FloatArrayReader::kPadding, ']');
  const std::string_view line = std::string_view(buffer).substr(0, end);
  const size_t open = line.find('[');
  if (open == std::string_view::npos) {
    return 0;
  }
  const Read portable = ReadWith(sluice::FloatKernel::kPortable, line, open);
  for (const sluice::FloatKernel kernel : sluice::FloatKernels()) {
    const Read fast = ReadWith(kernel, line, open);
    Require(fast.size == portable.size && fast.values.size() == portable.values.size());
    Require(fast.values.empty() || std::memcmp(fast.values.data(), portable.values.data(),
                                               fast.values.size() * sizeof(float)) == 0);
  }
  if (portable.size.has_value()) {
    CheckAgainstReference(line.substr(open, *portable.size), portable.values);
  }
  return 0;
}
