// ShiftedClock: another clock whose wall time can be moved forward, so that files and jobs expire
// while somebody watches. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>

#include "io/base/clock.h"

namespace sluice {

class ShiftedClock final : public Clock {
 public:
  // `base` must outlive this object.
  explicit ShiftedClock(Clock& base) : base_(base) {}

  [[nodiscard]] MonotonicTime Now() const override { return base_.Now(); }
  [[nodiscard]] WallTime WallNow() const override {
    return base_.WallNow() + std::chrono::seconds(shift_s_.load());
  }
  bool SleepUntil(MonotonicTime deadline, std::stop_token stop) override {
    return base_.SleepUntil(deadline, std::move(stop));
  }
  void Advance(std::chrono::seconds time) { shift_s_ += time.count(); }

 private:
  Clock& base_;
  std::atomic<int64_t> shift_s_ = 0;
};

}  // namespace sluice
