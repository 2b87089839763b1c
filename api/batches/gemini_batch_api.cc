#include "api/batches/gemini_batch_api.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/batches/inline_answers.h"
#include "api/batches/job_wide_members.h"
#include "api/batches/operation.h"
#include "api/files/files_client.h"
#include "api/http/google_error.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

std::unexpected<Error> FailForGemini(std::string_view what) {
  return Fail(ErrorCode::kUsage, fmt::format("{} goes with Vertex AI only", what),
              "sign in there (--auth vertex), or use an uploaded file or inline requests");
}

Result<void> CheckSource(const CreateJobRequest& request) {
  if (!request.gcs_uris.empty() || !request.output_gcs_uri.empty()) {
    return FailForGemini("an address in Cloud Storage (gs://)");
  }
  if (!request.bigquery_uri.empty() || !request.output_bigquery_uri.empty()) {
    return FailForGemini("an address in BigQuery (bq://)");
  }
  if (!request.labels.empty()) {
    return FailForGemini("a label");
  }
  if (request.staged_file.empty() == request.inline_requests.empty()) {
    return Fail(ErrorCode::kUsage, "a job has one source: an uploaded file or inline requests");
  }
  const bool job_wide = !request.generation_config.empty() || !request.system_instruction.empty();
  if (job_wide && !request.staged_file.empty()) {
    return Fail(ErrorCode::kUsage,
                "a generation config or system instruction cannot be given to a job with a file: "
                "the service takes it from each request",
                "put it into each line of the file before it is uploaded: MakeRequestLines()");
  }
  return {};
}

Result<Json> InputConfig(const CreateJobRequest& request) {
  SLUICE_TRY(CheckSource(request));
  if (!request.staged_file.empty()) {
    SLUICE_TRY(CheckResourceName(request.staged_file, "files"));
    // The spellings of the official SDKs: they differ between the two calls.
    return Json{{request.task == Task::kEmbed ? "file_name" : "fileName", request.staged_file}};
  }
  SLUICE_ASSIGN(const Json job_wide, JobWideMembers<Json>(request.task, request.generation_config,
                                                          request.system_instruction));
  Json items = Json::array();
  for (const InlineRequest& item : request.inline_requests) {
    Json body = ParseJson(item.request);
    if (!body.is_object()) {
      return Fail(ErrorCode::kUsage, fmt::format("inline request '{}' is not a JSON object",
                                                 PrintableText(item.key, 80)));
    }
    AddMissing(job_wide, body);
    items.push_back({{"request", std::move(body)}, {"metadata", {{"key", item.key}}}});
  }
  return Json{{"requests", {{"requests", std::move(items)}}}};
}

class GeminiBatchApi final : public BatchApi {
 public:
  explicit GeminiBatchApi(const GoogleService& service) : service_(service) {}

  std::string ListPath() const override { return "/batches"; }

  // A bare id is taken for that of a job.
  Result<std::string> FullName(const std::string& name) const override {
    if (name.starts_with("batchPredictionJobs/") || name.starts_with("projects/")) {
      return FailForGemini("a batch prediction job");
    }
    std::string full = name.find('/') == std::string::npos ? "batches/" + name : name;
    SLUICE_TRY(CheckResourceName(full, "batches"));
    return full;
  }

  Result<CreateCall> MakeCreateCall(const CreateJobRequest& request) const override {
    SLUICE_ASSIGN(const std::string model, ModelPath(request.model));
    SLUICE_ASSIGN(Json input, InputConfig(request));
    Json batch = {{"inputConfig", std::move(input)}};
    if (!request.display_name.empty()) {
      batch["displayName"] = request.display_name;
    }
    if (request.priority != 0) {
      batch["priority"] = std::to_string(request.priority);  // int64 travels as a string
    }
    const char* method =
        request.task == Task::kEmbed ? "asyncBatchEmbedContent" : "batchGenerateContent";
    return CreateCall{.path = fmt::format("/{}:{}", model, method),
                      .body = Json{{"batch", std::move(batch)}}.dump(
                          -1, ' ', false, Json::error_handler_t::replace)};
  }

  Result<BatchJob> ParseJob(std::string_view json) const override { return ParseOperation(json); }
  Result<JobPage> ParsePage(std::string_view json) const override {
    return ParseOperationPage(json);
  }

  Result<uint64_t> FetchAnswers(const BatchJob& job, uint64_t bytes_max, const BodyWriter& writer,
                                const std::function<Result<void>()>& restart,
                                std::stop_token stop) const override {
    if (!job.result_file.empty()) {
      return Files(service_).Download(job.result_file, bytes_max, writer, restart, std::move(stop));
    }
    uint64_t size = 0;
    SLUICE_TRY(ForEachInlineAnswer(job.inline_responses, [&](std::string_view line) {
      size += line.size();
      return writer(std::as_bytes(std::span(line)));
    }));
    return size;
  }

 private:
  const GoogleService& service_;
};

}  // namespace

std::shared_ptr<const BatchApi> MakeGeminiBatchApi(const GoogleService& service) {
  return std::make_shared<GeminiBatchApi>(service);
}

}  // namespace sluice
