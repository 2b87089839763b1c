#include "tools/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using std::chrono::milliseconds;

TEST(Units, ReadsSizesOfBothKinds) {
  struct Case {
    std::string_view text;
    uint64_t size;
  };
  for (const Case& c : {Case{"0", 0}, Case{"512", 512}, Case{"10k", 10'000}, Case{"10K", 10'000},
                        Case{"10Ki", 10'240}, Case{"3M", 3'000'000}, Case{"3MiB", 3'145'728},
                        Case{"2G", 2'000'000'000}, Case{"2Gi", 2'147'483'648}, Case{"7B", 7},
                        Case{"1T", 1'000'000'000'000}, Case{"18446744073709551615", UINT64_MAX}}) {
    const auto size = ParseSize(c.text);
    ASSERT_TRUE(size.has_value()) << c.text;
    EXPECT_EQ(*size, c.size) << c.text;
  }
}

TEST(Units, RefusesWhatIsNoSize) {
  for (const char* text : {"", "k", "-1", "1.5G", "10x", "10 k", "10kk", "1Gib", "1m",
                           "18446744073709551616", "18446744073709551615k", "16777216Ti"}) {
    const auto size = ParseSize(text);
    ASSERT_FALSE(size.has_value()) << text;
    EXPECT_EQ(size.error().code, ErrorCode::kUsage);
    EXPECT_THAT(size.error().message, testing::HasSubstr(text));
  }
}

TEST(Units, ReadsDurations) {
  EXPECT_EQ(ParseDuration("50ms").value(), milliseconds(50));
  EXPECT_EQ(ParseDuration("2s").value(), milliseconds(2000));
  EXPECT_EQ(ParseDuration("5m").value(), milliseconds(300'000));
  EXPECT_EQ(ParseDuration("1h30m").value(), milliseconds(5'400'000));
  EXPECT_EQ(ParseDuration("2d").value(), milliseconds(172'800'000));
}

TEST(Units, RefusesWhatIsNoDuration) {
  for (const char* text :
       {"", "5", "s", "5 s", "1.5s", "-2s", "3w", "1h30", "9223372036854775807d", "3000d3000d"}) {
    EXPECT_FALSE(ParseDuration(text).has_value()) << text;
  }
}

TEST(Units, ReadsRangesOfDurations) {
  const auto range = ParseDurationRange("100ms..1s");
  ASSERT_TRUE(range.has_value());
  EXPECT_EQ(range->first, milliseconds(100));
  EXPECT_EQ(range->last, milliseconds(1000));
  const auto one = ParseDurationRange("3s");
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(one->first, milliseconds(3000));
  EXPECT_EQ(one->last, milliseconds(3000));
  for (const char* text : {"2s..1s", "..2s", "1s..", "1s...2s", "1s..2s..3s"}) {
    EXPECT_FALSE(ParseDurationRange(text).has_value()) << text;
  }
}

TEST(Units, ReadsIntegersWithinTheirBounds) {
  EXPECT_EQ(ParseInteger("7", 1, 7).value(), 7);
  EXPECT_EQ(ParseInteger("-3", -3, 7).value(), -3);
  for (const char* text : {"", "0", "8", "7.0", "7 ", "+7", "0x7", "99999999999999999999"}) {
    EXPECT_FALSE(ParseInteger(text, 1, 7).has_value()) << text;
  }
}

TEST(Units, GroupsDigitsByThousands) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1000), "1,000");
  EXPECT_EQ(FormatCount(117659), "117,659");
  EXPECT_EQ(FormatCount(UINT64_MAX), "18,446,744,073,709,551,615");
}

TEST(Units, WritesBytesWithTheNearestUnit) {
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1000), "1.0 kB");
  EXPECT_EQ(FormatBytes(41'300'112), "41.3 MB");
  EXPECT_EQ(FormatBytes(999'949), "999.9 kB");
  EXPECT_EQ(FormatBytes(999'950), "1.0 MB");
  EXPECT_EQ(FormatBytes(UINT64_MAX), "18.4 EB");
}

TEST(Units, WritesDurationsAsShortAsTheyCanBeRead) {
  EXPECT_EQ(FormatDuration(milliseconds(0)), "0.0s");
  EXPECT_EQ(FormatDuration(milliseconds(440)), "0.4s");
  EXPECT_EQ(FormatDuration(milliseconds(9949)), "9.9s");
  EXPECT_EQ(FormatDuration(milliseconds(9950)), "10s");
  EXPECT_EQ(FormatDuration(milliseconds(59'499)), "59s");
  EXPECT_EQ(FormatDuration(milliseconds(59'500)), "1m00s");
  EXPECT_EQ(FormatDuration(milliseconds(2'472'000)), "41m12s");
  EXPECT_EQ(FormatDuration(milliseconds(7'500'000)), "2h05m");
}

TEST(Units, ReadsTimesAsServicesWriteThem) {
  using namespace std::chrono_literals;
  const std::chrono::sys_seconds time =
      std::chrono::sys_days(std::chrono::year(2026) / 8 / 19) + 14h + 34min + 12s;
  EXPECT_EQ(ParseTime("2026-08-19T14:34:12Z"), time);
  EXPECT_EQ(ParseTime("2026-08-19T14:34:12.267870162Z"), time);
  for (const char* bad : {"", "2026-08-19", "2026-08-19T14:34:12", "2026-08-19T14:34:12+02:00",
                          "2026-08-19 14:34:12Z", "2026-02-30T14:34:12Z", "2026-08-19T24:00:00Z",
                          "2026-08-19T14:60:00Z", "2026-08-19T14:34:12.5x7Z",
                          "2026-08-19T14:34:1aZ", "2026-08-19T14:34:12,5Z"}) {
    EXPECT_EQ(ParseTime(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace sluice
