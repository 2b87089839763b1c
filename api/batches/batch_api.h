// BatchApi: what differs between the batch APIs behind Batches: how a call is spelled, how a job
// is read, and where its answers stand. One implementation for the Gemini Developer API
// (gemini_batch_api.h), one for Vertex AI (vertex_batch_api.h). Immutable, thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "api/batches/batch_job.h"
#include "api/batches/create_job.h"
#include "api/http/transport.h"
#include "io/base/error.h"

namespace sluice {

// A POST: the path behind the version, and a JSON object.
struct CreateCall {
  std::string path = {};
  std::string body = {};
};

class BatchApi {
 public:
  virtual ~BatchApi() = default;

  // The path of the collection of jobs, behind the version: "/batches".
  [[nodiscard]] virtual std::string ListPath() const = 0;
  // A job's name as it stands in addresses. Errors: kUsage for what cannot be one.
  [[nodiscard]] virtual Result<std::string> FullName(const std::string& name) const = 0;
  // Errors: kUsage for what the service would refuse.
  [[nodiscard]] virtual Result<CreateCall> MakeCreateCall(
      const CreateJobRequest& request) const = 0;

  // Errors: kBadAnswer, without the name of the call. A page is strict about names: a listing with
  // an entry that cannot be read is no listing, because what is not found in it may be bought
  // again.
  [[nodiscard]] virtual Result<BatchJob> ParseJob(std::string_view json) const = 0;
  [[nodiscard]] virtual Result<JobPage> ParsePage(std::string_view json) const = 0;

  // Gives the answers of a job that has_results() to `writer`, as JSON lines; on a broken transfer
  // goes on where it was, or calls `restart` before it begins from zero. Returns the byte count.
  [[nodiscard]] virtual Result<uint64_t> FetchAnswers(const BatchJob& job, uint64_t bytes_max,
                                                      const BodyWriter& writer,
                                                      const std::function<Result<void>()>& restart,
                                                      std::stop_token stop) const = 0;
};

}  // namespace sluice
