#include "engine/ordered_pipeline.h"

#include <atomic>
#include <gtest/gtest.h>
#include <stdexcept>

namespace sluice {
namespace {

struct Number final : PipelineItem {
  int value = 0;
};

// Numbers 0..count-1; counts how many exist at once.
class Numbers {
 public:
  explicit Numbers(int count) : count_(count) {}

  PipelineSource Source() {
    return {.next = [this]() -> Result<std::unique_ptr<PipelineItem>> {
              if (given_ == count_) {
                return nullptr;
              }
              auto item = std::make_unique<Number>();
              item->value = given_++;
              most_alive_ = std::max(most_alive_.load(), ++alive_);
              return item;
            },
            .recycle =
                [this](std::unique_ptr<PipelineItem>) {
                  --alive_;
                  ++recycled_;
                }};
  }

  [[nodiscard]] int given() const { return given_; }
  [[nodiscard]] int recycled() const { return recycled_; }
  [[nodiscard]] int most_alive() const { return most_alive_; }

 private:
  int count_;
  std::atomic<int> given_{0}, alive_{0}, most_alive_{0}, recycled_{0};
};

Station Parallel(std::function<Result<void>(Number&)> work) {
  return {.order = Station::Order::kParallel,
          .work = [work](PipelineItem& item) { return work(static_cast<Number&>(item)); }};
}

Station InOrder(std::function<Result<void>(Number&)> work) {
  Station station = Parallel(std::move(work));
  station.order = Station::Order::kInOrder;
  return station;
}

TEST(OrderedPipeline, KeepsOrderThroughParallelStations) {
  Numbers numbers(1000);
  std::vector<int> seen;
  const auto result = RunOrderedPipeline(4, numbers.Source(),
                                         {Parallel([](Number& number) -> Result<void> {
                                            number.value *= 2;
                                            return {};
                                          }),
                                          InOrder([&](Number& number) -> Result<void> {
                                            seen.push_back(number.value);
                                            return {};
                                          })},
                                         {});
  ASSERT_TRUE(result.has_value());
  ASSERT_EQ(seen.size(), 1000u);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(seen[static_cast<size_t>(i)], 2 * i);
  }
}

TEST(OrderedPipeline, NeverHasMoreItemsThanWorkersEvenWhenTheFirstIsSlow) {
  Numbers numbers(500);
  std::atomic<int> through{0};
  const auto result = RunOrderedPipeline(4, numbers.Source(),
                                         {Parallel([&](Number& number) -> Result<void> {
                                            if (number.value == 0) {
                                              // Waits until others have come behind it.
                                              while (through.load() < 3) {
                                                std::this_thread::yield();
                                              }
                                            }
                                            ++through;
                                            return {};
                                          }),
                                          InOrder([](Number&) -> Result<void> { return {}; })},
                                         {});
  EXPECT_TRUE(result.has_value());
  EXPECT_LE(numbers.most_alive(), 4);
  EXPECT_EQ(numbers.recycled(), 500);
}

TEST(OrderedPipeline, GivesTheFirstErrorAndDropsNothing) {
  Numbers numbers(10'000);
  int after_error = 0;
  const auto result = RunOrderedPipeline(
      2, numbers.Source(), {InOrder([&](Number& number) -> Result<void> {
        after_error += number.value > 20 ? 1 : 0;
        return number.value == 20 ? Fail(ErrorCode::kIo, "twenty") : Result<void>{};
      })},
      {});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().message, "twenty");
  EXPECT_EQ(after_error, 0);
  EXPECT_LT(numbers.given(), 10'000);
  EXPECT_EQ(numbers.given(), numbers.recycled());
}

TEST(OrderedPipeline, TurnsAnExceptionOfAStationIntoAnError) {
  Numbers numbers(10);
  const auto result = RunOrderedPipeline(
      2, numbers.Source(),
      {Parallel([](Number&) -> Result<void> { throw std::runtime_error("boom"); })}, {});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kInternal);
  EXPECT_NE(result.error().message.find("boom"), std::string::npos);
  EXPECT_EQ(numbers.given(), numbers.recycled());
}

TEST(OrderedPipeline, TurnsAnExceptionOfTheRecyclingIntoAnError) {
  Numbers numbers(100);
  PipelineSource source = numbers.Source();
  source.recycle = [](std::unique_ptr<PipelineItem>) { throw std::bad_alloc(); };
  const auto result = RunOrderedPipeline(2, source, {}, {});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kIo);
}

TEST(OrderedPipeline, GivesTheErrorOfItsSource) {
  const PipelineSource source = {.next = []() -> Result<std::unique_ptr<PipelineItem>> {
                                   return Fail(ErrorCode::kInput, "no such file");
                                 },
                                 .recycle = [](std::unique_ptr<PipelineItem>) {}};
  const auto result =
      RunOrderedPipeline(2, source, {Parallel([](Number&) -> Result<void> { return {}; })}, {});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kInput);
}

TEST(OrderedPipeline, StopsWhenAskedTo) {
  Numbers numbers(1'000'000);
  std::stop_source stop;
  const auto result =
      RunOrderedPipeline(2, numbers.Source(), {InOrder([&](Number& number) -> Result<void> {
                           if (number.value == 50) {
                             stop.request_stop();
                           }
                           return {};
                         })},
                         stop.get_token());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kUnfinished);
  EXPECT_LT(numbers.given(), 1'000);
  EXPECT_EQ(numbers.given(), numbers.recycled());
}

}  // namespace
}  // namespace sluice
