// BatchJob: a remote job as the service reports it. Immutable data.
//
// Source of states and fields: ai.google.dev/api/batch-api and recorded answers of 2025-2026. The
// wire says BATCH_STATE_X, SDKs JOB_STATE_X: the suffix counts. A state that is not known is kept
// in `raw_state` and counts as not ended, unless the service says `done`: then it counts as failed
// or succeeded, by whether there is an error.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

enum class JobState {
  kUnspecified,
  kQueued,
  kPending,
  kRunning,
  kSucceeded,
  kFailed,
  kCancelling,
  kCancelled,
  kPaused,
  kExpired,
  kPartiallySucceeded,
};

[[nodiscard]] std::string_view JobStateName(JobState state);  // "RUNNING"
// Strips BATCH_STATE_ or JOB_STATE_ and matches the rest.
[[nodiscard]] JobState ParseJobState(std::string_view text);

struct JobStats {
  int64_t total_count = 0;
  int64_t success_count = 0;
  int64_t failure_count = 0;
  int64_t pending_count = 0;
};

// google.rpc.Status; codes 1..16 are rpc codes, 100 and more are HTTP codes.
struct JobError {
  int code = 0;
  std::string message = {};
  std::string details = {};  // a JSON array as sent, may be empty
};

struct BatchJob {
  std::string name = {};  // "batches/...", or "projects/.../batchPredictionJobs/..." as sent
  std::string display_name = {};
  std::string model = {};  // "models/...", "publishers/..." or "projects/...", as sent
  JobState state = JobState::kUnspecified;
  std::string raw_state = {};
  // "files/..." of a file job, empty for inline jobs. At Vertex AI the first object or the table:
  // "gs://bucket/object", "bq://project.dataset.table".
  std::string source_file = {};
  // "files/batch-..." when there is one. At Vertex AI the folder or the table that the service made
  // for this job: "gs://bucket/prefix/prediction-...", "bq://project.dataset.table".
  std::string result_file = {};
  // Vertex AI: where the answers were asked to go: "gs://bucket/prefix", "bq://project...".
  std::string destination = {};
  std::map<std::string, std::string> labels = {};              // Vertex AI
  std::string create_time, start_time, end_time, update_time;  // RFC 3339 as sent, may be empty
  std::optional<JobStats> stats = {};
  std::optional<JobError> error = {};
  bool done = false;  // nothing more comes of it, whatever the state is called
  // The inline responses as raw JSON (an array), when the answer carried them.
  std::string inline_responses = {};

  [[nodiscard]] bool complete() const;  // succeeded, failed, cancelled, expired, partially
  [[nodiscard]] bool succeeded() const { return state == JobState::kSucceeded; }
  [[nodiscard]] bool failed() const { return state == JobState::kFailed; }
  [[nodiscard]] bool running() const;  // queued, pending, running
  [[nodiscard]] bool cancelled() const { return state == JobState::kCancelled; }
  // There is something that answers can be fetched from.
  [[nodiscard]] bool has_results() const {
    return !result_file.empty() || !inline_responses.empty();
  }
  // Per cent of requests answered, 0..100; nothing without stats or when the total is 0.
  [[nodiscard]] std::optional<double> progress() const;
  // The part of the name behind the last slash.
  [[nodiscard]] std::string_view id() const;
};

struct JobPage {
  std::vector<BatchJob> jobs = {};   // without inline responses
  std::string next_page_token = {};  // empty at the end

  [[nodiscard]] bool has_more_pages() const { return !next_page_token.empty(); }
};

}  // namespace sluice
