// Units: sizes, durations and counts as people write and read them. Immutable functions,
// thread-safe. Numbers are always formatted as in English, whatever the locale is.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "io/base/error.h"

namespace sluice {

// "512", "10k" (powers of 1000: k M G T), "10Ki" (powers of 1024: Ki Mi Gi Ti), with "B" behind if
// one likes. Errors: kUsage.
[[nodiscard]] Result<uint64_t> ParseSize(std::string_view text);

// "50ms", "2s", "5m", "1h", "1h30m". A number without a unit is refused. Errors: kUsage.
[[nodiscard]] Result<std::chrono::milliseconds> ParseDuration(std::string_view text);

// "30s..5m", or "30s" for both ends. Errors: kUsage, also when the end lies before the begin.
struct DurationRange {
  std::chrono::milliseconds first{0};
  std::chrono::milliseconds last{0};
};
[[nodiscard]] Result<DurationRange> ParseDurationRange(std::string_view text);

// A whole number within [least, most]. Errors: kUsage.
[[nodiscard]] Result<int64_t> ParseInteger(std::string_view text, int64_t least, int64_t most);

// RFC 3339 in UTC, as services write it: "2026-11-22T13:00:02.123456789Z". The fraction of a second
// is dropped. Nothing when `text` is anything else.
[[nodiscard]] std::optional<std::chrono::sys_seconds> ParseTime(std::string_view text);

[[nodiscard]] std::string FormatCount(uint64_t count);  // "20,122"
[[nodiscard]] std::string FormatBytes(uint64_t bytes);  // "812 B", "41.3 MB"; powers of 1000
[[nodiscard]] std::string FormatDuration(std::chrono::milliseconds duration);  // "0.4s", "41m12s"

}  // namespace sluice
