// OutageBrake: how many requests a service gets while it answers none. Back-off alone bounds one
// call; many calls at once, each with its own, still make a crowd at a host that is down.
//
// An outage begins with a request that fails (not sent, broken, 408, 429, 5xx) and ends with the
// first that is answered otherwise. While it lasts, at most kRequestsMax requests a minute begin,
// and at most one a minute when it has lasted for kLongOutage. Thread-safe.
#pragma once

#include <chrono>
#include <deque>
#include <mutex>
#include <optional>

#include "api/http/transport.h"
#include "io/base/clock.h"
#include "io/base/error.h"

namespace sluice {

class OutageBrake {
 public:
  static constexpr size_t kRequestsMax = 30;
  static constexpr std::chrono::minutes kWindow{1};
  static constexpr std::chrono::minutes kLongOutage{5};

  // `clock` must outlive the object.
  explicit OutageBrake(Clock& clock) : clock_(clock) {}

  // Waits until `request` may begin. The wait counts against the request's own time limit: errors
  // kNotSent when it would exceed it; kUnfinished when stopped.
  [[nodiscard]] Result<void> Await(const HttpRequest& request);
  // How the request ended.
  void Note(const Result<HttpResponse>& answer);

 private:
  // Takes a place, or tells when the next one is free.
  std::optional<MonotonicTime> TakePlace();

  Clock& clock_;
  std::mutex mutex_;
  std::optional<MonotonicTime> since_;  // of the outage
  std::deque<MonotonicTime> begun_;     // requests of the last minute of an outage, oldest first
};

}  // namespace sluice
