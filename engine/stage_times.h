// StageTimes: where the time of a run goes. For each stage the sum of what threads spent in it,
// which may be more than the wall clock; for each step, which is made of stages, the wall time
// during which at least one thread was at it. Steps overlap. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

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
  kSeal,
  kClose
};
inline constexpr std::array<std::string_view, 11> kStageNames = {
    "read",  "prepare", "compress", "append", "stage", "create",
    "fetch", "decode",  "place",    "seal",   "close"};

enum class Step { kPack, kSend, kMerge, kClose };
inline constexpr std::array<std::string_view, 4> kStepNames = {"pack", "send", "merge", "close"};

class StageTimes {
 public:
  void Add(Stage stage, std::chrono::nanoseconds spent) {
    nanoseconds_[static_cast<size_t>(stage)].fetch_add(static_cast<uint64_t>(spent.count()),
                                                       std::memory_order_relaxed);
  }
  [[nodiscard]] double seconds(Stage stage) const {
    return static_cast<double>(nanoseconds_[static_cast<size_t>(stage)].load()) * 1e-9;
  }

  void Enter(Step step);
  void Leave(Step step);
  [[nodiscard]] double seconds(Step step) const;  // finished ones

 private:
  struct Presence {
    int threads = 0;
    std::chrono::steady_clock::time_point since;  // of the first of them
    std::chrono::nanoseconds spent{0};
  };

  std::array<std::atomic<uint64_t>, kStageNames.size()> nanoseconds_{};
  mutable std::mutex mutex_;  // guards all below
  std::array<Presence, kStepNames.size()> presences_;
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

// The thread is at a step as long as this lives.
class StepTimer {
 public:
  StepTimer(StageTimes& times, Step step) : times_(times), step_(step) { times_.Enter(step_); }
  ~StepTimer() { times_.Leave(step_); }
  StepTimer(const StepTimer&) = delete;
  StepTimer& operator=(const StepTimer&) = delete;

 private:
  StageTimes& times_;
  Step step_;
};

// What a step took, and the stage of it that took longest: of a stage that works in `threads`
// threads at once, each has its part. Steps in which nothing was done are left
// out.
struct StepTime {
  std::string name;
  double seconds = 0;
  std::string bound;
};
[[nodiscard]] std::vector<StepTime> StepTimesOf(const StageTimes& times, size_t threads);

// The stage that bounds a run of `wall_seconds`: that of its longest step; "service" when no step
// took half of the time, because then the run waited; empty when nothing ran.
[[nodiscard]] std::string BoundOf(const std::vector<StepTime>& steps, double wall_seconds);

}  // namespace sluice
