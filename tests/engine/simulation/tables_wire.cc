#include "tests/engine/simulation/tables_wire.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/http/decimal.h"
#include "api/http/json_fields.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr const char* kDataset = "answers";
constexpr const char* kLoads = "/upload/bigquery/v2/projects/my-project/jobs";
constexpr const char* kRoot = "/bigquery/v2/projects/";
constexpr const char* kLoadJobs = "/bigquery/v2/projects/my-project/jobs/";

std::string TableUri(std::string_view table) {
  return fmt::format("bq://my-project.{}.{}", kDataset, table);
}

// The document and the rows of a multipart request; nothing when it broke off.
std::optional<std::pair<Json, std::string>> ReadParts(const std::string& body) {
  const std::string boundary = body.substr(0, body.find("\r\n"));
  const std::string end = fmt::format("\r\n{}--\r\n", boundary);
  if (boundary.empty() || !body.ends_with(end)) {
    return std::nullopt;
  }
  constexpr std::string_view kBlank = "\r\n\r\n";
  const size_t first = body.find(kBlank) + kBlank.size();
  const size_t middle = body.find("\r\n" + boundary, first);
  const size_t second = body.find(kBlank, middle) + kBlank.size();
  return std::pair(ParseJson(body.substr(first, middle - first)),
                   body.substr(second, body.size() - end.size() - second));
}

// A column of type JSON for everything: what came as text becomes what it was.
Json Description(std::string_view table, std::initializer_list<const char*> columns) {
  Json fields = Json::array();
  for (const char* const name : columns) {
    fields.push_back(
        {{"name", name}, {"type", std::string_view(name) == "key" ? "STRING" : "JSON"}});
  }
  return {{"tableReference", {{"tableId", table}}}, {"schema", {{"fields", fields}}}};
}

Json RowOf(Ordinal row, const std::optional<FailureClass>& failure) {
  const auto cell = [](Json value) { return Json{{"v", std::move(value)}}; };
  const Json failed = failure ? Json(std::to_string(static_cast<int>(*failure))) : Json(nullptr);
  return {{"f", Json::array({cell(std::to_string(row)), cell(failure ? Json(nullptr) : Json("{}")),
                             cell(failed)})}};
}

}  // namespace

HttpResponse TablesWire::NotFound(std::string_view what) {
  return Classic(404, "notFound", fmt::format("Not found: {}", what));
}

Result<std::unique_ptr<Provider>> TablesWire::MakeProvider() {
  ProviderOptions options = VertexOptions();
  options.task = Task::kGenerate;
  options.model = "gemini-2.5-flash";
  options.bigquery_dataset = kDataset;
  return sluice::MakeProvider("vertex", options, *this, clock_);
}

HttpResponse TablesWire::AnswerStore(const WireRequest& request) {
  if (request.path == kLoads && request.method == "POST") {
    return StartLoad(request);
  }
  if (request.path.starts_with(kLoadJobs)) {
    return GetLoad(request.path.substr(std::string_view(kLoadJobs).size()));
  }
  if (request.path.starts_with(kRoot)) {  // the project may be told by its number
    const size_t project = std::string_view(kRoot).size();
    return AnswerDatasets(
        request, std::string_view(request.path)
                     .substr(std::min(request.path.find('/', project), request.path.size())));
  }
  return Refusal(404, "NOT_FOUND", "Method not found.");
}

HttpResponse TablesWire::AnswerDatasets(const WireRequest& request, std::string_view path) {
  const Json dataset = {{"datasetReference", {{"datasetId", kDataset}}}};
  const std::string tables = fmt::format("/datasets/{}/tables/", kDataset);
  if (request.method == "POST" && path == "/datasets") {
    return std::exchange(has_dataset_, true) ? Classic(409, "duplicate", "Already Exists: Dataset")
                                             : Text(dataset.dump());
  }
  if (path.starts_with(tables)) {
    return AnswerTables(request, path.substr(tables.size()));
  }
  return has_dataset_ ? Text(dataset.dump()) : NotFound("Dataset");
}

