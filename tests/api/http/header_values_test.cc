#include "api/http/header_values.h"

#include <gtest/gtest.h>
#include <string>

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ParseContentRange, ReadsAPartOfAWholeThatIsKnown) {
  const auto range = ParseContentRange("bytes 100-199/1000").value();
  EXPECT_EQ(range.begin, 100U);
  EXPECT_EQ(range.end, 200U);
  EXPECT_EQ(range.total, 1000U);
  EXPECT_EQ(ParseContentRange("bytes 0-0/1")->end, 1U);
  EXPECT_EQ(
      ParseContentRange("bytes 18446744073709551613-18446744073709551614/18446744073709551615")
          ->end,
      UINT64_MAX);
}

TEST(ParseContentRange, TakesNothingElse) {
  for (const char* value :
       {"", "bytes", "bytes ", "bytes 1-2", "bytes 1-2/*", "bytes */10", "items 1-2/10",
        "bytes 2-1/10", "bytes 1-10/10", "bytes -1-2/10", "bytes 1-2/10 ", "bytes 1 -2/10",
        "bytes +1-2/10", "bytes 1-2-3/10", "bytes 1/2-10", "bytes 1-2/0x10", "Bytes 1-2/10",
        "bytes 1-18446744073709551616/18446744073709551617", "bytes 1-2/10/10"}) {
    EXPECT_FALSE(ParseContentRange(value).has_value()) << value;
  }
}

TEST(ParseHttpDate, ReadsTheOneFormThatMayBeSent) {
  EXPECT_EQ(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), WallTime(seconds(784'111'777)));
  EXPECT_EQ(ParseHttpDate("Thu, 01 Jan 1970 00:00:00 GMT"), WallTime(seconds(0)));
  EXPECT_EQ(ParseHttpDate("Thu, 29 Feb 2024 23:59:60 GMT"), WallTime(seconds(1'709'251'200)));
}

TEST(ParseHttpDate, TakesNothingElse) {
  for (const char* value : {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                            "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GMT ",
                            "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
                            "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
                            "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
                            "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 29 Feb 2023 08:49:37 GMT",
                            "Sun, 06 Nov 1969 08:49:37 GMT", "Sun, 06 Nov 9999 08:49:37 GMT",
                            "Sun, +6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov -994 08:49:37 GMT"}) {
    EXPECT_FALSE(ParseHttpDate(value).has_value()) << value;
  }
}

TEST(ParseSeconds, RoundsUpAndTakesOnlyDigitsAndAPoint) {
  EXPECT_EQ(ParseSeconds("0"), milliseconds(0));
  EXPECT_EQ(ParseSeconds("120"), milliseconds(120'000));
  EXPECT_EQ(ParseSeconds("1.5"), milliseconds(1500));
  EXPECT_EQ(ParseSeconds("0.0000001"), milliseconds(1));
  EXPECT_EQ(ParseSeconds("0.9990000"), milliseconds(999));
  EXPECT_EQ(ParseSeconds("999999999.999"), milliseconds(999'999'999'999));
  for (const char* text : {"", ".", ".5", "1.", "-1", "+1", " 1", "1 ", "1e3", "0x10", "inf", "nan",
                           "1000000000", "99999999999999999999", "1.5.5", "1,5"}) {
    EXPECT_FALSE(ParseSeconds(text).has_value()) << text;
  }
}

TEST(ParseRetryAfter, IsSecondsOrADate) {
  const WallTime now(seconds(784'111'770));
  EXPECT_EQ(ParseRetryAfter("30", now), milliseconds(30'000));
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", now), milliseconds(7'000));
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", now + milliseconds(6'500)),
            milliseconds(500));
  EXPECT_EQ(ParseRetryAfter("Thu, 01 Jan 1970 00:00:00 GMT", now), milliseconds(0));
  EXPECT_FALSE(ParseRetryAfter("soon", now).has_value());
}

}  // namespace
}  // namespace sluice
