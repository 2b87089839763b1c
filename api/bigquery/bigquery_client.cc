#include "api/bigquery/bigquery_client.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/http/done_answer.h"
#include "api/http/google_error.h"
#include "api/http/json_fields.h"
#include "api/http/paged_list.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr const char* kPrefix = "/bigquery";
constexpr const char* kUploadPrefix = "/upload/bigquery";
// Rows of a page; the service sends fewer when they are long: 100,000 is its maximum, 20 MB the
// usual size of a page (https://docs.cloud.google.com/bigquery/quotas, 2026-08).
constexpr int kPageRows = 1000;
// A row has at most 100 MB; what is smaller in text may still be large as values.
constexpr uint64_t kPageBytesMax = uint64_t{128} << 20;
constexpr size_t kPageValuesMax = size_t{1} << 20;
// Of pages in a row: the service may send some, and is not believed when it sends no end of them.
constexpr int kEmptyPagesMax = 100;
constexpr std::chrono::milliseconds kPollMax{30'000};
// Stands on a line alone between the parts, where no row of JSON can stand.
constexpr std::string_view kBoundary = "sluice-rows-7d1f3c95e2a84b60";

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json Reference(const TableName& table) {
  return {{"projectId", table.project}, {"datasetId", table.dataset}, {"tableId", table.table}};
}

std::string TablePath(const TableName& table) {
  return fmt::format("/projects/{}/datasets/{}/tables/{}", table.project, table.dataset,
                     table.table);
}

Json Schema(const std::vector<TableColumn>& columns) {
  Json fields = Json::array();
  for (const TableColumn& column : columns) {
    fields.push_back({{"name", column.name},
                      {"type", column.type},
                      {"mode", column.required ? "REQUIRED" : "NULLABLE"}});
  }
  return {{"fields", std::move(fields)}};
}

Json LoadConfiguration(const TableName& table, const std::vector<std::string>& uris,
                       const LoadOptions& options) {
  // The table must be a new one: rows that somebody else left in it would be asked for, too.
  Json load = {{"sourceFormat", "NEWLINE_DELIMITED_JSON"},
               {"schema", Schema(options.columns)},
               {"destinationTable", Reference(table)},
               {"createDisposition", "CREATE_IF_NEEDED"},
               {"writeDisposition", "WRITE_EMPTY"}};
  if (!uris.empty()) {
    load["sourceUris"] = uris;
  }
  Json configuration = {{"load", std::move(load)}};
  if (!options.labels.empty()) {
    configuration["labels"] = options.labels;
  }
  return configuration;
}

// Reasons that the service's page of errors calls worth a new job.
bool MayPass(std::string_view reason) {
  constexpr std::string_view kPassing[] = {
      "backendError",      "jobBackendError",      "internalError", "jobInternalError",
      "rateLimitExceeded", "jobRateLimitExceeded", "quotaExceeded"};
  return std::ranges::find(kPassing, reason) != std::end(kPassing);
}

// BigQuery writes some locations in capitals ("US").
bool EqualButForCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// A page of somebody else's must not be taken for the dataset: rows would be loaded into nothing.
Result<void> CheckDataset(const HttpResponse& answer, const std::string& dataset,
                          const std::string& location) {
  const Json read = ParseJson(answer.body);
  if (TextMember(ObjectMember(read, "datasetReference"), "datasetId") != dataset) {
    return Fail(ErrorCode::kBadAnswer, fmt::format("the answer is not about dataset {}", dataset));
  }
  const std::string found = TextMember(read, "location");
  if (!found.empty() && !EqualButForCase(found, location)) {
    const std::string shown = PrintableText(found, 64);
    return Fail(
        ErrorCode::kUsage,
        fmt::format("dataset {} is in {}, and jobs are to run in {}", dataset, shown, location),
        fmt::format("--location {}, or a dataset there", shown));
  }
  return {};
}

Result<Json> ParseJob(const HttpResponse& answer, const std::string& job_id) {
  Json job = ParseJson(answer.body);
  if (TextMember(ObjectMember(job, "jobReference"), "jobId") != job_id) {
    return Fail(ErrorCode::kBadAnswer, fmt::format("the answer is not about job {}", job_id));
  }
  return job;
}

// A job that has ended, or nothing while it runs.
Result<std::optional<TableJob>> ReadEnd(const Json& job, const std::string& job_id) {
  const Json& status = ObjectMember(job, "status");
  if (TextMember(status, "state") != "DONE") {
    return std::optional<TableJob>();
  }
  if (const Json& error = ObjectMember(status, "errorResult"); !error.empty()) {
    const std::string reason = TextMember(error, "reason");
    // Not kUnavailable: this id is used up, and asking for it again finds the same failure.
    return Fail(MayPass(reason) ? ErrorCode::kConflict : ErrorCode::kRemoteFailed,
                fmt::format("BigQuery job {} failed: {}: {}", job_id, PrintableText(reason, 64),
                            PrintableText(TextMember(error, "message"), 500)));
  }
  const Json& load = ObjectMember(ObjectMember(job, "statistics"), "load");
  const int64_t rows = IntegerMember(load, "outputRows").value_or(0);
  return TableJob{
      .rows = static_cast<uint64_t>(std::max<int64_t>(rows, 0)),
      .labels = TextMembers(ObjectMember(ObjectMember(job, "configuration"), "labels"))};
}

std::vector<TableColumn> ReadColumns(const Json& table) {
  std::vector<TableColumn> columns;
  const Json* fields = FindMember(ObjectMember(table, "schema"), "fields");
  if (fields == nullptr || !fields->is_array()) {
    return columns;
  }
  for (const Json& field : *fields) {
    columns.push_back({.name = TextMember(field, "name"),
                       .type = TextMember(field, "type"),
                       .required = TextMember(field, "mode") == "REQUIRED"});
  }
  return columns;
}

std::optional<std::string> ReadCell(const Json& cell) {
  const Json* value = FindMember(cell, "v");
  if (value == nullptr || value->is_null()) {
    return std::nullopt;
  }
  return value->is_string() ? value->get<std::string>() : Dump(*value);
}

// One page of rows.
struct RowPage {
  Json rows = Json::array();
  std::string next_page_token = {};
  std::optional<int64_t> total_rows = {};  // of the table; emulators leave it out
};

Result<RowPage> ReadPage(const HttpResponse& answer) {
  size_t values = 0;
  Json page = Json::parse(
      answer.body,
      [&](int /*depth*/, Json::parse_event_t /*event*/, Json& /*value*/) {
        return ++values <= kPageValuesMax;  // the rest is dropped, and with it the page
      },
      false);
  const auto total_rows = IntegerMember(page, "totalRows");
  const auto rows = page.is_object() ? page.find("rows") : page.end();
  const bool has_rows = rows != page.end() && rows->is_array();
  // An object that tells of no rows at all is no end of a table.
  if (!page.is_object() || values > kPageValuesMax || FindMember(page, "error") != nullptr ||
      (!has_rows && !total_rows)) {
    return Fail(ErrorCode::kBadAnswer, "the answer is not a page of rows");
  }
  RowPage read{.next_page_token = TextMember(page, "pageToken"), .total_rows = total_rows};
  if (has_rows) {
    read.rows = std::move(*rows);
  }
  return read;
}

// Whether `page` may follow on `count` rows of a table.
Result<void> CheckPage(const RowPage& page, uint64_t count, std::optional<int64_t> total_rows) {
  if (total_rows && page.total_rows != total_rows) {
    return Fail(ErrorCode::kBadAnswer, "the table changed while it was read");
  }
  const uint64_t read = count + page.rows.size();
  const bool is_last = page.next_page_token.empty();
  if (page.total_rows && (std::cmp_less(*page.total_rows, read) ||
                          (is_last && std::cmp_greater(*page.total_rows, read)))) {
    return Fail(ErrorCode::kBadAnswer,
                fmt::format("the pages hold {} rows of {}", read, *page.total_rows));
  }
  return {};
}

Result<TableRow> ReadRow(const Json& row, const std::vector<TableColumn>& columns) {
  const Json* cells = FindMember(row, "f");
  if (cells == nullptr || !cells->is_array() || cells->size() != columns.size()) {
    return Fail(ErrorCode::kBadAnswer, "a row has not as many cells as its table has columns");
  }
  TableRow read;
  for (size_t i = 0; i < columns.size(); ++i) {
    read.push_back({.column = &columns[i], .value = ReadCell((*cells)[i])});
  }
  return read;
}

Result<void> Nothing(const HttpResponse& /*answer*/) { return {}; }

Result<void> Deleted(const HttpResponse& answer) { return CheckDone(answer, EmptyAnswer::kAny2xx); }

Result<void> SuccessIf(ErrorCode code, const Result<void>& result) {
  return !result.has_value() && result.error().code == code ? Result<void>() : result;
}

// Text, then the bytes of a source, then text.
BodyReader Between(std::string before, std::shared_ptr<ByteSource> source, std::string after,
                   ByteProgress progress) {
  struct State {
    std::string text;
    std::shared_ptr<ByteSource> source;
    std::string after;
    ByteProgress progress;
    size_t given = 0;
    uint64_t sent = 0;
  };
  auto state = std::make_shared<State>(State{.text = std::move(before),
                                             .source = std::move(source),
                                             .after = std::move(after),
                                             .progress = std::move(progress)});
  return [state](std::span<std::byte> buffer) -> Result<size_t> {
    if (state->given == state->text.size() && state->source) {
      SLUICE_ASSIGN(const size_t count, state->source->Read(buffer));
      state->sent += count;
      if (state->progress) {
        state->progress(state->sent);
      }
      if (count > 0) {
        return count;
      }
      state->source.reset();
      state->text = std::move(state->after);
      state->given = 0;
    }
    const size_t count = std::min(buffer.size(), state->text.size() - state->given);
    std::ranges::copy(std::as_bytes(std::span(state->text).subspan(state->given, count)),
                      buffer.begin());
    state->given += count;
    return count;
  };
}

}  // namespace

