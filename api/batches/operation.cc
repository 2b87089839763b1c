#include "api/batches/operation.h"

#include <nlohmann/json.hpp>

#include "api/batches/job_fields.h"
#include "api/http/google_service.h"
#include "api/http/json_fields.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

// Where the results stand, wherever the answer carries them; an empty object when nowhere.
const Json& FindOutput(const Json& operation) {
  const auto has_results = [](const Json& output) {
    return FindMember(output, "responsesFile") != nullptr ||
           FindMember(output, "inlinedResponses") != nullptr ||
           FindMember(output, "inlinedEmbedContentResponses") != nullptr;
  };
  const Json& response = ObjectMember(operation, "response");
  const Json& in_metadata = ObjectMember(ObjectMember(operation, "metadata"), "output");
  for (const Json* output : {&in_metadata, &response, &ObjectMember(response, "output")}) {
    if (has_results(*output)) {
      return *output;
    }
  }
  return ObjectMember(operation, "none of the above");
}

std::string InlineResponses(const Json& output) {
  for (const char* name : {"inlinedResponses", "inlinedEmbedContentResponses"}) {
    const Json* list = FindMember(output, name);
    if (list != nullptr && list->is_object()) {
      list =
          FindMember(*list, name);  // The double name is real; a single level was seen in a sample.
    }
    if (list != nullptr && list->is_array()) {
      return list->dump();
    }
  }
  return {};
}

std::optional<JobStats> ReadStats(const Json& metadata) {
  const Json* stats = FindMember(metadata, "batchStats");
  if (stats == nullptr || !stats->is_object()) {
    return std::nullopt;
  }
  const auto count = [&](const char* name) { return IntegerMember(*stats, name).value_or(0); };
  return JobStats{.total_count = count("requestCount"),
                  .success_count = count("successfulRequestCount"),
                  .failure_count = count("failedRequestCount"),
                  .pending_count = count("pendingRequestCount")};
}

void ReadState(const Json& operation, const Json& metadata, BatchJob& job) {
  job.raw_state = TextMember(metadata, "state");
  if (job.raw_state.empty()) {
    job.raw_state = TextMember(operation, "state");
  }
  job.state = ParseJobState(job.raw_state);
  if (job.state == JobState::kUnspecified && job.done) {
    job.state = job.error ? JobState::kFailed : JobState::kSucceeded;
  }
}

Result<BatchJob> ReadOperation(const Json& operation) {
  BatchJob job;
  job.name = TextMember(operation, "name");
  if (!IsResourceName(job.name, "batches")) {
    return Fail(ErrorCode::kBadAnswer, "the answer is not a batch job with a well-formed name");
  }
  const Json& metadata = ObjectMember(operation, "metadata");
  job.display_name = TextMember(metadata, "displayName");
  job.model = TextMember(metadata, "model");
  job.source_file = TextMember(ObjectMember(metadata, "inputConfig"), "fileName");
  ReadJobTimes(metadata, job);
  job.stats = ReadStats(metadata);
  job.error = ReadJobError(operation);
  const Json* done = FindMember(operation, "done");
  job.done = done != nullptr && done->is_boolean() && done->get<bool>();
  ReadState(operation, metadata, job);
  job.result_file = TextMember(FindOutput(operation), "responsesFile");
  return job;
}

}  // namespace

Result<BatchJob> ParseOperation(std::string_view json) {
  const Json operation = ParseJson(json);
  SLUICE_ASSIGN(BatchJob job, ReadOperation(operation));
  if (!job.result_file.empty() && !IsResourceName(job.result_file, "files")) {
    return Fail(ErrorCode::kBadAnswer, "the result file's name is not well formed");
  }
  job.inline_responses = InlineResponses(FindOutput(operation));
  return job;
}

Result<JobPage> ParseOperationPage(std::string_view json) {
  return ReadJobPage(ParseJson(json), "operations", "batch jobs", ReadOperation,
                     [](const std::string& file) { return IsResourceName(file, "files"); });
}

}  // namespace sluice
