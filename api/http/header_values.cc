#include "api/http/header_values.h"

#include <algorithm>
#include <array>

#include "api/http/decimal.h"
#include "io/base/text.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// The number in `text` when each byte is a digit, as fixed columns have it.
std::optional<int> Columns(std::string_view text) {
  return std::ranges::all_of(text, IsDigit) ? ParseDecimal<int>(text) : std::nullopt;
}

// Whether `text` looks like `form`, where 0 stands for a digit and A for a letter.
bool HasForm(std::string_view text, std::string_view form) {
  return std::ranges::equal(text, form, [](char c, char wanted) {
    if (wanted == '0') {
      return IsDigit(c);
    }
    return wanted == 'A' ? (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') : c == wanted;
  });
}

}  // namespace

std::optional<ContentRange> ParseContentRange(std::string_view value) {
  constexpr std::string_view kUnit = "bytes ";
  const size_t dash = value.find('-');
  const size_t slash = value.find('/');
  if (!value.starts_with(kUnit) || dash == std::string_view::npos ||
      slash == std::string_view::npos || dash > slash) {
    return std::nullopt;
  }
  const auto begin = ParseDecimal<uint64_t>(value.substr(kUnit.size(), dash - kUnit.size()));
  const auto last = ParseDecimal<uint64_t>(value.substr(dash + 1, slash - dash - 1));
  const auto total = ParseDecimal<uint64_t>(value.substr(slash + 1));
  if (!begin || !last || !total || *begin > *last || *last >= *total) {
    return std::nullopt;
  }
  return ContentRange{.begin = *begin, .end = *last + 1, .total = *total};
}

std::optional<WallTime> ParseHttpDate(std::string_view value) {
  if (!HasForm(value, "AAA, 00 AAA 0000 00:00:00 GMT")) {
    return std::nullopt;
  }
  const auto month = std::ranges::find(kMonths, value.substr(8, 3));
  const std::chrono::year_month_day date(
      std::chrono::year(Columns(value.substr(12, 4)).value_or(0)),
      std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
      std::chrono::day(static_cast<unsigned>(Columns(value.substr(5, 2)).value_or(0))));
  const int hour = Columns(value.substr(17, 2)).value_or(0);
  const int minute = Columns(value.substr(20, 2)).value_or(0);
  const int second = Columns(value.substr(23, 2)).value_or(0);
  // A year that a nanosecond clock can hold; second 60 is a leap second.
  const bool is_time = hour < 24 && minute < 60 && second <= 60;
  const bool is_held =
      date.year() >= std::chrono::year(1970) && date.year() < std::chrono::year(2262);
  if (month == kMonths.end() || !date.ok() || !is_time || !is_held) {
    return std::nullopt;
  }
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

std::optional<milliseconds> ParseSeconds(std::string_view text) {
  constexpr uint64_t kSecondsMax = 1'000'000'000;
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction =
      point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  const auto seconds = ParseDecimal<uint64_t>(whole);
  if (!seconds || *seconds >= kSecondsMax || !std::ranges::all_of(fraction, IsDigit) ||
      (point != std::string_view::npos && fraction.empty())) {
    return std::nullopt;
  }
  int64_t thousandths = 0;
  for (size_t place = 0; place < 3; ++place) {
    thousandths = thousandths * 10 + (place < fraction.size() ? fraction[place] - '0' : 0);
  }
  // Rounded up: never earlier than was asked.
  const bool more = fraction.size() > 3 &&
                    std::ranges::any_of(fraction.substr(3), [](char c) { return c != '0'; });
  return milliseconds(static_cast<int64_t>(*seconds) * 1000 + thousandths + (more ? 1 : 0));
}

std::optional<milliseconds> ParseRetryAfter(std::string_view value, WallTime now) {
  if (const auto seconds = ParseSeconds(value)) {
    return seconds;
  }
  const auto date = ParseHttpDate(value);
  if (!date) {
    return std::nullopt;
  }
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(*date - now));
}

}  // namespace sluice
