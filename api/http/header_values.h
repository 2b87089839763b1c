// Values of HTTP headers that decide what is done next, read strictly: what is not exactly of the
// form that RFC 9110 gives it is not there. Pure functions, thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "io/base/clock.h"

namespace sluice {

// "bytes 100-199/200": the part of a whole whose total is known.
struct ContentRange {
  uint64_t begin = 0;
  uint64_t end = 0;  // behind the last byte
  uint64_t total = 0;
};

// Nothing for another unit, an unknown total ("*"), an empty part, and one that ends behind the
// whole. RFC 9110 section 14.4.
[[nodiscard]] std::optional<ContentRange> ParseContentRange(std::string_view value);

// "Sun, 06 Nov 1994 08:49:37 GMT", the one form of a date that may be sent; the name of the day is
// not compared. Nothing for a day or a time that there is not. RFC 9110 section 5.6.7.
[[nodiscard]] std::optional<WallTime> ParseHttpDate(std::string_view value);

// Seconds with an optional fraction: digits and at most one point. Nothing from 1e9 on.
[[nodiscard]] std::optional<std::chrono::milliseconds> ParseSeconds(std::string_view text);

// Retry-After: seconds, or a date (0 when it is past). RFC 9110 section 10.2.3; services were seen
// to send fractions too.
[[nodiscard]] std::optional<std::chrono::milliseconds> ParseRetryAfter(std::string_view value,
                                                                       WallTime now);

}  // namespace sluice
