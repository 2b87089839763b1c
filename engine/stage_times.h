// StageTimes: where the time of a run goes. Sums of seconds that threads spent in each stage, so a
// stage may sum to more than the wall clock. Thread-safe; entries are made up front.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace sluice {

enum class Stage {
  kRead,
  kPrepare,
  kCompress,
  kAppend,
  kStage,
  kCreate,
  kFetch,
  kDecode,
  kPlace,
  kClose
};
inline constexpr std::array<std::string_view, 10> kStageNames = {
    "read",   "prepare", "compress", "append", "stage",
    "create", "fetch",   "decode",   "place",  "close"};

class StageTimes {
 public:
  void Add(Stage stage, std::chrono::nanoseconds spent) {
    nanoseconds_[static_cast<size_t>(stage)].fetch_add(static_cast<uint64_t>(spent.count()),
                                                       std::memory_order_relaxed);
  }
  [[nodiscard]] double seconds(Stage stage) const {
    return static_cast<double>(nanoseconds_[static_cast<size_t>(stage)].load()) * 1e-9;
  }

 private:
  std::array<std::atomic<uint64_t>, kStageNames.size()> nanoseconds_{};
};

// Adds the time of its own life to a stage.
class StageTimer {
 public:
  StageTimer(StageTimes& times, Stage stage)
      : times_(times), stage_(stage), begin_(std::chrono::steady_clock::now()) {}
  ~StageTimer() { times_.Add(stage_, std::chrono::steady_clock::now() - begin_); }
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;

 private:
  StageTimes& times_;
  Stage stage_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace sluice
