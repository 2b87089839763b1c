#include "tools/emulator/vertex_routes.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <limits>
#include <nlohmann/json.hpp>

#include "api/bigquery/table_name.h"
#include "api/protocol/model_id.h"
#include "api/protocol/vertex_model.h"
#include "api/storage/object_name.h"
#include "tools/emulator/create_faults.h"
#include "tools/emulator/job_filter.h"
#include "tools/emulator/json_field.h"
#include "tools/emulator/timestamp.h"
#include "tools/emulator/vertex_answer.h"
#include "tools/emulator/vertex_job_form.h"

namespace sluice {

namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr size_t kJobPageDefault = 20;
constexpr std::string_view kJobs = "batchPredictionJobs";

// What a path names behind the location.
struct VertexPath {
  std::string location;
  std::string collection;  // "batchPredictionJobs" or "publishers"
  std::string id;          // of a job, or of a model
  std::string verb;
};

std::optional<VertexPath> ParseVertexPath(std::string_view path) {
  const std::string version = TakeSegment(path);
  const bool projects = TakeSegment(path) == "projects" && !TakeSegment(path).empty();
  const bool locations = TakeSegment(path) == "locations";
  VertexPath parsed;
  parsed.location = TakeSegment(path);
  parsed.collection = TakeSegment(path);
  if (parsed.collection == "publishers") {
    if (TakeSegment(path) != "google" || TakeSegment(path) != "models") {
      return std::nullopt;
    }
  }
  parsed.id = TakeSegment(path);
  std::string& last = parsed.id.empty() ? parsed.collection : parsed.id;
  if (const size_t colon = last.find(':'); colon != std::string::npos) {
    parsed.verb = last.substr(colon + 1);
    last.resize(colon);
  }
  const bool known = (version == "v1" || version == "v1beta1") && projects && locations &&
                     !parsed.location.empty() && path.empty() &&
                     (parsed.collection == kJobs || parsed.collection == "publishers");
  return known ? std::optional(parsed) : std::nullopt;
}

ApiError Missing(std::string_view field) {
  return InvalidArgument(fmt::format("Required field is not set: batch_prediction_job.{}", field));
}

ApiError NoSuchJob() {
  return {.code = RpcCode::kNotFound, .message = "The BatchPredictionJob does not exist."};
}

// --- what a job is asked for

// The one address of an inputConfig. Samples of the documentation send a single one without its
// list.
std::expected<std::string, ApiError> ReadSource(const OrderedJson& config) {
  const std::string format = StringField(config, "instancesFormat");
  if (format == "bigquery") {
    const std::string uri = StringField(ObjectMember(config, "bigquerySource"), "inputUri");
    return ParseTableUri(uri).has_value()
               ? std::expected<std::string, ApiError>(uri)
               : std::unexpected(InvalidArgument(fmt::format("Invalid BigQuery URI: '{}'", uri)));
  }
  if (format != "jsonl") {
    return std::unexpected(format.empty()
                               ? Missing("input_config.instances_format")
                               : InvalidArgument("Unsupported instances_format: " + format));
  }
  const OrderedJson* uris = FindField(ObjectMember(config, "gcsSource"), "uris");
  const auto list = uris == nullptr ? std::vector<const OrderedJson*>() : Elements(*uris);
  if (list.size() != 1 || !list.front()->is_string()) {
    return std::unexpected(InvalidArgument("The local service takes one object as a source."));
  }
  const std::string uri = list.front()->get<std::string>();
  return ParseObjectUri(uri).has_value() ? std::expected<std::string, ApiError>(uri)
                                         : std::unexpected(InvalidArgument(fmt::format(
                                               "Invalid Cloud Storage URI: '{}'", uri)));
}

std::expected<std::string, ApiError> ReadDestination(const OrderedJson& config) {
  const std::string format = StringField(config, "predictionsFormat");
  if (format == "bigquery") {
    const std::string uri = StringField(ObjectMember(config, "bigqueryDestination"), "outputUri");
    return CheckTableDestination(uri).has_value()
               ? std::expected<std::string, ApiError>(uri)
               : std::unexpected(InvalidArgument(fmt::format("Invalid BigQuery URI: '{}'", uri)));
  }
  if (format != "jsonl") {
    return std::unexpected(Missing("output_config.predictions_format"));
  }
  const std::string uri = StringField(ObjectMember(config, "gcsDestination"), "outputUriPrefix");
  return ParsePrefixUri(uri).has_value() ? std::expected<std::string, ApiError>(uri)
                                         : std::unexpected(InvalidArgument(fmt::format(
                                               "Invalid Cloud Storage URI: '{}'", uri)));
}

std::expected<std::map<std::string, std::string>, ApiError> ReadLabels(const OrderedJson& json) {
  constexpr size_t kLabelBytesMax = 64;
  std::map<std::string, std::string> labels;
  for (const auto& [name, value] : ObjectMember(json, "labels").items()) {
    const auto fits = [&](const std::string& text) {
      return text.size() <= kLabelBytesMax && std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
             });
    };
    if (!value.is_string() || !fits(name) || !fits(value.get<std::string>())) {
      return std::unexpected(InvalidArgument(fmt::format("Invalid label: '{}'", name)));
    }
    labels[name] = value.get<std::string>();
  }
  return labels;
}

