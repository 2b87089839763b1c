// WorkLoop: work that waits for the network or the disk, and what it found out, for one planning
// thread. An interface because a simulation works on simulated time and on one thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <utility>
#include <vector>

#include "engine/task_pool.h"
#include "io/base/clock.h"

namespace sluice {

class WorkLoop {
 public:
  using Event = std::function<void()>;

  virtual ~WorkLoop() = default;
  // Calls `work` some time, on whichever thread. It reports by Post().
  virtual void Start(std::function<void()> work) = 0;
  // Thread-safe. The event is for the planning thread.
  virtual void Post(Event event) = 0;
  // Waits for an event, for `deadline` or for a stop; gives the events so far, in order.
  [[nodiscard]] virtual std::vector<Event> Wait(MonotonicTime deadline, std::stop_token stop) = 0;
};

// With threads. The destructor waits for the work under way and drops what has not begun.
class ThreadedLoop final : public WorkLoop {
 public:
  explicit ThreadedLoop(size_t thread_count) : workers_(thread_count) {}

  void Start(std::function<void()> work) override { workers_.Add(std::move(work)); }

  void Post(Event event) override {
    const std::scoped_lock lock(mutex_);
    events_.push_back(std::move(event));
    wakeup_.notify_one();
  }

  std::vector<Event> Wait(MonotonicTime deadline, std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    wakeup_.wait_until(lock, stop, deadline, [this] { return !events_.empty(); });
    return std::exchange(events_, {});
  }

 private:
  std::mutex mutex_;  // guards the events
  std::condition_variable_any wakeup_;
  std::vector<Event> events_;
  TaskPool workers_;  // last: its threads use all above
};

}  // namespace sluice
