#include "engine/stage_times.h"

#include <gtest/gtest.h>
#include <thread>

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(StageTimes, AStepIsBoundByTheStageThatTakesLongestWithAllItsThreads) {
  StageTimes times;
  times.Add(Stage::kRead, milliseconds(600));
  times.Add(Stage::kCompress, milliseconds(1000));
  EXPECT_EQ(StepTimesOf(times, 1).at(0).bound, "compress");
  EXPECT_EQ(StepTimesOf(times, 2).at(0).bound, "read");
}

TEST(StageTimes, StepsInWhichNothingWasDoneAreLeftOut) {
  StageTimes times;
  {
    const StepTimer timer(times, Step::kPack);
  }
  times.Add(Stage::kFetch, milliseconds(1));
  const auto steps = StepTimesOf(times, 2);
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0].name, "merge");
}

TEST(StageTimes, AStepCountsTheTimeOfSeveralThreadsOnce) {
  StageTimes times;
  const auto begin = steady_clock::now();
  {
    const StepTimer outer(times, Step::kMerge);
    std::jthread([&] {
      const StepTimer inner(times, Step::kMerge);
      while (steady_clock::now() - begin < milliseconds(20)) {
      }
    }).join();
    EXPECT_EQ(times.seconds(Step::kMerge), 0.0);  // still at it
  }
  const double wall = std::chrono::duration<double>(steady_clock::now() - begin).count();
  EXPECT_GE(times.seconds(Step::kMerge), 0.02);
  EXPECT_LE(times.seconds(Step::kMerge), wall);
}

TEST(StageTimes, ARunThatMostlyWaitedIsBoundByTheService) {
  const std::vector<StepTime> steps = {{.name = "pack", .seconds = 2, .bound = "compress"},
                                       {.name = "merge", .seconds = 3, .bound = "fetch"}};
  EXPECT_EQ(BoundOf(steps, 5), "fetch");
  EXPECT_EQ(BoundOf(steps, 7), "service");
  EXPECT_EQ(BoundOf({}, 7), "");
}

}  // namespace
}  // namespace sluice
