// Progress: what a run has done so far, for people and for --json, and what it waits for. Thread-
// safe; counters only grow but for the job gauges.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace sluice {

struct Progress {
  std::atomic<uint64_t> corpus_bytes_total{0};  // on disk; 0 when not known (standard input)
  std::atomic<uint64_t> corpus_bytes_read{0};
  std::atomic<uint64_t> documents_packed{0};
  std::atomic<uint64_t> documents_rejected{0};
  std::atomic<uint64_t> request_bytes{0};     // plain bytes of the request lines
  std::atomic<uint64_t> compressed_bytes{0};  // of the shards on disk
  std::atomic<bool> packing_done{false};

  std::atomic<uint64_t> shards_sealed{0};
  std::atomic<uint64_t> shards_staged{0};
  std::atomic<uint64_t> bytes_uploaded{0};

  std::atomic<int64_t> jobs_queued{0};  // created, not yet running
  std::atomic<int64_t> jobs_running{0};
  std::atomic<int64_t> jobs_ended{0};
  std::atomic<int64_t> jobs_failed{0};

  std::atomic<uint64_t> bytes_fetched{0};
  std::atomic<uint64_t> rows_merged{0};  // rows with a value
  std::atomic<uint64_t> rows_failed{0};

  // Why something has to be tried again; empty while nothing has.
  [[nodiscard]] std::string note() const {
    const std::scoped_lock lock(note_mutex_);
    return note_;
  }
  void SetNote(std::string note) {
    const std::scoped_lock lock(note_mutex_);
    note_ = std::move(note);
  }

 private:
  mutable std::mutex note_mutex_;
  std::string note_;
};

}  // namespace sluice
