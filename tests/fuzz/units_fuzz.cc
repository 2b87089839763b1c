// Values of options: sizes, durations, ranges, numbers, times. Each is refused with a message that
// a terminal can show, or read within its bounds.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tools/units.h"

namespace {

void Expect(bool condition) {
  if (!condition) {
    std::abort();
  }
}

template <typename T>
bool Read(const sluice::Result<T>& value) {
  Expect(value.has_value() ||
         (value.error().code == sluice::ErrorCode::kUsage && !value.error().message.empty()));
  return value.has_value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(Read(sluice::ParseSize(text)));
  const auto duration = sluice::ParseDuration(text);
  if (Read(duration)) {
    Expect(duration->count() >= 0);
    Expect(!sluice::FormatDuration(*duration).empty());
  }
  const auto range = sluice::ParseDurationRange(text);
  if (Read(range)) {
    Expect(range->first.count() >= 0 && range->first <= range->last);
  }
  const auto number = sluice::ParseInteger(text, -5, 1000);
  if (Read(number)) {
    Expect(*number >= -5 && *number <= 1000);
  }
  static_cast<void>(sluice::ParseTime(text));
  return 0;
}
