#include "api/http/idle_tries.h"

#include <gtest/gtest.h>

#include "tests/support/manual_clock.h"

namespace sluice {
namespace {

using std::chrono::seconds;

TEST(IdleTries, CountsTriesThatCameNoFurther) {
  ManualClock clock;
  IdleTries tries(clock);
  EXPECT_EQ(tries.End(0), 1);
  EXPECT_EQ(tries.End(0), 2);
  EXPECT_EQ(tries.End(10), 0);
  EXPECT_EQ(tries.End(10), 1);
  EXPECT_EQ(tries.End(0), 2);  // begun anew
  EXPECT_EQ(tries.End(10), 3);
  EXPECT_EQ(tries.End(11), 0);
}

TEST(IdleTries, ATrickleComesNoFurther) {
  ManualClock clock;
  IdleTries tries(clock);
  uint64_t position = 0;
  for (int count = 1; count <= 5; ++count) {
    tries.Begin();
    clock.SleepUntil(clock.Now() + seconds(60), {});
    position += 60 * 20;  // a byte each 50 ms
    EXPECT_EQ(tries.End(position), count);
    clock.SleepUntil(clock.Now() + seconds(600), {});  // the wait before the next one
  }
  tries.Begin();
  clock.SleepUntil(clock.Now() + seconds(60), {});
  EXPECT_EQ(tries.End(position + uint64_t{60} * kStallBytesPerSecond), 0);
}

}  // namespace
}  // namespace sluice
