#include "tests/engine/simulation/vertex_wire.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/auth/access_tokens.h"
#include "api/bigquery/table_name.h"
#include "api/http/decimal.h"
#include "api/http/json_fields.h"
#include "io/base/crc32c.h"
#include "io/file/file_system.h"
#include "io/json/json_document.h"
#include "tools/emulator/object_resource.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr const char* kBucket = "bucket";
constexpr const char* kAsked = "/v1/projects/my-project/locations/us-central1/batchPredictionJobs";
constexpr const char* kObjectUploads = "/upload/storage/v1/b/bucket/o";
constexpr const char* kObjects = "/storage/v1/b/bucket/o";
// The service names jobs by the project's number, whatever it was asked by, and counts them itself.
constexpr const char* kJobNames =
    "projects/100000000000/locations/us-central1/batchPredictionJobs/";
constexpr const char* kFirstDigits = "81460000000000";

std::string ObjectUri(const std::string& object) {
  return fmt::format("gs://{}/{}", kBucket, object);
}

// What stands behind `prefix`, or nothing.
std::optional<std::string> Behind(const std::string& path, std::string_view prefix) {
  return path.starts_with(prefix) ? std::optional(path.substr(prefix.size())) : std::nullopt;
}

// "bytes a-b/total" or "bytes */total" of a Content-Range.
struct SentRange {
  std::optional<uint64_t> first;  // nothing: it is a question
  uint64_t total = 0;
};
SentRange ParseSentRange(std::string_view header) {
  constexpr std::string_view kUnit = "bytes ";
  header.remove_prefix(header.starts_with(kUnit) ? kUnit.size() : 0);
  return {.first = ParseDecimal<uint64_t>(header.substr(0, header.find('-'))),
          .total = ParseDecimal<uint64_t>(header.substr(header.find('/') + 1)).value_or(0)};
}

std::string StateName(const SimulatedJob& job, MonotonicTime now) {
  if (job.ends > now) {
    return job.has_read ? "JOB_STATE_RUNNING" : "JOB_STATE_PENDING";
  }
  return "JOB_STATE_" + std::string(JobStateName(job.end));
}

// The folder of its answers, which the service names.
std::string AnswerFolder(const SimulatedJob& job, const AskedJob& asked) {
  return fmt::format("{}/prediction-model-{}", asked.destination, Timestamp(job.created));
}

// A table as the service calls it: by the number of its project.
std::string ByNumber(const std::string& table) {
  return fmt::format("bq://100000000000{}", table.substr(table.find('.')));
}

Json JobJson(const SimulatedJob& job, const AskedJob& asked, bool shows_output, MonotonicTime now) {
  Json json = {{"name", job.name},
               {"displayName", job.display_name},
               {"model", asked.model},
               {"state", StateName(job, now)},
               {"createTime", Timestamp(job.created)},
               {"updateTime", Timestamp(now)},
               {"labels", {{"sluice", asked.label}}}};
  if (IsTableUri(asked.destination)) {
    json["inputConfig"]["bigquerySource"]["inputUri"] = ByNumber(job.source_file);
    json["outputConfig"]["bigqueryDestination"]["outputUri"] = asked.destination;
  } else {
    json["inputConfig"]["gcsSource"]["uris"] = Json::array({job.source_file});
    json["outputConfig"]["gcsDestination"]["outputUriPrefix"] = asked.destination;
  }
  if (job.ends > now) {
    return json;
  }
  json["endTime"] = Timestamp(job.ends);
  if (job.error_code != 0) {
    json["error"] = {{"code", job.error_code}, {"message", "simulated"}};
  }
  if (!job.has_results || !shows_output) {
    return json;
  }
  if (IsTableUri(asked.destination)) {
    const size_t table = asked.destination.rfind('.');
    json["outputInfo"] = {{"bigqueryOutputDataset", asked.destination.substr(0, table)},
                          {"bigqueryOutputTable", asked.destination.substr(table + 1)}};
  } else {
    json["outputInfo"]["gcsOutputDirectory"] = AnswerFolder(job, asked);
  }
  return json;
}

}  // namespace

HttpResponse VertexWire::Classic(int status, const char* reason, const std::string& message) {
  const Json entry = {{"message", message}, {"domain", "global"}, {"reason", reason}};
  return {.status = status,
          .headers = {},
          .body = Json{{"error",
                        {{"code", status}, {"message", message}, {"errors", Json::array({entry})}}}}
                      .dump()};
}

