#include "tests/engine/simulation/gemini_wire.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/files/sha256.h"
#include "api/http/decimal.h"
#include "api/http/json_fields.h"
#include "io/file/file_system.h"
#include "io/json/base64.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr const char* kCreate = "/v1beta/models/gemini-embedding-001:asyncBatchEmbedContent";
constexpr const char* kUploads = "/upload/v1beta/files";
constexpr std::string_view kVersion = "/v1beta/";
constexpr std::string_view kDownload = ":download";
constexpr std::string_view kResults = "files/batch-";

// The last segment of a job's name.
std::string IdOf(const std::string& name) { return name.substr(name.find('/') + 1); }

Json OperationJson(const SimulatedJob& job, bool shows_output, MonotonicTime now) {
  const bool has_ended = job.ends <= now;
  Json batch = {{"name", job.name},
                {"model", "models/gemini-embedding-001"},
                {"displayName", job.display_name},
                {"inputConfig", {{"fileName", job.source_file}}},
                {"createTime", Timestamp(job.created)},
                {"updateTime", Timestamp(now)},
                {"batchStats", {{"requestCount", std::to_string(job.rows.size())}}},
                {"state", fmt::format("BATCH_STATE_{}",
                                      JobStateName(has_ended ? job.end : JobState::kRunning))}};
  Json operation = {{"name", job.name}};
  if (has_ended) {
    operation["done"] = true;
  }
  if (has_ended && job.error_code != 0) {
    operation["error"] = {{"code", job.error_code}, {"message", "simulated"}};
  }
  if (has_ended && job.has_results && shows_output) {
    batch["output"]["responsesFile"] = fmt::format("{}{}", kResults, IdOf(job.name));
  }
  operation["metadata"] = std::move(batch);
  return operation;
}

}  // namespace

Result<std::unique_ptr<Provider>> GeminiWire::MakeProvider() {
  ProviderOptions options = CommonOptions();
  options.api_key = "simulated-key";
  return sluice::MakeProvider("gemini", options, *this, clock_);
}

bool GeminiWire::MakesJob(const WireRequest& request) const {
  return request.method == "POST" && request.path == kCreate;
}

