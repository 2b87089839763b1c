#include "api/http/outage_brake.h"

#include <gtest/gtest.h>
#include <vector>

#include "tests/support/manual_clock.h"

namespace sluice {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// A service that answers `status` (0: nothing), asked again and again with a short pause.
struct Asked {
  // The times of the requests that were made, from now on, in `length`.
  std::vector<MonotonicTime> For(std::chrono::seconds length, int status) {
    std::vector<MonotonicTime> begun;
    const MonotonicTime end = clock.Now() + length;
    while (clock.Now() < end) {
      EXPECT_TRUE(brake.Await(request).has_value());
      begun.push_back(clock.Now());
      brake.Note(status == 0 ? Result<HttpResponse>(Fail(ErrorCode::kTransport, "reset"))
                             : HttpResponse{.status = status});
      clock.SleepUntil(clock.Now() + milliseconds(100), {});
    }
    return begun;
  }

  ManualClock clock;
  OutageBrake brake{clock};
  HttpRequest request{.method = "GET", .url = "http://127.0.0.1/x", .timeout = milliseconds(0)};
};

size_t MostInAMinute(const std::vector<MonotonicTime>& begun) {
  size_t most = 0;
  for (size_t first = 0, last = 0; last < begun.size(); ++last) {
    while (begun[last] - begun[first] >= minutes(1)) {
      ++first;
    }
    most = std::max(most, last - first + 1);
  }
  return most;
}

TEST(OutageBrake, LetsAServiceThatAnswersAlone) {
  Asked asked;
  EXPECT_EQ(asked.For(seconds(60), 200).size(), 600U);
  EXPECT_EQ(asked.For(seconds(60), 404).size(), 600U);
}

TEST(OutageBrake, AllowsThirtyAMinuteAndOneAMinuteAfterFiveMinutes) {
  for (const int status : {0, 408, 429, 500, 503}) {
    Asked asked;
    EXPECT_EQ(MostInAMinute(asked.For(minutes(5), status)), OutageBrake::kRequestsMax) << status;
    const auto later = asked.For(hours(72), status);
    EXPECT_EQ(MostInAMinute({later.begin() + 1, later.end()}), 1U) << status;
    EXPECT_GE(later.size(), 72U * 59) << status;  // and never gives up looking
  }
}

TEST(OutageBrake, EndsWithTheFirstAnswer) {
  Asked asked;
  static_cast<void>(asked.For(hours(1), 503));
  asked.brake.Note(HttpResponse{.status = 200});
  EXPECT_EQ(asked.For(seconds(60), 200).size(), 600U);
}

TEST(OutageBrake, AFailureOfOurOwnIsNoOutage) {
  Asked asked;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(asked.brake.Await(asked.request).has_value());
    asked.brake.Note(Fail(ErrorCode::kIo, "disk full"));
  }
  EXPECT_TRUE(asked.clock.sleeps().empty());
}

TEST(OutageBrake, AWaitThatIsLongerThanTheRequestMayTakeIsNotSent) {
  Asked asked;
  static_cast<void>(asked.For(minutes(10), 503));
  asked.request.timeout = seconds(3);
  const MonotonicTime before = asked.clock.Now();
  const auto waited = asked.brake.Await(asked.request);
  ASSERT_FALSE(waited.has_value());
  EXPECT_EQ(waited.error().code, ErrorCode::kNotSent);
  EXPECT_EQ(asked.clock.Now() - before, seconds(3));
}

TEST(OutageBrake, StopsWhileItWaits) {
  Asked asked;
  static_cast<void>(asked.For(minutes(10), 503));
  std::stop_source source;
  source.request_stop();
  asked.request.stop = source.get_token();
  EXPECT_EQ(asked.brake.Await(asked.request).error().code, ErrorCode::kUnfinished);
}

}  // namespace
}  // namespace sluice
