// Header values are taken only in their own form: what was read, written again, is what was there.
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <fmt/chrono.h>
#include <string>
#include <string_view>

#include "api/http/decimal.h"
#include "api/http/header_values.h"

namespace {

void Expect(bool condition) {
  if (!condition) {
    std::abort();
  }
}

// Without the zeros that may stand in front.
std::string Plain(std::string_view digits) {
  const size_t first = std::min(digits.find_first_not_of('0'), digits.size() - 1);
  return std::string(digits.substr(first));
}

void CheckRange(std::string_view value) {
  const auto range = sluice::ParseContentRange(value);
  if (!range) {
    return;
  }
  Expect(range->begin < range->end && range->end <= range->total);
  const size_t dash = value.find('-');
  const size_t slash = value.find('/');
  Expect(value.starts_with("bytes "));
  Expect(Plain(value.substr(6, dash - 6)) == std::to_string(range->begin));
  Expect(Plain(value.substr(dash + 1, slash - dash - 1)) == std::to_string(range->end - 1));
  Expect(Plain(value.substr(slash + 1)) == std::to_string(range->total));
}

void CheckDate(std::string_view value) {
  const auto date = sluice::ParseHttpDate(value);
  if (!date) {
    return;
  }
  const std::time_t seconds = std::chrono::system_clock::to_time_t(*date);
  const std::string again = fmt::format("{:%d %b %Y %H:%M:%S} GMT", fmt::gmtime(seconds));
  const bool leap = value.substr(23, 2) == "60";
  Expect(leap || again == value.substr(5));
}

void CheckRetryAfter(std::string_view value) {
  const sluice::WallTime now(std::chrono::seconds(1'795'000'000));
  const auto wait = sluice::ParseRetryAfter(value, now);
  if (!wait) {
    return;
  }
  Expect(wait->count() >= 0);
  const auto whole = sluice::ParseDecimal<uint64_t>(value);
  Expect(!whole || static_cast<uint64_t>(wait->count()) == *whole * 1000);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view value(reinterpret_cast<const char*>(data), size);
  CheckRange(value);
  CheckDate(value);
  CheckRetryAfter(value);
  // Content-Length and the offset of an upload.
  const auto length = sluice::ParseDecimal<uint64_t>(value);
  Expect(!length || Plain(value) == std::to_string(*length));
  return 0;
}
