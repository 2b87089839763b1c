// Deadline: a stop that comes by itself after a time, or with the stop that it stands behind.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "io/base/clock.h"
#include "io/base/error.h"

namespace sluice {

class Deadline {
 public:
  // Without `after` only the outer stop counts. `clock` must outlive the object.
  Deadline(Clock& clock, std::optional<std::chrono::milliseconds> after,
           const std::stop_token& outer)
      : forward_(outer, [this] { stop_.request_stop(); }) {
    if (after.has_value()) {
      const MonotonicTime end = clock.Now() + *after;
      thread_ = std::jthread([this, &clock, end](const std::stop_token& done) {
        if (clock.SleepUntil(end, done)) {
          has_come_ = true;
          stop_.request_stop();
        }
      });
    }
  }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  [[nodiscard]] std::stop_token stop_token() const { return stop_.get_token(); }
  // `result`, which says why when the deadline ended the work, and what is `open` still.
  [[nodiscard]] Result<void> Explain(const Result<void>& result, const std::string& open) const;

 private:
  std::stop_source stop_;
  std::atomic<bool> has_come_ = false;
  std::stop_callback<std::function<void()>> forward_;
  std::jthread thread_;  // last: it uses all above
};

}  // namespace sluice
