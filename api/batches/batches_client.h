// Batches: the batch jobs of the Gemini Developer API or of Vertex AI, call by call. Thread-safe.
//
// All calls but Create() are repeated by themselves as api/http/retry.h says, and end with
// kUnfinished soon after `stop` is requested. Each exchange has the deadline of
// GoogleServiceOptions::request_timeout. Errors of all: kAuth, kUnavailable, kNotSent,
// kTransport, kBadAnswer, kRefused, kUsage for a name that cannot be one. A name is "batches/x" or
// just "x"; at Vertex AI "projects/p/locations/l/batchPredictionJobs/x", as the service gives it,
// "batchPredictionJobs/x" or just "x".
// Source: ai.google.dev/api/batch-api (v1beta) and recorded answers of 2025-2026; for Vertex AI the
// REST reference of projects.locations.batchPredictionJobs (v1, 2026-08).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "api/batches/batch_api.h"
#include "api/batches/batch_job.h"
#include "api/batches/create_job.h"
#include "api/batches/job_response.h"
#include "api/http/google_service.h"
#include "api/http/paged_list.h"
#include "io/base/error.h"

namespace sluice {

struct ListJobsOptions {
  // Always sent: without one the service was seen to answer an empty list (googleapis/python-genai
  // issue 1250). 100 works in public clients; the maximum is not documented.
  int page_size = 100;
  std::string page_token = {};
  // Sent only when not empty. Vertex AI knows display_name, state, create_time and labels with
  // = != < > : and AND, OR, NOT. At the Gemini Developer API the reference knows it, its grammar is
  // not documented, and the SDKs refuse it (2026-11): expect it to be ignored there.
  std::string filter = {};
};

struct WaitOptions {
  std::chrono::milliseconds poll_interval{30'000};  // Google's samples (batch-api guide, 2026-09)
  std::chrono::milliseconds timeout{3'600'000};     // of the whole wait
  // Called in the waiting thread with every answer, the one that ends the wait too.
  std::function<void(const BatchJob& job)> progress = {};
};

class Batches {
 public:
  // A job with inline results carries them twice, and 20 MB of requests can have far larger
  // answers.
  static constexpr uint64_t kInlineJobBytesMax = uint64_t{256} << 20;

  // The Gemini Developer API. `service` must outlive this object. `job_bytes_max` bounds the answer
  // that is one job: less will do for whoever expects no inline results.
  explicit Batches(const GoogleService& service, uint64_t job_bytes_max = kInlineJobBytesMax);
  // The API that `api` spells, at `service`.
  Batches(const GoogleService& service, std::shared_ptr<const BatchApi> api,
          uint64_t job_bytes_max = kInlineJobBytesMax)
      : service_(service), api_(std::move(api)), job_bytes_max_(job_bytes_max) {}

  // Whether Create() would send the request: kUsage for what it refuses by itself.
  [[nodiscard]] Result<void> Check(const CreateJobRequest& request) const;

  // Creates a generation or embedding job. Sent once, on a fresh connection, because two equal
  // calls make two jobs. kCreated only for a 2xx with a well-formed name and, if any, our display
  // name; kRefused for 400, 401, 403 and 404 with an error object of the service, and for what was
  // refused before sending; kNotSent when the host could not be found or reached; kUnknown for all
  // else.
  [[nodiscard]] CreateAnswer Create(const CreateJobRequest& request,
                                    std::stop_token stop = {}) const;

  // Create() of an embedding job, whatever `request.task` says.
  [[nodiscard]] CreateAnswer CreateEmbeddings(CreateJobRequest request,
                                              std::stop_token stop = {}) const;

  // Also kNotFound. An answer that names another job is kBadAnswer.
  [[nodiscard]] Result<BatchJob> Get(const std::string& name, std::stop_token stop = {}) const;

  // One page, newest first as far as was seen. A page may be empty and still not be the last.
  [[nodiscard]] Result<JobPage> List(const ListJobsOptions& options = {},
                                     std::stop_token stop = {}) const;

  // All jobs from the page that `options` names on, fetched as they are taken. The list must not
  // outlive the GoogleService.
  [[nodiscard]] PagedList<BatchJob> ListAll(const ListJobsOptions& options = {},
                                            std::stop_token stop = {}) const;

  // Polls until the job has ended, in whatever way, and returns it. A poll that fails in a way that
  // may pass is tried again, sooner than the interval, for as long as the timeout allows. Errors:
  // kNotFound, kAuth and others that do not pass, at once; kUnfinished when the timeout is over or
  // `stop` is requested (noticed within a second).
  [[nodiscard]] Result<BatchJob> Wait(const std::string& name, const WaitOptions& options = {},
                                      const std::stop_token& stop = {}) const;

  // Asks for a stop; what becomes of the job must be polled. A job that ended already is a success.
  [[nodiscard]] Result<void> Cancel(const std::string& name, std::stop_token stop = {}) const;

  // Forgets the job. Whether that stops a running one is told both ways: cancel first.
  [[nodiscard]] Result<void> Delete(const std::string& name, std::stop_token stop = {}) const;

  // Gives the answers of an ended job to `writer` as JSON lines; on a broken transfer goes on where
  // it was, or calls `restart` before it begins from zero. Returns the byte count. Errors:
  // kNotFound when it has none (expired, failed); those of `writer`.
  [[nodiscard]] Result<uint64_t> FetchAnswers(const BatchJob& job, uint64_t bytes_max,
                                              const BodyWriter& writer,
                                              const std::function<Result<void>()>& restart,
                                              std::stop_token stop = {}) const;

  // Gives every response of an ended job to `take`, inline and file results alike, in the order of
  // the service, which is not that of the requests: go by the key. Files are streamed: memory holds
  // one response. A transfer that breaks goes on by range, and no response is given twice. Returns
  // how many there were. Errors: kConflict for a job that has not ended; kNotFound when it has no
  // results (expired, failed); kBadAnswer also for a result that ends in the middle of a line;
  // those of `take`.
  [[nodiscard]] Result<uint64_t> ForEachResponse(
      const BatchJob& job, const std::function<Result<void>(const JobResponse& response)>& take,
      std::stop_token stop = {}) const;

  // The same as a list, for results that fit into memory.
  [[nodiscard]] Result<std::vector<JobResponse>> GetResponses(const BatchJob& job,
                                                              std::stop_token stop = {}) const;

 private:
  Result<BatchJob> GetWith(Repeat repeat, const std::string& name,
                           std::chrono::milliseconds timeout, std::stop_token stop) const;

  const GoogleService& service_;
  const std::shared_ptr<const BatchApi> api_;
  const uint64_t job_bytes_max_;
};

}  // namespace sluice