BigQueryPlace BigQueryOfEnvironment(const EnvironmentLookup& environment) {
  BigQueryPlace place;
  place.options.base_url = "https://bigquery.googleapis.com";
  place.options.api_version = "v2";
  const std::string host = environment("BIGQUERY_EMULATOR_HOST").value_or("");
  place.is_emulator = !host.empty();
  if (place.is_emulator) {
    place.options.base_url = AddressOfHost(host, "/bigquery/v2");
  }
  return place;
}

HttpRequest BigQueryClient::Request(const std::string& method, const std::string& path,
                                    std::stop_token stop) const {
  return service_.Request(method, path, std::move(stop), kPrefix);
}

HttpRequest BigQueryClient::JsonRequest(const std::string& method, const std::string& path,
                                        std::string body, std::stop_token stop) const {
  return service_.JsonRequest(method, path, std::move(body), std::move(stop), kPrefix);
}

std::string BigQueryClient::JobPath(const std::string& job_id) const {
  return fmt::format("/projects/{}/jobs/{}?location={}", project_, job_id,
                     EncodeQueryValue(location_));
}

Result<void> BigQueryClient::MakeDataset(const std::string& dataset, std::stop_token stop) const {
  const auto check = [&](const HttpResponse& answer) {
    return CheckDataset(answer, dataset, location_);
  };
  // Looked for first: who may write to a dataset may not be allowed to make any.
  const auto found = service_.Call<void>(
      Repeat::kSafe,
      Request("GET", fmt::format("/projects/{}/datasets/{}", project_, dataset), stop), check);
  if (found.has_value() || found.error().code != ErrorCode::kNotFound) {
    return found;
  }
  const Json body = {{"datasetReference", {{"projectId", project_}, {"datasetId", dataset}}},
                     {"location", location_}};
  return SuccessIf(
      ErrorCode::kConflict,
      service_.Call<void>(Repeat::kSafe,
                          JsonRequest("POST", fmt::format("/projects/{}/datasets", project_),
                                      Dump(body), std::move(stop)),
                          check));
}