HttpResponse TablesWire::AnswerTables(const WireRequest& request, std::string_view name) {
  const std::string table(name.substr(0, name.find('/')));
  if (request.method == "DELETE") {
    service_.DropFile(TableUri(table));
    return tables_.erase(table) == 1 ? HttpResponse{.status = 204, .headers = {}, .body = ""}
                                     : NotFound(table);
  }
  if (tables_.contains(table)) {
    return Text(Description(table, {"key", "request"}).dump());
  }
  const auto answers = FindAnswers(table);
  if (!answers.has_value()) {
    return NotFound(table);
  }
  return name.ends_with("/data") ? ListRows(request, *answers)
                                 : Text(Description(table, {"key", "response", "failure"}).dump());
}

HttpResponse TablesWire::StartLoad(const WireRequest& request) {
  const auto parts = ReadParts(request.body);
  if (!parts.has_value()) {
    return Classic(400, "invalid", "The request is not whole.");
  }
  const Json& configuration = ObjectMember(parts->first, "configuration");
  const std::string id = TextMember(ObjectMember(parts->first, "jobReference"), "jobId");
  if (loads_.contains(id)) {
    return Classic(409, "duplicate", fmt::format("Already Exists: Job {}", id));
  }
  Load load{.table = TextMember(
                ObjectMember(ObjectMember(configuration, "load"), "destinationTable"), "tableId"),
            .labels = TextMembers(ObjectMember(configuration, "labels")),
            .failure = {},
            .ends = clock_.Now() + std::chrono::seconds(service_.Below(20))};
  load.failure = DoLoad(load.table, parts->second);
  loads_[id] = load;
  return GetLoad(id);
}

// Why it failed, or nothing.
std::string TablesWire::DoLoad(const std::string& table, const std::string& rows) {
  if (!has_dataset_) {
    return "notFound";
  }
  if (tables_.contains(table)) {
    return "duplicate";  // WRITE_EMPTY
  }
  if (service_.Chance(20)) {
    return service_.Chance(500) ? "backendError" : "invalid";
  }
  tables_.insert(table);
  service_.KeepFile(TableUri(table), rows, ParseRequestLines(rows));
  return "";
}

HttpResponse TablesWire::GetLoad(const std::string& id) const {
  const auto found = loads_.find(id);
  if (found == loads_.end()) {
    return NotFound(fmt::format("Job {}", id));
  }
  const Load& load = found->second;
  Json job = {{"jobReference", {{"projectId", "my-project"}, {"jobId", id}}},
              {"configuration", {{"labels", load.labels}}},
              {"status", {{"state", load.ends > clock_.Now() ? "RUNNING" : "DONE"}}}};
  if (load.ends <= clock_.Now() && !load.failure.empty()) {
    job["status"]["errorResult"] = {{"reason", load.failure}, {"message", "simulated"}};
  }
  return Text(job.dump());
}

// Two rows a page, and some pages without any.
HttpResponse TablesWire::ListRows(const WireRequest& request, const SimulatedAnswers& answers) {
  constexpr uint64_t kPageRows = 2;
  const auto first = std::min<uint64_t>(
      ParseDecimal<uint64_t>(request.Query("pageToken")).value_or(0), answers.size());
  Json page = {{"totalRows", std::to_string(answers.size())}, {"rows", Json::array()}};
  uint64_t next = first;
  auto answer = std::next(answers.begin(), static_cast<ptrdiff_t>(first));
  for (; next < first + kPageRows && answer != answers.end(); ++next, ++answer) {
    page["rows"].push_back(RowOf(answer->first, answer->second));
  }
  if (answer != answers.end()) {
    page["pageToken"] = std::to_string(next);
  }
  return Text(page.dump());
}

std::optional<SimulatedAnswers> TablesWire::FindAnswers(const std::string& table) {
  std::vector<std::string> writers;
  for (const SimulatedJob& job : service_.jobs()) {
    if (service_.HasAnswers(job) && Asked(job.name).destination == TableUri(table)) {
      writers.push_back(job.name);
    }
  }
  if (writers.empty()) {
    return std::nullopt;
  }
  const auto ends = [this](const std::string& name) { return service_.Find(name)->ends; };
  const std::string owner = *std::ranges::min_element(writers, {}, ends);
  for (const std::string& name : writers) {
    if (name != owner) {
      SimulatedJob& loser = *service_.Find(name);
      loser.end = JobState::kFailed;
      loser.error_code = 6;  // ALREADY_EXISTS
      loser.has_results = false;
    }
  }
  return service_.Find(owner)->answers;
}

}  // namespace sluice
