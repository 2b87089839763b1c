// Provider: a remote batch service as a run needs it: stage a shard, create a job from it, look at
// jobs, fetch the answers. One file in api/provider and one line in its registry per service; a
// conformance suite (tests/api/provider) runs over every entry.
//
// Thread-safe: several threads stage, poll and fetch at once. Every call ends with kUnfinished soon
// after `stop` is requested. Reads and staging repeat by themselves as api/http/retry.h says;
// CreateJob never does.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "api/auth/access_tokens.h"
#include "api/auth/api_key.h"
#include "api/batches/batch_job.h"
#include "api/batches/create_job.h"
#include "api/files/stage_source.h"
#include "api/http/retry.h"
#include "api/http/transport.h"
#include "io/base/clock.h"
#include "io/base/error.h"

namespace sluice {

// Limits and habits of a service, as dated data (source beside the numbers in the provider's file).
struct ProviderTraits {
  std::string name = {};  // "gemini", "vertex"
  uint64_t shard_bytes_max = 0;
  uint64_t shard_rows_max = 0;                // 0: none known
  int jobs_in_flight_max = 0;                 // 0: none known
  std::chrono::milliseconds settle{120'000};  // how long a created job may be missing in a list
  std::chrono::milliseconds poll_first{30'000};
  std::chrono::milliseconds poll_max{300'000};
};

class Provider {
 public:
  virtual ~Provider() = default;
  [[nodiscard]] virtual const ProviderTraits& traits() const = 0;
  // A word that changes with the account the calls are made with, and tells nothing about the key.
  [[nodiscard]] virtual std::string account_fingerprint() const = 0;

  // Uploads `source` under the id `file_id` (a-z, 0-9, dash, at most 40), resuming a broken
  // transfer from where the service says it stands; waits until the file can be used; compares size
  // and checksum with the service's. A file of that id with the same content is adopted. Gives the
  // file's name as the service has it.
  [[nodiscard]] virtual Result<std::string> Stage(const StageSource& source,
                                                  const std::string& file_id,
                                                  const ByteProgress& progress,
                                                  std::stop_token stop) = 0;
  // Sent once, on a fresh connection.
  [[nodiscard]] virtual CreateAnswer CreateJob(const CreateJobRequest& request,
                                               std::stop_token stop) = 0;
  [[nodiscard]] virtual Result<BatchJob> GetJob(const std::string& name, std::stop_token stop) = 0;
  [[nodiscard]] virtual Result<JobPage> ListJobs(const std::string& page_token,
                                                 std::stop_token stop) = 0;
  [[nodiscard]] virtual Result<void> CancelJob(const std::string& name, std::stop_token stop) = 0;
  [[nodiscard]] virtual Result<void> DeleteJob(const std::string& name, std::stop_token stop) = 0;
  // Removing a file that is gone already is a success.
  [[nodiscard]] virtual Result<void> DeleteFile(const std::string& name, std::stop_token stop) = 0;
  // Gives the answers of an ended job (file or inline, as JSON lines) to `writer`; on a broken
  // transfer it goes on by range where the service allows, and calls `restart` before it begins
  // from zero. Returns the byte count.
  [[nodiscard]] virtual Result<uint64_t> FetchAnswers(const BatchJob& job, const BodyWriter& writer,
                                                      const std::function<Result<void>()>& restart,
                                                      std::stop_token stop) = 0;
  // Cuts the key out of a text that came from the service and was decoded: while it was escaped,
  // nobody saw it.
  virtual void CutSecretsOut(std::string& /*text*/) const {}
  // One text, at once (not a batch): for `neighbors`.
  [[nodiscard]] virtual Result<std::vector<float>> EmbedText(const std::string& model,
                                                             const std::string& text, int dimension,
                                                             std::stop_token stop) = 0;
};

struct ProviderOptions {
  // What it will be asked for: limits may depend on the model.
  Task task = Task::kEmbed;
  std::string model = {};
  std::string base_url = {};     // empty: the service's own
  std::string api_version = {};  // empty: the usual one
  std::string api_key = {};      // gemini
  // vertex: where jobs live, and where their input and answers do: "bucket" or "bucket/prefix", or
  // a dataset of BigQuery in the project, or both: then rows are loaded through the bucket.
  std::string project = {}, location = {};
  std::string bucket = {};
  std::string bigquery_dataset = {};
  std::shared_ptr<AccessTokens> tokens = {};  // empty: nobody signs in
  EnvironmentLookup environment = {};         // for the emulators' variables; empty: there are none
  std::chrono::milliseconds request_timeout{120'000};
  std::chrono::milliseconds stall_timeout{60'000};
  uint64_t answer_bytes_max = uint64_t{64} << 30;
  RetryPolicy retry = {};
};

[[nodiscard]] std::vector<std::string> ProviderNames();
// What is known of a service without signing in, for what it will be asked for. Errors: kUsage for
// a name that is not registered.
[[nodiscard]] Result<ProviderTraits> FindProviderTraits(std::string_view name, Task task,
                                                        std::string_view model);

// `name`: one of ProviderNames(). `transport` and `clock` must outlive the provider.
// Errors: kUsage for a name that is not registered and for options that cannot be used.
[[nodiscard]] Result<std::unique_ptr<Provider>> MakeProvider(std::string_view name,
                                                             const ProviderOptions& options,
                                                             Transport& transport, Clock& clock);

}  // namespace sluice