Result<TableJob> BigQueryClient::Load(const TableName& table, const std::vector<std::string>& uris,
                                      const LoadOptions& options, std::stop_token stop) const {
  const Json body = {
      {"jobReference",
       {{"projectId", project_}, {"jobId", options.job_id}, {"location", location_}}},
      {"configuration", LoadConfiguration(table, uris, options)}};
  return Insert(options.job_id, Dump(body), std::move(stop));
}

Result<TableJob> BigQueryClient::LoadByUpload(const TableName& table, const StageSource& source,
                                              const LoadOptions& options,
                                              std::stop_token stop) const {
  const Json metadata = {
      {"jobReference",
       {{"projectId", project_}, {"jobId", options.job_id}, {"location", location_}}},
      {"configuration", LoadConfiguration(table, {}, options)}};
  const auto send = [&] { return SendRows(source, Dump(metadata), options, stop); };
  const auto sent = CallWithRetry<void>(
      Repeat::kSafe, service_.options().retry, service_.clock(), stop, [&]() -> Result<void> {
        auto once = send();
        // The token that was refused has been given up; the rows are read anew for the next one.
        return !once.has_value() && once.error().http_status == 401 ? send() : once;
      });
  const bool existed = !sent.has_value() && sent.error().code == ErrorCode::kConflict;
  SLUICE_TRY(existed ? Result<void>() : sent);
  return Await(options.job_id, existed, stop);
}

// Metadata and rows in one request: the job id makes a repeat safe, and a request that breaks off
// makes no job at all.
Result<void> BigQueryClient::SendRows(const StageSource& source, std::string_view metadata,
                                      const LoadOptions& options, std::stop_token stop) const {
  SLUICE_ASSIGN(std::shared_ptr<ByteSource> bytes, source.open());
  const std::string before = fmt::format(
      "--{0}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{1}\r\n--{0}\r\n"
      "Content-Type: application/octet-stream\r\n\r\n",
      kBoundary, metadata);
  const std::string after = fmt::format("\r\n--{}--\r\n", kBoundary);
  HttpRequest request =
      service_.Request("POST", fmt::format("/projects/{}/jobs?uploadType=multipart", project_),
                       std::move(stop), kUploadPrefix);
  request.headers.emplace_back("Content-Type",
                               fmt::format("multipart/related; boundary={}", kBoundary));
  request.timeout = std::chrono::milliseconds(0);  // any size; a stall still ends it
  request.body_size = before.size() + source.size + after.size();
  request.body_reader = Between(before, std::move(bytes), after, options.progress);
  SLUICE_TRY(service_.SendForSuccess(request));
  return {};
}

