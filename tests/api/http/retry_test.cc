#include "api/http/retry.h"

#include <gtest/gtest.h>

#include "tests/support/manual_clock.h"

namespace sluice {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

const RetryPolicy kPolicy{
    .attempts_max = 4, .first_wait = milliseconds(100), .wait_max = milliseconds(1000)};

Error Unavailable(std::optional<milliseconds> retry_after = {}) {
  return {.code = ErrorCode::kUnavailable, .message = "busy", .retry_after = retry_after};
}

TEST(Backoff, JitterFillsARangeThatDoublesUpToItsCap) {
  Backoff backoff(kPolicy, 7);
  const std::vector<int64_t> ceilings = {100, 200, 400, 800, 1000, 1000};
  for (size_t i = 0; i < ceilings.size(); ++i) {
    int64_t largest = 0;
    int64_t smallest = 1'000'000;
    for (int draw = 0; draw < 1000; ++draw) {
      const int64_t wait = backoff.Wait(static_cast<int>(i) + 1, Unavailable()).count();
      largest = std::max(largest, wait);
      smallest = std::min(smallest, wait);
    }
    EXPECT_LE(largest, ceilings[i]);
    EXPECT_GT(largest, ceilings[i] * 9 / 10);
    EXPECT_LT(smallest, ceilings[i] / 10);
  }
  EXPECT_LE(backoff.Wait(1'000'000, Unavailable()), kPolicy.wait_max);
}

TEST(Backoff, NeverUndercutsWhatTheServiceAskedButCapsItAtAnHour) {
  Backoff backoff(kPolicy, 7);
  EXPECT_EQ(backoff.Wait(1, Unavailable(milliseconds(5000))), milliseconds(5000));
  EXPECT_EQ(backoff.Wait(1, Unavailable(hours(18))), hours(1));
}

int CallsOf(Repeat repeat, ErrorCode code) {
  ManualClock clock;
  int calls = 0;
  static_cast<void>(CallWithRetry<int>(repeat, kPolicy, clock, {}, [&]() -> Result<int> {
    ++calls;
    return Fail(code, "no");
  }));
  return calls;
}

TEST(CallWithRetry, RepeatsWhatIsTransientAndSafeOnly) {
  EXPECT_EQ(CallsOf(Repeat::kSafe, ErrorCode::kUnavailable), 4);
  EXPECT_EQ(CallsOf(Repeat::kSafe, ErrorCode::kTransport), 4);
  EXPECT_EQ(CallsOf(Repeat::kSafe, ErrorCode::kNotSent), 4);
  EXPECT_EQ(CallsOf(Repeat::kSafe, ErrorCode::kBadAnswer), 4);
  EXPECT_EQ(CallsOf(Repeat::kSafe, ErrorCode::kAuth), 1);
  EXPECT_EQ(CallsOf(Repeat::kSafe, ErrorCode::kUnfinished), 1);
  EXPECT_EQ(CallsOf(Repeat::kOnce, ErrorCode::kUnavailable), 1);
  EXPECT_EQ(CallsOf(Repeat::kOnce, ErrorCode::kNotSent), 1);
}

TEST(CallWithRetry, WaitsAsLongAsAsked) {
  ManualClock clock;
  int calls = 0;
  const auto result = CallWithRetry<int>(Repeat::kSafe, kPolicy, clock, {}, [&]() -> Result<int> {
    if (++calls == 1) {
      return std::unexpected(Unavailable(milliseconds(7000)));
    }
    return 42;
  });
  EXPECT_EQ(result.value(), 42);
  EXPECT_EQ(clock.sleeps(), std::vector{milliseconds(7000)});
}

TEST(CallWithRetry, EndsWhenStoppedWhileWaiting) {
  ManualClock clock;
  std::stop_source source;
  const auto result =
      CallWithRetry<int>(Repeat::kSafe, kPolicy, clock, source.get_token(), [&]() -> Result<int> {
        source.request_stop();
        return std::unexpected(Unavailable());
      });
  EXPECT_EQ(result.error().code, ErrorCode::kUnfinished);
}

}  // namespace
}  // namespace sluice
