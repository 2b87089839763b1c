// Counters: what the service was asked and did since it was started. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace sluice {

struct EmulatorCounters {
  std::map<std::string, uint64_t> requests;  // by route
  uint64_t jobs_created = 0;
  uint64_t jobs_ended = 0;
  uint64_t bytes_received = 0;  // of request bodies
  uint64_t bytes_sent = 0;
};

class Counters {
 public:
  void CountRequest(const std::string& route) {
    const std::scoped_lock lock(mutex_);
    ++counters_.requests[route];
  }
  void CountBytes(uint64_t received, uint64_t sent) {
    const std::scoped_lock lock(mutex_);
    counters_.bytes_received += received;
    counters_.bytes_sent += sent;
  }
  void CountJobCreated() {
    const std::scoped_lock lock(mutex_);
    ++counters_.jobs_created;
  }
  void CountJobEnded() {
    const std::scoped_lock lock(mutex_);
    ++counters_.jobs_ended;
  }
  [[nodiscard]] EmulatorCounters Read() const {
    const std::scoped_lock lock(mutex_);
    return counters_;
  }

 private:
  mutable std::mutex mutex_;
  EmulatorCounters counters_;
};

}  // namespace sluice
