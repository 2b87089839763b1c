// Clock: where time comes from. Waits use the monotonic clock; wall time is only for display and
// for expiry hints. Tests pass a clock that they move by hand. Thread-safe.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

namespace sluice {

using MonotonicTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual MonotonicTime Now() const = 0;
  [[nodiscard]] virtual WallTime WallNow() const = 0;
  // Sleeps until `deadline` or until a stop is requested; false when stopped.
  virtual bool SleepUntil(MonotonicTime deadline, std::stop_token stop) = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] MonotonicTime Now() const override;
  [[nodiscard]] WallTime WallNow() const override;
  bool SleepUntil(MonotonicTime deadline, std::stop_token stop) override;
};

// RFC 3339 in UTC with whole seconds: 2026-11-22T13:00:02Z.
[[nodiscard]] std::string FormatTime(WallTime time);

}  // namespace sluice
