#include "tools/units.h"

#include <array>
#include <charconv>
#include <fmt/format.h>
#include <limits>

namespace sluice {
namespace {

// Takes the digits at the front of `text` off. Nothing when there is none or they do not fit.
std::optional<uint64_t> TakeNumber(std::string_view& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

std::optional<uint64_t> SizeFactor(std::string_view unit) {
  if (unit.ends_with('B')) {
    unit.remove_suffix(1);
  }
  if (unit.empty()) {
    return 1;
  }
  constexpr std::string_view kPrefixes = "kMGT";
  const char prefix = unit.front() == 'K' ? 'k' : unit.front();
  const size_t place = kPrefixes.find(prefix);
  const bool binary = unit.size() == 2 && unit[1] == 'i';
  if (place == std::string_view::npos || (unit.size() != 1 && !binary)) {
    return std::nullopt;
  }
  uint64_t factor = 1;
  for (size_t power = 0; power <= place; ++power) {
    factor *= binary ? 1024 : 1000;
  }
  return factor;
}

std::optional<int64_t> TakeDurationUnit(std::string_view& text) {
  struct Unit {
    std::string_view name;
    int64_t milliseconds;
  };
  constexpr std::array kUnits = {Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000},
                                 Unit{"h", 3'600'000}, Unit{"d", 86'400'000}};
  for (const Unit& unit : kUnits) {
    if (text.starts_with(unit.name)) {
      text.remove_prefix(unit.name.size());
      return unit.milliseconds;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<uint64_t> ParseSize(std::string_view text) {
  std::string_view rest = text;
  const std::optional<uint64_t> number = TakeNumber(rest);
  const std::optional<uint64_t> factor = SizeFactor(rest);
  if (!number || !factor || *number > std::numeric_limits<uint64_t>::max() / *factor) {
    return Fail(ErrorCode::kUsage,
                fmt::format("'{}' is not a size (examples: 500, 25k, 64M, 2Gi)", text));
  }
  return *number * *factor;
}

Result<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  constexpr uint64_t kMillisecondsMax = uint64_t{10} * 366 * 86'400'000;  // ten years
  const auto refuse = [text] {
    return Fail(ErrorCode::kUsage,
                fmt::format("'{}' is not a duration (examples: 50ms, 2s, 5m, 1h30m)", text));
  };
  uint64_t total = 0;
  std::string_view rest = text;
  do {
    const std::optional<uint64_t> number = TakeNumber(rest);
    const std::optional<int64_t> unit = TakeDurationUnit(rest);
    if (!number || !unit || *number > kMillisecondsMax / static_cast<uint64_t>(*unit)) {
      return refuse();
    }
    total += *number * static_cast<uint64_t>(*unit);
    if (total > kMillisecondsMax) {
      return refuse();
    }
  } while (!rest.empty());
  return std::chrono::milliseconds(total);
}

Result<DurationRange> ParseDurationRange(std::string_view text) {
  const size_t dots = text.find("..");
  const std::string_view first_text = text.substr(0, dots);
  SLUICE_ASSIGN(const auto first, ParseDuration(first_text));
  DurationRange range{.first = first, .last = first};
  if (dots != std::string_view::npos) {
    SLUICE_ASSIGN(range.last, ParseDuration(text.substr(dots + 2)));
  }
  if (range.last < range.first) {
    return Fail(ErrorCode::kUsage, fmt::format("'{}' ends before it begins", text));
  }
  return range;
}

Result<int64_t> ParseInteger(std::string_view text, int64_t least, int64_t most) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
    return Fail(ErrorCode::kUsage,
                fmt::format("'{}' is not a whole number from {} to {}", text, least, most));
  }
  return value;
}

std::optional<std::chrono::sys_seconds> ParseTime(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  if (text.size() <= kForm.size() || !text.ends_with('Z')) {
    return std::nullopt;
  }
  for (size_t i = 0; i < kForm.size(); ++i) {
    const bool fits = kForm[i] == '0' ? text[i] >= '0' && text[i] <= '9' : text[i] == kForm[i];
    if (!fits) {
      return std::nullopt;
    }
  }
  const std::string_view fraction = text.substr(kForm.size(), text.size() - kForm.size() - 1);
  if (!fraction.empty() && (fraction[0] != '.' || fraction.find_first_not_of("0123456789", 1) !=
                                                      std::string_view::npos)) {
    return std::nullopt;
  }
  const auto number = [text](size_t begin, size_t size) {
    std::string_view digits = text.substr(begin, size);
    return static_cast<unsigned>(TakeNumber(digits).value_or(0));
  };
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(number(0, 4))),
                                        std::chrono::month(number(5, 2)),
                                        std::chrono::day(number(8, 2))};
  if (!day.ok() || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 60) {
    return std::nullopt;
  }
  return std::chrono::sys_days(day) + std::chrono::hours(number(11, 2)) +
         std::chrono::minutes(number(14, 2)) + std::chrono::seconds(number(17, 2));
}

std::string FormatCount(uint64_t count) {
  std::string digits = std::to_string(count);
  for (size_t place = digits.size(); place > 3; place -= 3) {
    digits.insert(place - 3, 1, ',');
  }
  return digits;
}

std::string FormatBytes(uint64_t bytes) {
  constexpr std::array<std::string_view, 7> kUnits = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1000) {
    return fmt::format("{} B", bytes);
  }
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  // 999.95 would be shown as 1000.0: it belongs to the next unit.
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string FormatDuration(std::chrono::milliseconds duration) {
  const int64_t tenths = (duration.count() + 50) / 100;
  if (tenths < 100) {
    return fmt::format("{}.{}s", tenths / 10, tenths % 10);
  }
  const int64_t seconds = (duration.count() + 500) / 1000;
  if (seconds < 60) {
    return fmt::format("{}s", seconds);
  }
  if (seconds < 3600) {
    return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  }
  return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
}

}  // namespace sluice