// A model as it may be named: by the path of its publisher, alone or below a project.
const Model* FindByPath(std::string_view path) {
  return path.find("publishers/google/models/") == std::string_view::npos
             ? nullptr
             : FindCloudModel(ModelIdOf(path));
}

std::expected<Job, ApiError> ReadDraft(const VertexPath& path, std::string_view body) {
  SLUICE_ASSIGN(const OrderedJson json, ParseMessage<OrderedJson>(body));
  Job job;
  job.cloud.location = path.location;
  job.display_name = StringField(json, "displayName");
  job.cloud.model_path = StringField(json, "model");
  if (job.display_name.empty() || job.cloud.model_path.empty()) {
    return std::unexpected(Missing(job.display_name.empty() ? "display_name" : "model"));
  }
  const Model* model = FindByPath(job.cloud.model_path);
  if (model == nullptr) {
    return std::unexpected(ApiError{
        .code = RpcCode::kNotFound,
        .message = fmt::format("Publisher Model `{}` was not found.", job.cloud.model_path)});
  }
  job.model = model->id;
  job.use = model->use;
  SLUICE_ASSIGN(job.cloud.source, ReadSource(ObjectMember(json, "inputConfig")));
  SLUICE_ASSIGN(job.cloud.destination, ReadDestination(ObjectMember(json, "outputConfig")));
  SLUICE_ASSIGN(job.cloud.labels, ReadLabels(json));
  const bool tables = IsTableUri(job.cloud.source) || IsTableUri(job.cloud.destination);
  const auto kind =
      VertexModelKindOf(job.model, job.use == ModelUse::kEmbed ? Task::kEmbed : Task::kGenerate);
  if (tables && kind == VertexModelKind::kGeminiEmbedding) {
    return std::unexpected(
        InvalidArgument(fmt::format("BigQuery is not supported for model {}.", job.model)));
  }
  return job;
}

// --- how a job is told

OrderedJson OutputInfo(const Job& job) {
  if (!IsTableUri(job.cloud.result)) {
    return {{"gcsOutputDirectory", job.cloud.result}};
  }
  const size_t dot = job.cloud.result.rfind('.');
  return {{"bigqueryOutputDataset", job.cloud.result.substr(0, dot)},
          {"bigqueryOutputTable", job.cloud.result.substr(dot + 1)}};
}

OrderedJson InputConfig(const Job& job) {
  if (IsTableUri(job.cloud.source)) {
    return {{"instancesFormat", "bigquery"}, {"bigquerySource", {{"inputUri", job.cloud.source}}}};
  }
  return {{"instancesFormat", "jsonl"},
          {"gcsSource", {{"uris", OrderedJson::array({job.cloud.source})}}}};
}

