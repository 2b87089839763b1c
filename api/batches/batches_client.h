// Batches: the batch jobs of the Gemini Developer API, call by call. Thread-safe.
//
// All calls but Create() are repeated by themselves as api/http/retry.h says, and end with
// kUnfinished soon after `stop` is requested. Errors of all: kAuth, kUnavailable, kNotSent,
// kTransport, kBadAnswer, kRefused, kUsage for a name that cannot be one.
// Source: ai.google.dev/api/batch-api (v1beta) and recorded answers of 2025-2026.
#pragma once

#include <stop_token>
#include <string>

#include "api/batches/batch_job.h"
#include "api/batches/create_job.h"
#include "api/http/google_service.h"
#include "io/base/error.h"

namespace sluice {

struct ListJobsOptions {
  // Always sent: without one the service was seen to answer an empty list (googleapis/python-genai
  // issue 1250). 100 works in public clients; the maximum is not documented.
  int page_size = 100;
  std::string page_token = {};
};

class Batches {
 public:
  // `service` must outlive this object.
  explicit Batches(const GoogleService& service) : service_(service) {}

  // Creates a generation or embedding job. Sent once, on a fresh connection, because two equal
  // calls make two jobs. kCreated only for a 2xx with a well-formed name and, if any, our display
  // name; kRefused for 400, 401, 403 and 404 with an error object of the service, and for what was
  // refused before sending; kNotSent when the host could not be found or reached; kUnknown for all
  // else.
  [[nodiscard]] CreateAnswer Create(const CreateJobRequest& request, std::stop_token stop) const;

  // Also kNotFound. An answer that names another job is kBadAnswer.
  [[nodiscard]] Result<BatchJob> Get(const std::string& name, std::stop_token stop) const;

  // One page, newest first as far as was seen. A page may be empty and still not be the last.
  [[nodiscard]] Result<JobPage> List(const ListJobsOptions& options, std::stop_token stop) const;

  // Asks for a stop; what becomes of the job must be polled. A job that ended already is a success.
  [[nodiscard]] Result<void> Cancel(const std::string& name, std::stop_token stop) const;

  // Forgets the job. Whether that stops a running one is told both ways: cancel first.
  [[nodiscard]] Result<void> Delete(const std::string& name, std::stop_token stop) const;

 private:
  const GoogleService& service_;
};

}  // namespace sluice
