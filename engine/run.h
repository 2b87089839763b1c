// Run: the three steps pack, track and merge together, overlapped: a shard is uploaded as soon as
// it is sealed and decoded as soon as its job ends. Starting the same run again goes on where it
// was.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "api/protocol/line_protocol.h"
#include "api/provider/provider.h"
#include "engine/failure_classes.h"
#include "engine/job_plan.h"
#include "engine/ledger.h"
#include "engine/on_error.h"
#include "engine/pack.h"
#include "engine/progress.h"
#include "engine/stage_times.h"
#include "io/base/clock.h"
#include "io/base/error.h"
#include "io/corpus/corpus.h"
#include "io/file/file_system.h"
#include "io/sink/sink.h"

namespace sluice {

// Where a run at Vertex AI lives: as ProviderOptions has it. Empty for other providers.
struct RunCloud {
  std::string project = {};
  std::string location = {};
  std::string bucket = {};
  std::string bigquery_dataset = {};
};

struct RunOptions {
  CorpusOptions corpus;
  std::string id_field;  // empty: "id" when the record has one, else file:line
  RequestOptions request;
  std::string provider_name = "gemini";
  // As the user named it and where it is, for the report: "local", "gemini".
  std::string backend = "gemini";
  std::string base_url;
  RunCloud cloud;
  // Overrides the provider's account fingerprint: the local service has no account and another port
  // at every start.
  std::string account;
  // What stands behind the provider, for the report: "Gemini Developer API", "local service: ...".
  std::string provider_note;

  std::string output;
  // The object (gs://bucket/name) that the caller copies the whole output to; empty: none. The
  // engine keeps it, for those who go on with nothing but the run folder.
  std::string published_output = {};
  OnError on_error = OnError::kNan;
  bool normalize = false;  // vectors to unit length

  ShardLimits limits;
  std::optional<int> zstd_level = 3;  // nothing: shards are not compressed
  size_t threads = 2;

  int uploads = 2;
  int jobs_in_flight = 20;
  int attempts_max = 3;  // jobs for one shard, when jobs or rows of them fail
  FailureClasses retry_classes = FailureClasses::Retryable();  // of rows that are asked again
  std::optional<std::chrono::milliseconds> poll_first, poll_max, settle;  // else the provider's
  SpendCap cap;
  OnUnknown on_unknown = OnUnknown::kAdopt;
  std::optional<std::chrono::milliseconds> deadline;  // from the start of this process
  bool keep_remote = false;                           // leave uploaded files at the service
  bool keep_answers = false;        // leave a copy of the raw answers in the run directory
  bool delete_remote_jobs = false;  // delete jobs too once their rows are safe

  std::string run_folder;  // "<output>.sluice" by habit
};

struct RunEnvironment {
  FileSystem& files;
  Clock& clock;
  Provider& provider;
  Progress& progress;
  std::stop_token stop;
};

// What came of the run; the same numbers stand in report.json (docs/formats.md).
struct RunSummary {
  uint64_t lines_blank = 0;
  uint64_t rejected = 0;
  uint64_t documents = 0;  // accepted: ok + failed
  uint64_t ok = 0;
  uint64_t failed = 0;
  std::map<std::string, uint64_t> failed_by_class;
  uint64_t duplicates = 0, conflicts = 0, strangers = 0;  // among answer lines
  uint64_t jobs_created = 0, jobs_failed = 0;
  std::vector<std::string> surplus_jobs;  // that nobody asked for, found by an audit
  // Why the audit at the end could not be made, so that nobody knows of more such jobs; or empty.
  std::string audit_failure;
  bool cancelled = false;  // by `sluice cancel`: nothing more was asked for
  uint64_t shards = 0;
  uint64_t answer_bytes = 0;
  uint64_t values = 0, general_values = 0, shortened = 0, truncated = 0;  // as in MergeOutcome
  std::optional<uint64_t> first_conflict;
  uint64_t estimated_tokens = 0;
  int dimension = 0;
  std::optional<int64_t> prompt_tokens, output_tokens;
  std::vector<OutputFile> outputs;
  std::string run_folder, rejects_path, failures_path, report_path;
  double seconds = 0;
  std::vector<StepTime> steps;  // where the time went
  std::string bound;            // the stage that took longest, or "service"
  bool resumed = false;
  // 0, 3 (rows failed or were refused) or 6 (a job was given up, with all of its rows).
  int exit_code = 0;
};

// Errors: kLocked, kUsage (settings changed since the run began), kInput, kIo, kAuth, kUnfinished
// (stopped; state saved) and what the provider says.
[[nodiscard]] Result<RunSummary> Run(const RunOptions& options, RunEnvironment& environment);

}  // namespace sluice