// One sign-in, whose tokens are numbered.
class VertexWire::Tokens final : public AccessTokens {
 public:
  Result<std::string> Token(std::stop_token) override { return fmt::format("token-{}", number_); }
  void Refused(const std::string& token) override {
    number_ += token == fmt::format("token-{}", number_) ? 1 : 0;
  }
  [[nodiscard]] std::string account() const override { return "somebody@example.com"; }
  [[nodiscard]] std::string quota_project() const override { return "my-project"; }

 private:
  int number_ = 1;
};

SimulatedHabits VertexWire::Habits() {
  return {.job_prefix = fmt::format("{}{}", kJobNames, kFirstDigits),
          .file_life = std::nullopt,
          .reads_at_create = false};
}

ProviderOptions VertexWire::VertexOptions() {
  ProviderOptions options = CommonOptions();
  options.project = "my-project";
  options.location = "us-central1";
  tokens_ = tokens_ ? tokens_ : std::make_shared<Tokens>();
  options.tokens = tokens_;
  return options;
}

Result<std::unique_ptr<Provider>> VertexWire::MakeProvider() {
  ProviderOptions options = VertexOptions();
  options.bucket = fmt::format("{}/runs", kBucket);
  return sluice::MakeProvider("vertex", options, *this, clock_);
}

bool VertexWire::MakesJob(const WireRequest& request) const {
  return request.method == "POST" && request.path == kAsked;
}

// What a project hears whose first job this is (Vertex AI, 2026): nothing but time is needed.
std::optional<HttpResponse> VertexWire::RefusalToMakeJob() {
  return service_.Chance(20)
             ? std::optional(Refusal(400, "FAILED_PRECONDITION",
                                     "Service agents are being provisioned. Service agents are "
                                     "needed to read the Cloud Storage file provided. So please "
                                     "try again in a few minutes."))
             : std::nullopt;
}

bool VertexWire::HasEnded(const WireRequest& request) {
  const std::string token = request.Header("authorization");
  if (used_tokens_.contains(token) && service_.Chance(5)) {
    ended_tokens_.insert(token);
  }
  used_tokens_.insert(token);
  return token.empty() || ended_tokens_.contains(token);
}