Result<TableJob> BigQueryClient::Insert(const std::string& job_id, std::string body,
                                        std::stop_token stop) const {
  const auto inserted = service_.Call<void>(
      Repeat::kSafe,
      JsonRequest("POST", fmt::format("/projects/{}/jobs", project_), std::move(body), stop),
      &Nothing);
  // 409: this id was inserted before, by us or by a try of this call whose answer was lost.
  const bool existed = !inserted.has_value() && inserted.error().code == ErrorCode::kConflict;
  SLUICE_TRY(existed ? Result<void>() : inserted);
  return Await(job_id, existed, stop);
}

Result<TableJob> BigQueryClient::Await(const std::string& job_id, bool existed,
                                       const std::stop_token& stop) const {
  auto pause = service_.options().retry.first_wait;
  while (true) {
    SLUICE_ASSIGN(
        const Json answer,
        service_.Call<Json>(Repeat::kSafe, Request("GET", JobPath(job_id), stop),
                            [&](const HttpResponse& text) { return ParseJob(text, job_id); }));
    SLUICE_ASSIGN(std::optional<TableJob> job, ReadEnd(answer, job_id));
    if (job.has_value()) {
      job->existed = existed;
      return *std::move(job);
    }
    if (!service_.clock().SleepUntil(service_.clock().Now() + pause, stop)) {
      return Fail(ErrorCode::kUnfinished, fmt::format("stopped while waiting for {}", job_id));
    }
    pause = std::min(pause * 2, kPollMax);
  }
}

Result<std::vector<TableColumn>> BigQueryClient::Columns(const TableName& table,
                                                         std::stop_token stop) const {
  return service_.Call<std::vector<TableColumn>>(
      Repeat::kSafe, Request("GET", TablePath(table), std::move(stop)),
      [&](const HttpResponse& answer) -> Result<std::vector<TableColumn>> {
        std::vector<TableColumn> columns = ReadColumns(ParseJson(answer.body));
        if (columns.empty()) {
          return Fail(ErrorCode::kBadAnswer, "the answer is not a table with columns");
        }
        return columns;
      });
}

Result<uint64_t> BigQueryClient::ReadRows(const TableName& table,
                                          const std::function<Result<void>(const TableRow&)>& take,
                                          const std::stop_token& stop) const {
  SLUICE_ASSIGN(const std::vector<TableColumn> columns, Columns(table, stop));
  uint64_t count = 0;
  int empty_pages = 0;
  std::optional<int64_t> total_rows;
  std::string token;
  do {
    std::string path = fmt::format("{}/data?maxResults={}", TablePath(table), kPageRows);
    path += token.empty() ? "" : "&pageToken=" + EncodeQueryValue(token);
    HttpRequest request = Request("GET", path, stop);
    request.answer_bytes_max = kPageBytesMax;
    SLUICE_ASSIGN(const RowPage page, service_.Call<RowPage>(Repeat::kSafe, request, ReadPage));
    SLUICE_TRY(CheckNextPage("tabledata.list", token, page.next_page_token));
    SLUICE_TRY(CheckPage(page, count, total_rows));
    total_rows = page.total_rows;
    empty_pages = page.rows.empty() ? empty_pages + 1 : 0;
    if (empty_pages > kEmptyPagesMax) {
      return Fail(ErrorCode::kBadAnswer, "the pages of a table have no rows and no end");
    }
    for (const Json& row : page.rows) {
      SLUICE_ASSIGN(const TableRow cells, ReadRow(row, columns));
      SLUICE_TRY(take(cells));
      ++count;
    }
    token = page.next_page_token;
  } while (!token.empty());
  return count;
}

Result<bool> BigQueryClient::HasTable(const TableName& table, std::stop_token stop) const {
  const auto columns = Columns(table, std::move(stop));
  if (!columns.has_value() && columns.error().code != ErrorCode::kNotFound) {
    return std::unexpected(columns.error());
  }
  return columns.has_value();
}

Result<void> BigQueryClient::DeleteTable(const TableName& table, std::stop_token stop) const {
  return SuccessIf(
      ErrorCode::kNotFound,
      service_.Call<void>(Repeat::kSafe, Request("DELETE", TablePath(table), std::move(stop)),
                          &Deleted));
}

}  // namespace sluice
