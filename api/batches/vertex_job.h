// VertexJob: the wire form of a batch prediction job and of a page of them, read leniently, and of
// the body that asks for one. Immutable functions, thread-safe.
//
// Source: google/cloud/aiplatform/v1/batch_prediction_job.proto and io.proto (2026-08), answers in
// the documentation. Counters are strings with zeros left out; unknown members are passed over.
// Errors of the readers are kBadAnswer without the name of the call; callers add it.
#pragma once

#include <string>
#include <string_view>

#include "api/batches/batch_job.h"
#include "api/batches/create_job.h"
#include "io/base/error.h"

namespace sluice {

// The name must be well formed (IsVertexJobName), and so must be the address of its results.
[[nodiscard]] Result<BatchJob> ParseVertexJob(std::string_view json);
// Strict about names, as ParseOperationPage().
[[nodiscard]] Result<JobPage> ParseVertexJobPage(std::string_view json);

// "publishers/google/models/x" of a bare name; a path is checked and stays. Errors: kUsage.
[[nodiscard]] Result<std::string> VertexModelPath(std::string_view model);

// The body of a create call. Errors: kUsage for what the service refuses, named one by one.
[[nodiscard]] Result<std::string> VertexCreateBody(const CreateJobRequest& request);

}  // namespace sluice