HttpResponse GeminiWire::Answer(const WireRequest& request) {
  if (request.path == kUploads) {
    return request.query.contains("upload_id") ? GoOnWithUpload(request) : StartUpload(request);
  }
  if (request.Header("x-goog-api-key").empty()) {
    return Refusal(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.");
  }
  if (MakesJob(request)) {
    return CreateJob(request);
  }
  const std::string name =
      request.path.starts_with(kVersion) ? request.path.substr(kVersion.size()) : "";
  if (name == "batches") {
    return ListJobs(request);
  }
  if (name.starts_with("batches/")) {
    return AnswerJob(request, name);
  }
  return name.starts_with("files/") ? AnswerFile(request, name)
                                    : Refusal(404, "NOT_FOUND", "Method not found.");
}

// --- jobs

HttpResponse GeminiWire::CreateJob(const WireRequest& request) {
  const Json body = ParseJson(request.body);
  const Json& batch = ObjectMember(body, "batch");
  const std::string file = TextMember(ObjectMember(batch, "inputConfig"), "fileName");
  if (file.empty() || TextMember(batch, "displayName").empty()) {
    return Refusal(400, "INVALID_ARGUMENT", "exactly one of file_name and requests is set");
  }
  if (!service_.HasFile(file)) {
    return Refusal(400, "FAILED_PRECONDITION",
                   fmt::format("The File {} does not exist or is not in an ACTIVE state.", file));
  }
  const SimulatedJob& job =
      service_.MakeJob(file, TextMember(batch, "displayName"), request.is_repeat);
  return Text(OperationJson(job, false, clock_.Now()).dump());
}

HttpResponse GeminiWire::AnswerJob(const WireRequest& request, const std::string& path) {
  constexpr std::string_view kCancel = ":cancel";
  const bool cancels = path.ends_with(kCancel);
  if (!cancels) {
    const SimulatedService::Seen seen =
        request.method == "GET" ? service_.See(path) : SimulatedService::Seen{};
    return seen.job != nullptr
               ? Text(OperationJson(*seen.job, seen.shows_results, clock_.Now()).dump())
               : Refusal(404, "NOT_FOUND", "Requested entity was not found.");
  }
  SimulatedJob* const job = service_.Find(path.substr(0, path.size() - kCancel.size()));
  if (job == nullptr) {
    return Refusal(404, "NOT_FOUND", "Requested entity was not found.");
  }
  if (job->ends > clock_.Now() && job->end != JobState::kCancelled) {
    service_.EndByCancel(*job);
  }
  return Text("{}");
}

// The jobs of other runs with the same key are among them.
HttpResponse GeminiWire::ListJobs(const WireRequest& request) const {
  const std::string token = request.Query("pageToken");
  const SimulatedService::Listed listed = service_.List(token);
  Json page = Json::object();
  for (size_t i = 0; i < listed.jobs.size(); ++i) {
    if (listed.jobs[i] != nullptr) {
      page["operations"].push_back(OperationJson(*listed.jobs[i], true, clock_.Now()));
    }
    page["operations"].push_back({{"name", fmt::format("batches/foreign{}-{}", token, i)},
                                  {"metadata", {{"displayName", "sluice/ffffffffffff/0/1"}}}});
  }
  if (!listed.next.empty()) {
    page["nextPageToken"] = listed.next;
  }
  return Text(page.dump());
}

// --- files

void GeminiWire::Keep(const std::string& name, const std::string& bytes) {
  service_.DropFile(name);  // one that has expired
  files_[name] = bytes;
  service_.KeepFile(name, bytes, ParseRequestLines(bytes));
}

std::string GeminiWire::FileText(const std::string& name) const {
  const std::string& bytes = files_.at(name);
  return Json{{"name", name},
              {"mimeType", "application/jsonl"},
              {"sizeBytes", std::to_string(bytes.size())},
              {"sha256Hash", EncodeBase64(AsBytes(Sha256Hex(bytes)))},
              {"state", "ACTIVE"}}
      .dump();
}

// Now and then somebody else's file bears the name.
HttpResponse GeminiWire::StartUpload(const WireRequest& request) {
  const Json body = ParseJson(request.body);
  const std::string name = TextMember(ObjectMember(body, "file"), "name");
  if (!service_.HasFile(name) && service_.Chance(10)) {
    Keep(name, "other bytes\n");
  }
  if (service_.HasFile(name)) {
    return Refusal(409, "ALREADY_EXISTS", fmt::format("File {} already exists.", name));
  }
  uploads_.push_back(
      {.name = name,
       .received = {},
       .size = ParseDecimal<uint64_t>(request.Header("x-goog-upload-header-content-length"))
                   .value_or(0),
       .is_final = false});
  HttpResponse answer = Text("");
  answer.headers.emplace_back("x-goog-upload-status", "active");
  answer.headers.emplace_back(
      "x-goog-upload-url", fmt::format("https://generativelanguage.googleapis.com{}?upload_id={}",
                                       kUploads, uploads_.size() - 1));
  return answer;
}

HttpResponse GeminiWire::GoOnWithUpload(const WireRequest& request) {
  const size_t id = ParseDecimal<size_t>(request.Query("upload_id")).value_or(uploads_.size());
  if (id >= uploads_.size() || service_.Chance(10)) {
    return {.status = 404, .headers = {}, .body = "the upload session is gone"};
  }
  Upload& upload = uploads_[id];
  const bool is_query = request.Header("x-goog-upload-command") == "query";
  const auto offset = ParseDecimal<uint64_t>(request.Header("x-goog-upload-offset"));
  if (!is_query && (upload.is_final || offset != upload.received.size())) {
    return {.status = 400, .headers = {}, .body = "out of step"};
  }
  upload.received += is_query ? "" : request.body;
  if (!is_query && upload.received.size() == upload.size) {
    if (service_.HasFile(upload.name)) {
      return Refusal(409, "ALREADY_EXISTS", fmt::format("File {} already exists.", upload.name));
    }
    Keep(upload.name, upload.received);
    upload.is_final = true;
  }
  HttpResponse answer = Text(upload.is_final ? FileText(upload.name) : "");
  answer.headers = {{"x-goog-upload-status", upload.is_final ? "final" : "active"},
                    {"x-goog-upload-size-received", std::to_string(upload.received.size())}};
  return answer;
}

HttpResponse GeminiWire::AnswerFile(const WireRequest& request, const std::string& name) {
  if (name.starts_with(kResults) && name.ends_with(kDownload)) {
    return Download(request, name.substr(0, name.size() - kDownload.size()));
  }
  if (!service_.HasFile(name)) {
    return Refusal(403, "PERMISSION_DENIED",
                   fmt::format("You do not have permission to access the File {} or it may not "
                               "exist.",
                               IdOf(name)));
  }
  if (request.method == "DELETE") {
    service_.DropFile(name);
    return Text("{}");
  }
  return Text(FileText(name));
}

HttpResponse GeminiWire::Download(const WireRequest& request, const std::string& name) const {
  const SimulatedJob* const job =
      service_.Find(fmt::format("batches/{}", name.substr(kResults.size())));
  return job != nullptr && service_.HasAnswers(*job)
             ? Part(request, FormatAnswerLines(job->answers))
             : Refusal(404, "NOT_FOUND", "Requested entity was not found.");
}

}  // namespace sluice
