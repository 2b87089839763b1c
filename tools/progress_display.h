// ProgressDisplay: shows a run's progress on stderr while it works: a block of lines on a
// terminal, about ten times a second, or one plain or JSON line at an interval elsewhere.
//
// A thread of its own draws; what else goes to stderr meanwhile goes through Note(). Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/progress.h"
#include "io/base/clock.h"
#include "tools/terminal.h"

namespace sluice {

// The counters at one moment.
struct ProgressSnapshot {
  uint64_t corpus_bytes_total = 0, corpus_bytes_read = 0;
  uint64_t documents = 0, rejected = 0;
  uint64_t request_bytes = 0, compressed_bytes = 0;
  bool packing_done = false;
  uint64_t shards_sealed = 0, shards_staged = 0, bytes_uploaded = 0;
  int64_t jobs_queued = 0, jobs_running = 0, jobs_ended = 0, jobs_failed = 0;
  uint64_t bytes_fetched = 0, rows_merged = 0, rows_failed = 0;
  std::string note = {};  // why something has to be tried again
  std::chrono::milliseconds elapsed{0};
};
[[nodiscard]] ProgressSnapshot TakeSnapshot(const Progress& progress,
                                            std::chrono::milliseconds elapsed);

// The earliest step that still works: "prepare", "upload", "jobs", "merge" or "done".
[[nodiscard]] std::string_view StageName(const ProgressSnapshot& snapshot);

// How long a step took once it was done; drawing needs it to show a rate that stands still.
struct StepDurations {
  std::chrono::milliseconds prepare{0}, upload{0};
};

enum class StepsShown { kAll, kPrepare };

// The line of each step, without line ends, each at most `width` characters wide.
[[nodiscard]] std::vector<std::string> DrawBlock(const ProgressSnapshot& snapshot,
                                                 const StepDurations& times, size_t width,
                                                 StepsShown steps = StepsShown::kAll);

// "2026-11-22T13:00:32Z progress stage=jobs documents=20122 ...", without a line end.
[[nodiscard]] std::string PlainProgressLine(const ProgressSnapshot& snapshot, WallTime now);
[[nodiscard]] std::string JsonProgressLine(const ProgressSnapshot& snapshot, WallTime now);

enum class ProgressMode { kBar, kPlain, kJson, kNone };

struct ProgressDisplayOptions {
  ProgressMode mode = ProgressMode::kPlain;
  std::chrono::milliseconds interval{30'000};  // of plain and JSON lines
  Terminal terminal;                           // stderr
  StepsShown steps = StepsShown::kAll;
};

class ProgressDisplay {
 public:
  ProgressDisplay(const Progress& progress, Clock& clock, ProgressDisplayOptions options);
  ~ProgressDisplay();  // takes the block off the screen

  // `text` (whole lines) above the block.
  void Note(std::string_view text);
  // One line with the progress at once, in any mode but kNone.
  void PrintNow();

 private:
  void Draw(const std::stop_token& stop);
  void DrawFrame();
  void EraseBlock(std::string& frame);
  [[nodiscard]] ProgressSnapshot Look() const;
  [[nodiscard]] std::string Line() const;

  const Progress& progress_;
  Clock& clock_;
  const ProgressDisplayOptions options_;
  const MonotonicTime start_;
  std::mutex mutex_;  // what is on the screen
  size_t lines_drawn_ = 0;
  StepDurations times_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace sluice
