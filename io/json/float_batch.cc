#include "io/json/float_batch.h"

#include <algorithm>

namespace sluice {
namespace {

// The first `count` delimiters have been used.
void Drop(Delimiters& delimiters, size_t count) {
  const auto begin = delimiters.places.begin();
  std::copy(begin + static_cast<ptrdiff_t>(count), begin + static_cast<ptrdiff_t>(delimiters.count),
            begin);
  delimiters.count -= count;
}

}  // namespace

bool ReadSingly(const NumberBatch& batch, float* out, uint64_t& general_values) {
  const char* begin = batch.begin;
  for (size_t i = 0; i < batch.count; ++i) {
    if (!ReadElement(begin, batch.ends[i], out[i])) {
      return false;
    }
    begin = batch.ends[i] + 1;
  }
  general_values += batch.count;
  return true;
}

FloatArrayRead ReadArrayInBatches(const BatchKernel& kernel, std::string_view line, size_t open,
                                  std::vector<float>& out) {
  const char* const line_begin = line.data();
  const char* const line_end = line_begin + line.size();
  const char* const array_begin = line_begin + open + 1;
  Delimiters delimiters;
  delimiters.next = array_begin;
  std::array<float, kBatchNumbers + kIndexBytes + kStepNumbers> values;
  FloatArrayRead read;
  for (const char* begin = array_begin; !delimiters.closed && delimiters.next < line_end;) {
    kernel.find_delimiters(line_end, delimiters);
    if (delimiters.count > 0 && delimiters.places[delimiters.count - 1] >= line_end) {
      return {};
    }
    if (delimiters.closed && begin == array_begin && delimiters.count == 1 &&
        SkipBlanks(begin, delimiters.places[0]) == delimiters.places[0]) {
      return {.end = delimiters.places[0] + 1};
    }
    // What would be less than a step waits for the next batch.
    const size_t count =
        delimiters.count - (delimiters.closed ? 0 : delimiters.count % kStepNumbers);
    if (count == 0) {
      continue;
    }
    const NumberBatch batch = {
        .line = line_begin, .begin = begin, .ends = delimiters.places.data(), .count = count};
    if (!kernel.convert(batch, values.data(), read.general_values)) {
      return {};
    }
    out.insert(out.end(), values.begin(), values.begin() + static_cast<ptrdiff_t>(count));
    begin = delimiters.places[count - 1] + 1;
    Drop(delimiters, count);
    read.end = delimiters.closed ? begin : nullptr;
  }
  return read;
}

}  // namespace sluice
