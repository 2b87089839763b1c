// Jobs: the service's batch jobs, their states and their times. Each job is one document in a
// folder, replaced at every change of state before anybody is told of it, so that a kill -9 loses
// nothing: a job that was running is run again. Thread-safe.
//
//   <id>.json      the document          <id>.input.jsonl   inlined requests, one a line
//   <id>.results   finished answers of inlined requests
//
// A job waits in PENDING for a time drawn from the latency range, runs, and ends. One that is older
// than its lifetime and has not ended is EXPIRED.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "io/base/clock.h"
#include "io/file/file_system.h"
#include "tools/emulator/models.h"

namespace sluice {

enum class EmulatedState {
  kPending,
  kRunning,
  kSucceeded,
  kFailed,
  kCancelled,
  kExpired,
  kPartiallySucceeded
};

// What becomes of a job when its waiting is over; anything but kRun is a fault.
enum class JobFate { kRun, kStuck, kExpire, kFail };

// What a batch prediction job of Vertex AI has beside the rest.
struct CloudJob {
  std::string location;
  std::string model_path;   // as it was asked for
  std::string source;       // "gs://..." or "bq://..."
  std::string destination;  // likewise, as it was asked for
  std::string result;       // the folder or the table that was made for it; empty: not yet
  std::map<std::string, std::string> labels;
};

struct Job {
  std::string id;  // without what names its kind
  std::string model;
  ModelUse use = ModelUse::kEmbed;
  std::string display_name;
  std::string input_file;  // id of an uploaded file; empty for inlined requests
  int64_t priority = 0;
  int64_t create_ns = 0;  // of Unix time, different for every job
  int64_t update_ns = 0;
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  CloudJob cloud = {};
  EmulatedState state = EmulatedState::kPending;
  JobFate fate = JobFate::kRun;
  uint64_t request_count = 0;
  uint64_t input_tokens = 0;  // estimated from the bytes of its input
  uint64_t success_count = 0;
  uint64_t failure_count = 0;
  bool cancel_asked = false;
  bool has_results = false;
  int error_code = 0;  // of google.rpc
  std::string error_message;

  [[nodiscard]] bool inlined() const { return input_file.empty(); }
  [[nodiscard]] bool ended() const { return state > EmulatedState::kRunning; }
  // The id of its result file.
  [[nodiscard]] std::string results_id() const { return "batch-" + id; }
};

// What a runner hears when it tells how far it is.
enum class JobOrder {
  kGoOn,
  kServeNoMore,  // cancelled: what is left is unserved
  kGiveUp,       // deleted, or expired
};

struct JobTiming {
  std::chrono::milliseconds latency_min{0};
  std::chrono::milliseconds latency_max{0};
  uint64_t seed = 1;
  // https://ai.google.dev/gemini-api/docs/batch-api, 2026-09: a job that is pending or running for
  // longer expires.
  std::chrono::hours lifetime{48};
};

struct EmulatedJobPage {
  std::vector<Job> jobs;  // newest first
  bool more = false;
};

class Jobs {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Jobs>> Open(FileSystem& files, std::string folder,
                                                          Clock& clock, JobTiming timing);
  Jobs(FileSystem& files, std::string folder, Clock& clock, JobTiming timing);

  // Fills in times and, unless it is set, the id, keeps the job, and returns it. `inlined_input` is
  // kept first, so a job is never known without its requests.
  [[nodiscard]] Result<Job> Create(Job job, std::string_view inlined_input);
  [[nodiscard]] std::optional<Job> Find(const std::string& id);
  // Jobs created before `before_ns` and not after `listed_until_ns`, of those that are wanted.
  [[nodiscard]] EmulatedJobPage List(int64_t before_ns, int64_t listed_until_ns, size_t count,
                                     const std::function<bool(const Job&)>& wanted = {});
  [[nodiscard]] size_t ActiveCount();
  // Of all active jobs of the model.
  [[nodiscard]] uint64_t ActiveTokens(const std::string& model);
  // A pending job ends; a running one is told to serve no more. False when unknown. `as_success`: a
  // pending job runs at once and ends SUCCEEDED with unserved items.
  [[nodiscard]] Result<bool> Cancel(const std::string& id, bool as_success);
  // The job as it was; its own files are removed, a result file stays.
  [[nodiscard]] Result<std::optional<Job>> Remove(const std::string& id);
  [[nodiscard]] Result<std::optional<Job>> Rename(const std::string& id,
                                                  std::optional<std::string> display_name,
                                                  std::optional<int64_t> priority);

  // For runners. Waits until a job is due and marks it RUNNING; nothing when stopped.
  [[nodiscard]] std::optional<Job> TakeDue(std::stop_token stop);
  [[nodiscard]] JobOrder NoteProgress(const std::string& id, uint64_t success_count,
                                      uint64_t failure_count);
  // Keeps the outcome (state, error, counts, has_results) of a job that is still there.
  [[nodiscard]] Result<void> End(const Job& outcome);

  [[nodiscard]] std::string InputPath(const std::string& id) const;
  [[nodiscard]] std::string ResultsPath(const std::string& id) const;

 private:
  struct Entry {
    Job job;
    MonotonicTime due;
  };

  [[nodiscard]] Result<void> Load();
  [[nodiscard]] Result<void> Save(const Job& job);
  void ExpireOld();
  [[nodiscard]] MonotonicTime DueTime(const Job& job);
  [[nodiscard]] Entry* FindDue(MonotonicTime now, std::optional<MonotonicTime>& next_due);
  [[nodiscard]] std::string PathOf(const std::string& id, std::string_view suffix) const;

  FileSystem& files_;
  const std::string folder_;
  Clock& clock_;
  const JobTiming timing_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  int64_t last_create_ns_ = 0;
  // Asked to stop whenever a job comes in, so that a runner that sleeps looks again.
  std::stop_source changed_;
};

[[nodiscard]] std::string_view EmulatedStateName(EmulatedState state);  // "PENDING"

}  // namespace sluice
