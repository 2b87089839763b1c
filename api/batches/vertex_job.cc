#include "api/batches/vertex_job.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/batches/job_fields.h"
#include "api/batches/vertex_place.h"
#include "api/bigquery/table_name.h"
#include "api/http/google_error.h"
#include "api/http/google_service.h"
#include "api/http/json_fields.h"
#include "api/protocol/model_id.h"
#include "api/protocol/vertex_model.h"
#include "api/storage/object_name.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

std::optional<JobStats> ReadStats(const Json& job) {
  const Json* stats = FindMember(job, "completionStats");
  if (stats == nullptr || !stats->is_object()) {
    return std::nullopt;
  }
  // incompleteCount is -1 when nobody knows.
  constexpr int64_t kCountMax = int64_t{1} << 60;  // so that their sum is a number, too
  const auto count = [&](const char* name) {
    return std::clamp<int64_t>(IntegerMember(*stats, name).value_or(0), 0, kCountMax);
  };
  JobStats read{.success_count = count("successfulCount"),
                .failure_count = count("failedCount"),
                .pending_count = count("incompleteCount")};
  read.total_count = read.success_count + read.failure_count + read.pending_count;
  return read;
}

// The first address; samples of the documentation send one without its list.
std::string ReadSource(const Json& config) {
  const Json* uris = FindMember(ObjectMember(config, "gcsSource"), "uris");
  if (uris != nullptr && uris->is_array() && !uris->empty() && uris->front().is_string()) {
    return uris->front().get<std::string>();
  }
  if (uris != nullptr && uris->is_string()) {
    return uris->get<std::string>();
  }
  return TextMember(ObjectMember(config, "bigquerySource"), "inputUri");
}

std::string ReadDestination(const Json& config) {
  const std::string prefix = TextMember(ObjectMember(config, "gcsDestination"), "outputUriPrefix");
  return prefix.empty() ? TextMember(ObjectMember(config, "bigqueryDestination"), "outputUri")
                        : prefix;
}

// Where the answers are. A table that was asked for by its whole name need not be told again.
std::string ReadResult(const Json& job, const std::string& destination) {
  const Json& info = ObjectMember(job, "outputInfo");
  std::string directory = TextMember(info, "gcsOutputDirectory");
  if (!directory.empty()) {
    return directory;
  }
  const std::string dataset = TextMember(info, "bigqueryOutputDataset");
  std::string table = TextMember(info, "bigqueryOutputTable");
  if (table.starts_with("bq://")) {
    return table;
  }
  if (!dataset.empty() && !table.empty()) {
    return fmt::format("{}.{}", dataset, table);
  }
  return !dataset.empty() && ParseTableUri(destination).has_value() ? destination : "";
}

bool IsResultAddress(const std::string& uri) {
  return uri.empty() || (IsTableUri(uri) ? ParseTableUri(uri).has_value()
                                         : IsObjectUri(uri) && ParseObjectUri(uri).has_value());
}

Result<BatchJob> ReadJob(const Json& json) {
  BatchJob job;
  job.name = TextMember(json, "name");
  if (!IsVertexJobName(job.name)) {
    return Fail(ErrorCode::kBadAnswer,
                "the answer is not a batch prediction job with a well-formed name");
  }
  job.display_name = TextMember(json, "displayName");
  job.model = TextMember(json, "model");
  job.raw_state = TextMember(json, "state");
  job.state = ParseJobState(job.raw_state);
  job.source_file = ReadSource(ObjectMember(json, "inputConfig"));
  job.destination = ReadDestination(ObjectMember(json, "outputConfig"));
  job.result_file = ReadResult(json, job.destination);
  job.labels = TextMembers(ObjectMember(json, "labels"));
  ReadJobTimes(json, job);
  job.stats = ReadStats(json);
  // An empty one is none.
  job.error = ObjectMember(json, "error").empty() ? std::nullopt : ReadJobError(json);
  // The loops of Google's samples end at a paused job: nothing that a client of batches can call
  // makes it go on.
  job.done = job.complete() || job.state == JobState::kPaused;
  return job;
}

// Which of the members of a request that no job at Vertex AI can have is there, or nothing.
std::string_view FindForeign(const CreateJobRequest& request) {
  if (!request.staged_file.empty()) {
    return "no uploaded file (files/...)";
  }
  if (!request.inline_requests.empty()) {
    return "no inline requests";
  }
  return request.priority != 0 ? "no priority" : "";
}

Result<void> CheckRequest(const CreateJobRequest& request) {
  if (const std::string_view foreign = FindForeign(request); !foreign.empty()) {
    return Fail(
        ErrorCode::kUsage, fmt::format("Vertex AI takes {}", foreign),
        "its jobs read objects in Cloud Storage (gs://bucket/object) or a table of BigQuery "
        "(bq://project.dataset.table)");
  }
  if (request.gcs_uris.empty() == request.bigquery_uri.empty()) {
    return Fail(
        ErrorCode::kUsage,
        "a job at Vertex AI has one source: objects in Cloud Storage (gs://bucket/object) or "
        "a table of BigQuery (bq://project.dataset.table)");
  }
  if (!request.output_gcs_uri.empty() && !request.output_bigquery_uri.empty()) {
    return Fail(ErrorCode::kUsage,
                "a job has one destination: Cloud Storage (gs://) or BigQuery (bq://)");
  }
  if (!request.generation_config.empty() || !request.system_instruction.empty()) {
    return Fail(ErrorCode::kUsage,
                "a generation config or system instruction cannot be given to a job at Vertex AI: "
                "the service takes it from each request",
                "put it into each line of the object before it is uploaded: MakeRequestLines()");
  }
  return {};
}

