// Signals: turns SIGINT, SIGTERM and SIGHUP into a stop request, and SIGUSR1 into a call.
//
// The first of them asks everything to stop in good order; the second leaves at once with
// 128 + its number. Made in main() before any other thread, because the threads made later
// inherit that the signals are blocked; a signal that was ignored from outside (nohup) stays
// ignored.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace sluice {

class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  [[nodiscard]] std::stop_token stop_token() const { return stop_.get_token(); }
  // The signal that asked to stop, 0 when none did.
  [[nodiscard]] int received() const { return received_.load(); }

  // Called on the signal thread; replaces what was set before. An empty function clears it, and
  // then the old one is not running any more.
  void OnStop(std::function<void()> call);
  void OnInfo(std::function<void()> call);  // SIGUSR1

 private:
  void Watch();
  void Handle(int signal);

  int signal_descriptor_ = -1;
  int wake_descriptor_ = -1;
  std::stop_source stop_;
  std::atomic<int> received_{0};
  std::mutex mutex_;
  std::function<void()> on_stop_, on_info_;
  std::jthread thread_;
};

}  // namespace sluice
