#include "tools/emulator/timestamp.h"

#include <fmt/format.h>

namespace sluice {

int64_t UnixNanoseconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

std::string FormatTimestamp(int64_t unix_nanoseconds) {
  const WallTime time{
      std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(unix_nanoseconds))};
  std::string text = FormatTime(time);
  text.pop_back();
  return fmt::format("{}.{:09}Z", text, unix_nanoseconds % 1'000'000'000);
}

}  // namespace sluice