Result<void> CheckModel(const CreateJobRequest& request) {
  SLUICE_ASSIGN(const VertexModelKind kind, VertexModelKindFor(request.model, request.task));
  const bool tables = !request.bigquery_uri.empty() || !request.output_bigquery_uri.empty();
  if (kind == VertexModelKind::kGeminiEmbedding && tables) {
    return Fail(
        ErrorCode::kUsage,
        fmt::format("{} reads and writes Cloud Storage only: Gemini embedding models know no "
                    "BigQuery",
                    PrintableText(request.model, 80)),
        "use gs:// for both sides, or a text embedding model like text-embedding-005");
  }
  return {};
}

Result<Json> InputConfig(const CreateJobRequest& request) {
  if (!request.bigquery_uri.empty()) {
    SLUICE_TRY(ParseTableUri(request.bigquery_uri));
    return Json{{"instancesFormat", "bigquery"},
                {"bigquerySource", {{"inputUri", request.bigquery_uri}}}};
  }
  for (const std::string& uri : request.gcs_uris) {
    SLUICE_TRY(ParseObjectUri(uri));
  }
  return Json{{"instancesFormat", "jsonl"}, {"gcsSource", {{"uris", request.gcs_uris}}}};
}

// Beside the source where nothing is said, as the SDKs do for objects: "x.jsonl" gives "x/dest". Of
// a table, its dataset, in which the service makes a table of its own.
std::string DefaultDestination(const CreateJobRequest& request) {
  if (!request.bigquery_uri.empty()) {
    return request.bigquery_uri.substr(0, request.bigquery_uri.rfind('.'));
  }
  const std::string& source = request.gcs_uris.front();
  constexpr std::string_view kSuffix = ".jsonl";
  return source.substr(0, source.size() - (source.ends_with(kSuffix) ? kSuffix.size() : 0)) +
         "/dest";
}

Result<Json> OutputConfig(const CreateJobRequest& request) {
  std::string destination =
      request.output_gcs_uri.empty() ? request.output_bigquery_uri : request.output_gcs_uri;
  if (destination.empty()) {
    destination = DefaultDestination(request);
  }
  if (IsTableUri(destination)) {
    SLUICE_TRY(CheckTableDestination(destination));
    return Json{{"predictionsFormat", "bigquery"},
                {"bigqueryDestination", {{"outputUri", destination}}}};
  }
  SLUICE_TRY(ParsePrefixUri(destination));
  return Json{{"predictionsFormat", "jsonl"},
              {"gcsDestination", {{"outputUriPrefix", destination}}}};
}

}  // namespace

Result<BatchJob> ParseVertexJob(std::string_view json) {
  SLUICE_ASSIGN(BatchJob job, ReadJob(ParseJson(json)));
  if (!IsResultAddress(job.result_file)) {
    return Fail(ErrorCode::kBadAnswer, "the address of the results is not well formed");
  }
  return job;
}

Result<JobPage> ParseVertexJobPage(std::string_view json) {
  return ReadJobPage(ParseJson(json), "batchPredictionJobs", "batch prediction jobs", ReadJob,
                     IsResultAddress);
}

Result<std::string> VertexModelPath(std::string_view model) {
  if (model.find('/') == std::string_view::npos || model.starts_with("models/")) {
    SLUICE_ASSIGN(const std::string path, ModelPath(model));
    return fmt::format("publishers/google/{}", path);
  }
  const bool plain = (model.starts_with("publishers/") || model.starts_with("projects/")) &&
                     model.size() <= 400 && model.find("..") == std::string_view::npos &&
                     model.find("/models/") != std::string_view::npos &&
                     !ModelIdOf(model).empty() && std::ranges::all_of(model, [](char c) {
                       return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                              (c >= 'a' && c <= 'z') ||
                              std::string_view("/._-@:").find(c) != std::string_view::npos;
                     });
  if (!plain) {
    return Fail(ErrorCode::kUsage,
                fmt::format("'{}' is not a model like publishers/google/models/gemini-2.5-flash",
                            PrintableText(model, 160)));
  }
  return std::string(model);
}

Result<std::string> VertexCreateBody(const CreateJobRequest& request) {
  SLUICE_ASSIGN(const std::string model, VertexModelPath(request.model));
  SLUICE_TRY(CheckRequest(request));
  SLUICE_TRY(CheckModel(request));
  SLUICE_ASSIGN(Json input, InputConfig(request));
  SLUICE_ASSIGN(Json output, OutputConfig(request));
  // The service takes no job without a display name.
  Json body = {{"displayName", request.display_name.empty() ? "sluice" : request.display_name},
               {"model", model},
               {"inputConfig", std::move(input)},
               {"outputConfig", std::move(output)}};
  if (!request.labels.empty()) {
    body["labels"] = request.labels;
  }
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sluice