OrderedJson OutputConfig(const Job& job) {
  if (IsTableUri(job.cloud.destination)) {
    return {{"predictionsFormat", "bigquery"},
            {"bigqueryDestination", {{"outputUri", job.cloud.destination}}}};
  }
  return {{"predictionsFormat", "jsonl"},
          {"gcsDestination", {{"outputUriPrefix", job.cloud.destination}}}};
}

// Counters are strings, and zeros are left out.
OrderedJson Stats(const Job& job) {
  OrderedJson stats = OrderedJson::object();
  const auto add = [&](const char* name, uint64_t count) {
    if (count > 0) {
      stats[name] = fmt::format("{}", count);
    }
  };
  add("successfulCount", job.success_count);
  add("failedCount", job.failure_count);
  add("incompleteCount",
      job.request_count - std::min(job.request_count, job.success_count + job.failure_count));
  return stats;
}

OrderedJson JobJson(const Job& job, bool shows_output) {
  OrderedJson json = {{"name", VertexJobName(job)},
                      {"displayName", job.display_name},
                      {"model", job.cloud.model_path},
                      {"inputConfig", InputConfig(job)},
                      {"outputConfig", OutputConfig(job)},
                      {"state", fmt::format("JOB_STATE_{}", EmulatedStateName(job.state))},
                      {"createTime", FormatTimestamp(job.create_ns)},
                      {"updateTime", FormatTimestamp(job.update_ns)},
                      {"modelVersionId", "1"}};
  if (!job.cloud.labels.empty()) {
    json["labels"] = job.cloud.labels;
  }
  if (job.start_ns > 0) {
    json["startTime"] = FormatTimestamp(job.start_ns);
  }
  if (job.ended()) {
    json["endTime"] = FormatTimestamp(job.end_ns);
    json["completionStats"] = Stats(job);
  }
  if (job.error_code != 0) {
    json["error"] = {{"code", job.error_code}, {"message", job.error_message}};
  }
  if (job.has_results && shows_output) {
    json["outputInfo"] = OutputInfo(job);
  }
  return json;
}

std::string JobText(Service& service, const Job& job) {
  return JobJson(job, !service.faults.Happens(Fault::kNoOutputInfo)).dump();
}

// --- the calls

std::optional<ApiError> QuotaRefusal(Service& service) {
  if (service.faults.Happens(Fault::kQuotaPerDay)) {
    return ApiError{.code = RpcCode::kResourceExhausted,
                    .message = "Quota exceeded.",
                    .details = R"([{"@type":"type.googleapis.com/google.rpc.QuotaFailure",)"
                               R"("violations":[{"quotaId":"BatchPredictionJobsPerDay"}]}])"};
  }
  if (service.faults.Happens(Fault::kCreate429)) {
    const bool with_delay = service.faults.Word(Fault::kCreate429) == "retryinfo";
    return ApiError{
        .code = RpcCode::kResourceExhausted,
        .message = "Resource exhausted, please try again later.",
        .details =
            with_delay
                ? R"([{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1s"}])"
                : ""};
  }
  return std::nullopt;
}

Result<Job> KeepJob(Service& service, Job job) {
  job.fate = DrawFate(service.faults);
  // Ids of the real service have up to 19 digits.
  job.id = fmt::format("{}", UnixNanoseconds(service.clock.WallNow()) +
                                 static_cast<int64_t>(service.counters.Read().jobs_created));
  SLUICE_ASSIGN(Job kept, service.cloud_jobs.Create(std::move(job), ""));
  service.counters.CountJobCreated();
  service.journal.Note("create", {{"job", VertexJobName(kept)},
                                  {"displayName", kept.display_name},
                                  {"inputFile", kept.cloud.source}});
  return kept;
}

