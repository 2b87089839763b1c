// ManualClock: time that passes only when somebody sleeps, and then at once. Keeps what was slept.
// Thread-safe.
#pragma once

#include <chrono>
#include <mutex>
#include <stop_token>
#include <vector>

#include "io/base/clock.h"

namespace sluice {

class ManualClock final : public Clock {
 public:
  MonotonicTime Now() const override {
    const std::scoped_lock lock(mutex_);
    return now_;
  }
  WallTime WallNow() const override {
    const std::scoped_lock lock(mutex_);
    return WallTime(std::chrono::seconds(1'795'000'000) + now_.time_since_epoch());
  }
  bool SleepUntil(MonotonicTime deadline, std::stop_token stop) override {
    const std::scoped_lock lock(mutex_);
    sleeps_.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now_));
    now_ = std::max(now_, deadline);
    return !stop.stop_requested();
  }
  [[nodiscard]] std::vector<std::chrono::milliseconds> sleeps() const {
    const std::scoped_lock lock(mutex_);
    return sleeps_;
  }

 private:
  mutable std::mutex mutex_;
  MonotonicTime now_{};
  std::vector<std::chrono::milliseconds> sleeps_;
};

}  // namespace sluice
