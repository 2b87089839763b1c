// Outage: whether the service can be reached at all, judged by the calls of a run. When call after
// call fails in the network or with overload, the others are held back and one at a time finds out
// whether it is over, with growing pauses up to a minute: a run of a hundred jobs asks no more then
// than a run of one. Nothing is given up meanwhile. One thread at a time.
#pragma once

#include <algorithm>
#include <chrono>

#include "io/base/clock.h"
#include "io/base/error.h"

namespace sluice {

class Outage {
 public:
  void OnSuccess() { failures_ = 0; }
  void OnFailure(ErrorCode code, MonotonicTime now) {
    if (!IsTransient(code)) {
      return;
    }
    ++failures_;
    pause_ = failures_ <= kFailuresMin ? kFirstPause : std::min(pause_ * 2, kPauseMax);
    quiet_until_ = now + pause_;
  }
  [[nodiscard]] bool is_on() const { return failures_ >= kFailuresMin; }
  // Not before, while it is on; and then one call alone.
  [[nodiscard]] MonotonicTime quiet_until() const { return quiet_until_; }

 private:
  static constexpr int kFailuresMin = 5;  // in a row
  static constexpr std::chrono::milliseconds kFirstPause{1'000};
  static constexpr std::chrono::milliseconds kPauseMax{60'000};

  int failures_ = 0;
  std::chrono::milliseconds pause_{kFirstPause};
  MonotonicTime quiet_until_{};
};

}  // namespace sluice