RouteAnswer CreateJob(Service& service, Exchange& exchange, const VertexPath& path) {
  const ApiAnswer body = ReadSmallBody(service, exchange);
  if (!body.has_value()) {
    return body;
  }
  if (auto refusal = QuotaRefusal(service)) {
    return std::unexpected(*std::move(refusal));
  }
  auto draft = ReadDraft(path, *body);
  if (!draft.has_value()) {
    return std::unexpected(draft.error());
  }
  if (service.faults.Happens(Fault::kCreateSlow)) {
    Pause(service, Fault::kCreateSlow);
  }
  if (service.faults.Happens(Fault::kCreateLate)) {
    exchange.Abort();
    if (Pause(service, Fault::kCreateLate)) {
      (void)KeepJob(service, *std::move(draft));
    }
    return std::nullopt;
  }
  const Result<Job> job = KeepJob(service, *std::move(draft));
  return job.has_value() ? AnswerCreate(service, exchange, [&] { return JobText(service, *job); })
                         : std::unexpected(ToApiError(job.error()));
}

RouteAnswer ListJobs(Service& service, Exchange& exchange, const VertexPath& path) {
  const auto count = PageSize(exchange, kJobPageDefault);
  const auto start = PageStart(exchange);
  if (!count.has_value() || !start.has_value()) {
    return std::unexpected(count.has_value() ? start.error() : count.error());
  }
  const auto filter = JobFilter::Parse(exchange.Query("filter").value_or(""));
  if (!filter.has_value()) {
    return std::unexpected(filter.error());
  }
  if (*start == std::numeric_limits<int64_t>::max() &&
      service.faults.Happens(Fault::kListEmptyPage)) {
    return fmt::format("{{\"nextPageToken\":\"{}\"}}", PageToken(*start - 1));
  }
  const auto lag = service.faults.Happens(Fault::kListLag)
                       ? std::chrono::milliseconds(service.faults.Number(Fault::kListLag))
                       : std::chrono::milliseconds(0);
  const EmulatedJobPage page = service.cloud_jobs.List(
      *start, UnixNanoseconds(service.clock.WallNow() - lag), *count,
      [&](const Job& job) { return job.cloud.location == path.location && filter->Takes(job); });
  if (page.jobs.empty()) {
    return "{}";
  }
  OrderedJson list = {{kJobs, OrderedJson::array()}};
  for (const Job& job : page.jobs) {
    list[kJobs].push_back(JobJson(job, true));
  }
  if (page.more) {
    list["nextPageToken"] = PageToken(page.jobs.back().create_ns);
  }
  return list.dump();
}

std::optional<Job> FindJob(Service& service, const VertexPath& path) {
  auto job = service.cloud_jobs.Find(path.id);
  return job.has_value() && job->cloud.location == path.location ? job : std::nullopt;
}

RouteAnswer GetJob(Service& service, Exchange& /*exchange*/, const VertexPath& path) {
  const auto job = FindJob(service, path);
  return job.has_value() ? RouteAnswer(JobText(service, *job)) : std::unexpected(NoSuchJob());
}

RouteAnswer CancelJob(Service& service, Exchange& /*exchange*/, const VertexPath& path) {
  const auto job = FindJob(service, path);
  if (!job.has_value()) {
    return std::unexpected(NoSuchJob());
  }
  if (job->ended() || job->cancel_asked) {
    return std::unexpected(
        ApiError{.code = RpcCode::kFailedPrecondition,
                 .message = "The BatchPredictionJob is not in a state that can be cancelled."});
  }
  const Result<bool> known =
      service.cloud_jobs.Cancel(path.id, service.faults.Happens(Fault::kCancelSucceeds));
  if (!known.has_value()) {
    return std::unexpected(ToApiError(known.error()));
  }
  service.journal.Note("cancel", {{"job", VertexJobName(*job)}});
  return "{}";
}

RouteAnswer DeleteJob(Service& service, Exchange& /*exchange*/, const VertexPath& path) {
  const auto job = FindJob(service, path);
  if (!job.has_value()) {
    return std::unexpected(NoSuchJob());
  }
  if (!job->ended()) {
    return std::unexpected(ApiError{.code = RpcCode::kFailedPrecondition,
                                    .message = "The BatchPredictionJob is still running."});
  }
  const auto removed = service.cloud_jobs.Remove(path.id);
  if (!removed.has_value()) {
    return std::unexpected(ToApiError(removed.error()));
  }
  service.journal.Note("delete", {{"job", VertexJobName(*job)}});
  return fmt::format(
      R"({{"name":"projects/100000000000/locations/{}/operations/{}","done":true,"metadata":{{)"
      R"("@type":"type.googleapis.com/google.cloud.aiplatform.v1.DeleteOperationMetadata"}},)"
      R"("response":{{"@type":"type.googleapis.com/google.protobuf.Empty"}}}})",
      path.location, path.id);
}