HttpResponse VertexWire::Answer(const WireRequest& request) {
  if (HasEnded(request)) {
    return Refusal(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.");
  }
  if (MakesJob(request)) {
    return CreateJob(request);
  }
  if (request.method == "GET" && request.path == kAsked) {
    return ListJobs(request);
  }
  if (const auto name = Behind(request.path, "/v1/projects/")) {
    return AnswerJobs(request, "projects/" + *name);
  }
  return AnswerStore(request);
}

// --- jobs

HttpResponse VertexWire::AnswerJobs(const WireRequest& request, std::string_view path) {
  constexpr std::string_view kCancel = ":cancel";
  if (request.method == "GET") {
    return GetJob(std::string(path));
  }
  if (request.method == "POST" && path.ends_with(kCancel)) {
    return CancelJob(std::string(path.substr(0, path.size() - kCancel.size())));
  }
  return Refusal(404, "NOT_FOUND", "Method not found.");
}

HttpResponse VertexWire::CreateJob(const WireRequest& request) {
  const Json body = ParseJson(request.body);
  const Json& input = ObjectMember(body, "inputConfig");
  const Json& output = ObjectMember(body, "outputConfig");
  const Json* uris = FindMember(ObjectMember(input, "gcsSource"), "uris");
  const bool has_objects = uris != nullptr && uris->is_array() && uris->size() == 1;
  const std::string source = has_objects
                                 ? uris->front().get<std::string>()
                                 : TextMember(ObjectMember(input, "bigquerySource"), "inputUri");
  const std::string destination =
      has_objects ? TextMember(ObjectMember(output, "gcsDestination"), "outputUriPrefix")
                  : TextMember(ObjectMember(output, "bigqueryDestination"), "outputUri");
  const std::string label = TextMember(ObjectMember(body, "labels"), "sluice");
  const bool is_whole =
      TextMember(input, "instancesFormat") == (has_objects ? "jsonl" : "bigquery") &&
      !source.empty() && !destination.empty() && !label.empty() &&
      !TextMember(body, "displayName").empty();
  if (!is_whole) {
    return Refusal(400, "INVALID_ARGUMENT", "Required field is not set.");
  }
  const SimulatedJob& job =
      service_.MakeJob(source, TextMember(body, "displayName"), request.is_repeat);
  asked_[job.name] = {
      .model = TextMember(body, "model"), .destination = destination, .label = label};
  return Text(JobJson(job, asked_.at(job.name), false, clock_.Now()).dump());
}

HttpResponse VertexWire::GetJob(const std::string& name) {
  const SimulatedService::Seen seen = service_.See(name);
  return seen.job != nullptr
             ? Text(JobJson(*seen.job, asked_.at(name), seen.shows_results, clock_.Now()).dump())
             : Refusal(404, "NOT_FOUND", "The BatchPredictionJob does not exist.");
}

HttpResponse VertexWire::CancelJob(const std::string& name) {
  SimulatedJob* const job = service_.Find(name);
  if (job == nullptr) {
    return Refusal(404, "NOT_FOUND", "The BatchPredictionJob does not exist.");
  }
  if (job->ends <= clock_.Now() || job->end == JobState::kCancelled) {
    return Refusal(400, "FAILED_PRECONDITION",
                   "The BatchPredictionJob is not in a state that can be cancelled.");
  }
  service_.EndByCancel(*job);
  return Text("{}");
}

// The jobs of other runs bear such labels, too, and pages may be empty.
HttpResponse VertexWire::ListJobs(const WireRequest& request) const {
  if (request.Query("filter") != "labels.sluice:*") {
    return Refusal(400, "INVALID_ARGUMENT", "Invalid filter.");
  }
  constexpr char kEmptyPage = 'e';
  std::string token = request.Query("pageToken");
  const bool was_empty = token.ends_with(kEmptyPage);
  token.resize(token.size() - (was_empty ? 1 : 0));
  if (!token.empty() && !was_empty && service_.Chance(100)) {
    return Text(Json{{"nextPageToken", token + kEmptyPage}}.dump());
  }
  const SimulatedService::Listed listed = service_.List(token);
  Json page = Json::object();
  for (size_t i = 0; i < listed.jobs.size(); ++i) {
    const SimulatedJob* const job = listed.jobs[i];
    if (job != nullptr) {
      page["batchPredictionJobs"].push_back(
          JobJson(*job, asked_.at(job->name), true, clock_.Now()));
    }
    page["batchPredictionJobs"].push_back({{"name", fmt::format("{}11{}{}", kJobNames, token, i)},
                                           {"displayName", "sluice/ffffffffffff/0/1"},
                                           {"state", "JOB_STATE_SUCCEEDED"},
                                           {"labels", {{"sluice", "ffffffffffff-0-1"}}}});
  }
  if (!listed.next.empty()) {
    page["nextPageToken"] = listed.next;
  }
  return Text(page.dump());
}

// --- objects

HttpResponse VertexWire::NoSuchObject(const std::string& name) {
  return Classic(404, "notFound", fmt::format("No such object: {}/{}", kBucket, name));
}

HttpResponse VertexWire::ConditionNotMet() {
  return Classic(412, "conditionNotMet",
                 "At least one of the pre-conditions you specified did not hold.");
}

HttpResponse VertexWire::AnswerStore(const WireRequest& request) {
  if (request.path == kObjectUploads) {
    return request.method == "POST" ? StartUpload(request) : GoOnWithUpload(request);
  }
  if (request.path == kObjects) {
    return ListObjects(request);
  }
  if (const auto name = Behind(request.path, fmt::format("{}/", kObjects))) {
    return request.method == "DELETE" ? DeleteObject(request, *name) : GetObject(request, *name);
  }
  return Refusal(404, "NOT_FOUND", "Method not found.");
}

// A job that came to its end leaves one object, any other what it wrote while it ran.
std::vector<VertexWire::Object> VertexWire::Objects(const std::string& prefix) const {
  std::vector<Object> objects;
  for (auto found = objects_.lower_bound(prefix);
       found != objects_.end() && found->first.starts_with(prefix); ++found) {
    objects.push_back(found->second);
  }
  for (const SimulatedJob& job : service_.jobs()) {
    if (!service_.HasAnswers(job)) {
      continue;
    }
    const std::string folder = AnswerFolder(job, asked_.at(job.name)).substr(ObjectUri("").size());
    const auto write = [&](const char* file, const SimulatedAnswers& answers) {
      const std::string name = fmt::format("{}/{}", folder, file);
      if (name.starts_with(prefix)) {
        objects.push_back({.name = name,
                           .bytes = FormatAnswerLines(answers),
                           .generation = 1,
                           .created = job.ends});
      }
    };
    if (job.end == JobState::kSucceeded) {
      write("predictions.jsonl", job.answers);
      continue;
    }
    SimulatedAnswers first = job.answers;
    SimulatedAnswers second;
    while (second.size() + 1 < first.size()) {
      second.insert(first.extract(std::prev(first.end())));
    }
    write("incremental_predictions/predictions_0001.jsonl", first);
    write("incremental_predictions/predictions_0002.jsonl", second);
  }
  return objects;
}

void VertexWire::Keep(const std::string& name, const std::string& bytes) {
  objects_[name] = {
      .name = name, .bytes = bytes, .generation = ++generations_, .created = clock_.Now()};
  service_.KeepFile(ObjectUri(name), bytes, ParseRequestLines(bytes));
}

namespace {

template <typename Object>
Json ObjectJson(const Object& object, const std::string& time) {
  return {{"kind", "storage#object"},
          {"name", object.name},
          {"bucket", kBucket},
          {"generation", std::to_string(object.generation)},
          {"metageneration", "1"},
          {"contentType", "application/jsonl"},
          {"size", std::to_string(object.bytes.size())},
          {"crc32c", FormatCrc32c(Crc32c(0, AsBytes(object.bytes)))},
          {"timeCreated", time},
          {"updated", time}};
}

}  // namespace

// Now and then somebody else's object bears the name.
HttpResponse VertexWire::StartUpload(const WireRequest& request) {
  const std::string name = request.Query("name");
  const bool must_be_new = request.Query("ifGenerationMatch") == "0";
  if (!objects_.contains(name) && service_.Chance(10)) {
    Keep(name, "other bytes\n");
  }
  if (must_be_new && objects_.contains(name)) {
    return ConditionNotMet();
  }
  uploads_.push_back(
      {.name = name,
       .received = {},
       .size = ParseDecimal<uint64_t>(request.Header("x-upload-content-length")).value_or(0),
       .must_be_new = must_be_new,
       .stored = {}});
  HttpResponse answer = Text("");
  answer.headers.emplace_back(
      "location", fmt::format("https://storage.googleapis.com{}?uploadType=resumable&upload_id={}",
                              kObjectUploads, uploads_.size() - 1));
  return answer;
}

HttpResponse VertexWire::GoOnWithUpload(const WireRequest& request) {
  const size_t id = ParseDecimal<size_t>(request.Query("upload_id")).value_or(uploads_.size());
  if (id >= uploads_.size() || service_.Chance(10)) {
    return {.status = 410, .headers = {}, .body = "the upload session is gone"};
  }
  Upload& upload = uploads_[id];
  const SentRange range = ParseSentRange(request.Header("content-range"));
  if (!upload.stored.empty()) {
    return Text(upload.stored);
  }
  if (range.total != upload.size || range.first.value_or(0) > upload.received.size()) {
    return {.status = 400, .headers = {}, .body = "out of step"};
  }
  if (range.first.has_value()) {
    const uint64_t known = upload.received.size() - *range.first;
    upload.received += request.body.substr(std::min<size_t>(known, request.body.size()));
  }
  if (upload.received.size() >= upload.size) {
    return EndUpload(upload);
  }
  HttpResponse answer{.status = 308, .headers = {}, .body = ""};
  if (!upload.received.empty()) {
    answer.headers.emplace_back("range", fmt::format("bytes=0-{}", upload.received.size() - 1));
  }
  return answer;
}

// The condition is looked at once more here: two sessions may have begun for one name.
HttpResponse VertexWire::EndUpload(Upload& upload) {
  if (upload.must_be_new && objects_.contains(upload.name)) {
    return ConditionNotMet();
  }
  Keep(upload.name, upload.received);
  upload.stored = ObjectJson(objects_.at(upload.name), Timestamp(clock_.Now())).dump();
  return Text(upload.stored);
}

HttpResponse VertexWire::ListObjects(const WireRequest& request) const {
  Json list = {{"kind", "storage#objects"}};
  for (const Object& object : Objects(request.Query("prefix"))) {
    list["items"].push_back(ObjectJson(object, Timestamp(object.created)));
  }
  return Text(list.dump());
}

HttpResponse VertexWire::GetObject(const WireRequest& request, const std::string& name) const {
  const auto objects = Objects(name);
  const auto found = std::ranges::find(objects, name, &Object::name);
  const std::string generation = request.Query("generation");
  if (found == objects.end() ||
      (!generation.empty() && generation != std::to_string(found->generation))) {
    return NoSuchObject(name);
  }
  const Object& object = *found;
  return request.Query("alt") == "media"
             ? Part(request, object.bytes)
             : Text(ObjectJson(object, Timestamp(object.created)).dump());
}

HttpResponse VertexWire::DeleteObject(const WireRequest& request, const std::string& name) {
  const auto found = objects_.find(name);
  if (found == objects_.end()) {
    return NoSuchObject(name);
  }
  const std::string generation = request.Query("ifGenerationMatch");
  if (!generation.empty() && generation != std::to_string(found->second.generation)) {
    return ConditionNotMet();
  }
  objects_.erase(found);
  service_.DropFile(ObjectUri(name));
  return {.status = 204, .headers = {}, .body = ""};
}

}  // namespace sluice