// --- single texts

RouteAnswer AskModel(Service& service, Exchange& exchange, const VertexPath& path) {
  const Model* model = FindCloudModel(path.id);
  if (model == nullptr) {
    return std::unexpected(NoSuchModel(path.id, path.verb));
  }
  const ApiAnswer body = ReadSmallBody(service, exchange);
  if (!body.has_value()) {
    return body;
  }
  if (path.verb == "generateContent") {
    return AnswerGenerate(*model, *body);
  }
  if (path.verb == "embedContent") {
    return AnswerEmbed(*model, *body);
  }
  const auto json = ParseMessage<OrderedJson>(*body);
  if (!json.has_value()) {
    return std::unexpected(json.error());
  }
  const OrderedJson* instances = FindField(*json, "instances");
  if (instances == nullptr || !instances->is_array() || instances->size() != 1) {
    return std::unexpected(InvalidArgument("The local service takes one instance in a call."));
  }
  const OrderedJson* dimension =
      FindField(ObjectMember(*json, "parameters"), "outputDimensionality");
  return AnswerInstance(
      *model, instances->front().dump(),
      dimension != nullptr && dimension->is_number_integer() ? dimension->get<int>() : 0);
}

struct VertexRoute {
  std::string_view method;
  std::string_view collection;
  bool has_id = false;
  std::string_view verb;
  std::string_view name;  // in the counters
  RouteAnswer (*handler)(Service& service, Exchange& exchange, const VertexPath& path);
};

constexpr std::array kRoutes = {
    VertexRoute{"POST", kJobs, false, "", "batchPredictionJobs.create", CreateJob},
    VertexRoute{"GET", kJobs, false, "", "batchPredictionJobs.list", ListJobs},
    VertexRoute{"GET", kJobs, true, "", "batchPredictionJobs.get", GetJob},
    VertexRoute{"POST", kJobs, true, "cancel", "batchPredictionJobs.cancel", CancelJob},
    VertexRoute{"DELETE", kJobs, true, "", "batchPredictionJobs.delete", DeleteJob},
    VertexRoute{"POST", "publishers", true, "predict", "predict", AskModel},
    VertexRoute{"POST", "publishers", true, "embedContent", "embedContent", AskModel},
    VertexRoute{"POST", "publishers", true, "generateContent", "generateContent", AskModel},
};

}  // namespace

bool ServesVertex(const Exchange& exchange) { return ParseVertexPath(exchange.path()).has_value(); }

void AnswerVertex(Service& service, Exchange& exchange) {
  const VertexPath path = *ParseVertexPath(exchange.path());
  const auto* const route = std::ranges::find_if(kRoutes, [&](const VertexRoute& candidate) {
    return candidate.method == exchange.method() && candidate.collection == path.collection &&
           candidate.has_id == !path.id.empty() && candidate.verb == path.verb;
  });
  service.counters.CountRequest(route == kRoutes.end() ? "unknown" : std::string(route->name));
  RouteAnswer answer;
  if (route == kRoutes.end()) {
    answer = std::unexpected(ApiError{.code = RpcCode::kNotFound, .message = "Method not found."});
  } else if (!IsSignedIn(service, exchange)) {
    answer = std::unexpected(ApiError{
        .code = RpcCode::kUnauthenticated,
        .message = "Request had invalid authentication credentials. Expected OAuth 2 "
                   "access token, login cookie or other valid authentication credential."});
  } else {
    answer = route->handler(service, exchange, path);
  }
  if (answer.has_value()) {
    SendAnswer(service, exchange, *answer);
  }
}

}  // namespace sluice
