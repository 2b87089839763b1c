#include "tools/emulator/table_routes.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/http/decimal.h"
#include "api/http/json_depth.h"
#include "api/storage/object_name.h"
#include "io/base/text.h"
#include "io/codec/byte_source.h"
#include "io/file/line_reader.h"
#include "io/json/json_document.h"
#include "tools/emulator/classic_routes.h"
#include "tools/emulator/json_field.h"
#include "tools/emulator/multipart.h"
#include "tools/emulator/random_id.h"

namespace sluice {

namespace {

using OrderedJson = nlohmann::ordered_json;
using TableAnswer = std::expected<std::string, ClassicError>;

constexpr std::string_view kTablesRoot = "/bigquery/v2/projects/";
constexpr std::string_view kUpload = "/upload";
constexpr uint64_t kPageRows = 100'000;  // https://docs.cloud.google.com/bigquery/quotas, 2026-08
constexpr int kRowsDepthMax = 100;

struct TablePath {
  bool is_upload = false;
  std::string project;
  std::string collection;  // "datasets" or "jobs"
  std::string id;          // of the dataset or the job
  std::string table;
  bool in_tables = false;
  bool is_data = false;

  [[nodiscard]] std::string dataset() const { return project + '.' + id; }
  [[nodiscard]] std::string name() const { return dataset() + '.' + table; }
};

// Names become names of files here.
bool IsPlain(std::string_view name) {
  return name.size() <= 200 && !name.starts_with('.') && std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("_-.").find(c) != std::string_view::npos;
         });
}

std::optional<TablePath> ParseTablePath(std::string_view path) {
  TablePath parsed;
  parsed.is_upload = path.starts_with(kUpload);
  path.remove_prefix(parsed.is_upload ? kUpload.size() : 0);
  if (!path.starts_with(kTablesRoot)) {
    return std::nullopt;
  }
  path.remove_prefix(kTablesRoot.size());
  parsed.project = TakeSegment(path);
  parsed.collection = TakeSegment(path);
  parsed.id = TakeSegment(path);
  parsed.in_tables = TakeSegment(path) == "tables";
  parsed.table = TakeSegment(path);
  parsed.is_data = TakeSegment(path) == "data";
  const bool plain = IsPlain(parsed.project) && IsPlain(parsed.id) && IsPlain(parsed.table);
  return plain && path.empty() ? std::optional(parsed) : std::nullopt;
}

ClassicError Duplicate(std::string message) {
  return {.status = 409, .reason = "duplicate", .message = std::move(message)};
}

ClassicError OfError(const Error& error) {
  switch (error.code) {
    case ErrorCode::kNotFound:
      return ClassicNotFound(error.message);
    case ErrorCode::kConflict:
      return Duplicate(error.message);
    case ErrorCode::kInput:
      return ClassicInvalid(error.message);
    default:
      return {.status = 500, .reason = "internalError", .message = error.message};
  }
}

OrderedJson TableReference(const std::string& name) {
  const size_t table = name.rfind('.');
  const size_t dataset = name.rfind('.', table - 1);
  return {{"projectId", name.substr(0, dataset)},
          {"datasetId", name.substr(dataset + 1, table - dataset - 1)},
          {"tableId", name.substr(table + 1)}};
}

// "project.dataset.table" of a reference, or nothing.
std::string NameOf(const OrderedJson& reference) {
  std::string name;
  for (const char* part : {"projectId", "datasetId", "tableId"}) {
    const std::string text = StringField(reference, part);
    if (text.empty() || !IsPlain(text)) {
      return "";
    }
    name += (name.empty() ? "" : ".") + text;
  }
  return name;
}

// --- datasets and tables

std::string DatasetText(const std::string& project, const std::string& dataset,
                        const std::string& location) {
  return OrderedJson{{"kind", "bigquery#dataset"},
                     {"id", fmt::format("{}:{}", project, dataset)},
                     {"datasetReference", {{"projectId", project}, {"datasetId", dataset}}},
                     {"location", location}}
      .dump();
}

TableAnswer MakeDataset(Service& service, Exchange& exchange, const TablePath& path) {
  const ApiAnswer body = ReadSmallBody(service, exchange);
  const auto json = ParseMessage<OrderedJson>(body.value_or(""));
  const std::string dataset =
      json.has_value() ? StringField(ObjectMember(*json, "datasetReference"), "datasetId") : "";
  if (dataset.empty() || !IsPlain(dataset) || dataset.find('.') != std::string::npos) {
    return std::unexpected(ClassicInvalid("Invalid dataset ID."));
  }
  const std::string asked = StringField(*json, "location");
  const std::string location = asked.empty() ? "US" : asked;  // the service's own default
  const Result<bool> made = service.tables.MakeDataset(path.project + '.' + dataset, location);
  if (!made.has_value()) {
    return std::unexpected(OfError(made.error()));
  }
  return *made ? TableAnswer(DatasetText(path.project, dataset, location))
               : std::unexpected(Duplicate(
                     fmt::format("Already Exists: Dataset {}:{}", path.project, dataset)));
}

TableAnswer GetDataset(Service& service, Exchange& /*exchange*/, const TablePath& path) {
  const auto location = service.tables.LocationOf(path.dataset());
  return location.has_value()
             ? TableAnswer(DatasetText(path.project, path.id, *location))
             : std::unexpected(ClassicNotFound("Not found: Dataset " + path.dataset()));
}

std::unexpected<ClassicError> NoSuchTable(const std::string& name) {
  return std::unexpected(ClassicNotFound("Not found: Table " + name));
}

OrderedJson SchemaOf(const StoredTable& table) {
  OrderedJson fields = OrderedJson::array();
  for (const StoredColumn& column : table.columns) {
    fields.push_back({{"name", column.name},
                      {"type", column.type},
                      {"mode", column.required ? "REQUIRED" : "NULLABLE"}});
  }
  return {{"fields", fields}};
}

TableAnswer GetTable(Service& service, Exchange& /*exchange*/, const TablePath& path) {
  const auto table = service.tables.Find(path.name());
  if (!table.has_value()) {
    return NoSuchTable(path.name());
  }
  return OrderedJson{{"kind", "bigquery#table"},
                     {"id", path.name()},
                     {"tableReference", TableReference(path.name())},
                     {"schema", SchemaOf(*table)},
                     {"numRows", fmt::format("{}", table->row_count)},
                     {"type", "TABLE"},
                     {"location", "us-central1"}}
      .dump();
}

TableAnswer DeleteTable(Service& service, Exchange& /*exchange*/, const TablePath& path) {
  const Result<bool> removed = service.tables.Remove(path.name());
  if (!removed.has_value()) {
    return std::unexpected(OfError(removed.error()));
  }
  return *removed ? TableAnswer("{}") : NoSuchTable(path.name());
}

// --- rows

// All scalars are strings; a column of JSON, too.
OrderedJson CellOf(const OrderedJson& row, const StoredColumn& column) {
  const auto value = row.find(column.name);
  if (value == row.end() || value->is_null()) {
    return {{"v", nullptr}};
  }
  return {{"v", value->is_string() && column.type != "JSON" ? value->get<std::string>()
                                                            : value->dump()}};
}

// Calls `take` with each row from number `first` on, until it says no.
Result<void> ForEachRow(Service& service, const std::string& name, uint64_t first,
                        const std::function<Result<bool>(std::string_view line)>& take) {
  SLUICE_ASSIGN(auto file, service.tables.OpenRows(name));
  LineReader reader(MakeFileSource(std::move(file)));
  for (uint64_t number = 0;; ++number) {
    SLUICE_ASSIGN(const auto line, reader.Next());
    if (!line.has_value()) {
      return {};
    }
    if (number < first) {
      continue;
    }
    SLUICE_ASSIGN(const bool more, take(*line));
    if (!more) {
      return {};
    }
  }
}

TableAnswer ListRows(Service& service, Exchange& exchange, const TablePath& path) {
  const auto table = service.tables.Find(path.name());
  if (!table.has_value()) {
    return NoSuchTable(path.name());
  }
  const auto wanted = ParseDecimal<uint64_t>(exchange.Query("maxResults").value_or("100000"));
  const std::string token = exchange.Query("pageToken").value_or("");
  const auto first = ParseDecimal<uint64_t>(
      token.empty() ? exchange.Query("startIndex").value_or("0") : token.substr(1));
  if (!wanted.has_value() || !first.has_value() || (!token.empty() && token[0] != '@')) {
    return std::unexpected(ClassicInvalid("Invalid argument."));
  }
  const uint64_t count = std::min(*wanted, kPageRows);
  OrderedJson rows = OrderedJson::array();
  bool more = false;
  const auto read =
      ForEachRow(service, path.name(), *first, [&](std::string_view line) -> Result<bool> {
        if (rows.size() == count) {
          more = true;
          return false;
        }
        const OrderedJson row = ParseOrderedJson(line);
        OrderedJson cells = OrderedJson::array();
        for (const StoredColumn& column : table->columns) {
          cells.push_back(CellOf(row, column));
        }
        rows.push_back({{"f", std::move(cells)}});
        return true;
      });
  if (!read.has_value()) {
    return std::unexpected(OfError(read.error()));
  }
  OrderedJson page = {{"kind", "bigquery#tableDataList"},
                      {"totalRows", fmt::format("{}", table->row_count)},
                      {"rows", std::move(rows)}};
  if (more) {
    page["pageToken"] = fmt::format("@{}", *first + count);
  }
  return page.dump();
}

// --- jobs

struct Loaded {
  uint64_t rows = 0;
};

std::vector<StoredColumn> ReadSchema(const OrderedJson& load) {
  std::vector<StoredColumn> columns;
  const OrderedJson* fields = FindField(ObjectMember(load, "schema"), "fields");
  if (fields == nullptr || !fields->is_array()) {
    return columns;
  }
  for (const OrderedJson& field : *fields) {
    columns.push_back({.name = StringField(field, "name"),
                       .type = StringField(field, "type"),
                       .required = StringField(field, "mode") == "REQUIRED"});
  }
  return columns;
}

std::optional<std::string> FindRowFault(const StoredTable& table, std::string_view line) {
  const OrderedJson row =
      NestsDeeperThan(line, kRowsDepthMax) ? OrderedJson() : ParseOrderedJson(line);
  if (!row.is_object()) {
    return "Failed to parse JSON: a row is not an object.";
  }
  for (const StoredColumn& column : table.columns) {
    const OrderedJson* value = FindField(row, column.name);
    if (column.required && value == nullptr) {
      return fmt::format("Missing required field: {}.", column.name);
    }
    if (value != nullptr && column.type == "STRING" && !value->is_string()) {
      return fmt::format("Field {}: a STRING is not a string.", column.name);
    }
  }
  const auto unknown = std::ranges::find_if(row.items(), [&](const auto& member) {
    return std::ranges::find(table.columns, member.key(), &StoredColumn::name) ==
           table.columns.end();
  });
  return unknown == row.items().end() ? std::nullopt
                                      : std::optional("No such field: " + unknown.key());
}

// Appends the rows of `text` that are whole lines to `out`, looking at each.
Result<void> TakeRows(StoredTable& table, std::string_view text, File& out) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (IsBlankLine(line)) {
      continue;
    }
    if (const auto fault = FindRowFault(table, line)) {
      return Fail(ErrorCode::kInput, "Error while reading data: " + *fault);
    }
    ++table.row_count;
    SLUICE_TRY(out.Write(AsBytes(std::string(line) + '\n')));
  }
  return {};
}

// The whole of an object; the local service loads what fits into memory.
Result<std::string> ReadObject(Service& service, const std::string& uri) {
  SLUICE_ASSIGN(const ObjectName name, ParseObjectUri(uri));
  const auto object = service.objects.Find(name.bucket, name.object);
  if (!object.has_value()) {
    return Fail(ErrorCode::kNotFound, "Not found: URI " + uri);
  }
  SLUICE_ASSIGN(const auto file, service.objects.OpenData(*object));
  std::string bytes(object->size, '\0');
  SLUICE_TRY(ReadExactly(*file, 0, std::as_writable_bytes(std::span(bytes))));
  return bytes;
}

// `uploaded`: the rows that came with the call; else those of the sourceUris.
Result<uint64_t> Load(Service& service, const OrderedJson& load,
                      const std::optional<std::string_view>& uploaded) {
  StoredTable table{.name = NameOf(ObjectMember(load, "destinationTable")),
                    .columns = ReadSchema(load),
                    .row_count = 0};
  if (table.name.empty() || table.columns.empty()) {
    return Fail(ErrorCode::kInput, "The local service needs a table and a schema.");
  }
  if (StringField(load, "sourceFormat") != "NEWLINE_DELIMITED_JSON") {
    return Fail(ErrorCode::kInput, "The local service loads NEWLINE_DELIMITED_JSON only.");
  }
  const std::string temporary = service.tables.TemporaryPath();
  const auto fill = [&]() -> Result<void> {
    SLUICE_ASSIGN(const auto out, service.files.Open(temporary, OpenMode::kCreate));
    if (uploaded.has_value()) {
      return TakeRows(table, *uploaded, *out);
    }
    const OrderedJson* uris = FindField(load, "sourceUris");
    for (const OrderedJson* uri :
         uris == nullptr ? std::vector<const OrderedJson*>() : Elements(*uris)) {
      SLUICE_ASSIGN(const std::string bytes,
                    ReadObject(service, uri->is_string() ? uri->get<std::string>() : ""));
      SLUICE_TRY(TakeRows(table, bytes, *out));
    }
    return {};
  };
  Result<void> filled = fill();
  if (filled.has_value() && StringField(load, "writeDisposition") == "WRITE_TRUNCATE") {
    SLUICE_TRY(service.tables.Remove(table.name));
  }
  if (filled.has_value()) {
    filled = service.tables.Adopt(table, temporary);
  }
  if (!filled.has_value()) {
    (void)service.files.Remove(temporary);
    return std::unexpected(filled.error());
  }
  return table.row_count;
}

// Characters that the real service escapes in the strings that it extracts.
std::string Escaped(std::string_view line) {
  std::string text;
  for (const char c : line) {
    c == '<' || c == '>' || c == '&'
        ? (void)(text += fmt::format("\\u{:04x}", static_cast<unsigned>(c)))
        : text.push_back(c);
  }
  return text;
}

Result<uint64_t> Extract(Service& service, const OrderedJson& extract) {
  const std::string name = NameOf(ObjectMember(extract, "sourceTable"));
  const auto table = service.tables.Find(name);
  const OrderedJson* uris = FindField(extract, "destinationUris");
  if (!table.has_value() || uris == nullptr) {
    return Fail(ErrorCode::kNotFound, "Not found: Table " + name);
  }
  const OrderedJson* first = Elements(*uris).front();
  std::string uri = first->is_string() ? first->get<std::string>() : "";
  if (const size_t star = uri.find('*'); star != std::string::npos) {
    uri.replace(star, 1, "000000000000");
  }
  SLUICE_ASSIGN(const ObjectName target, ParseObjectUri(uri));
  std::string bytes;
  SLUICE_TRY(ForEachRow(service, name, 0, [&](std::string_view line) -> Result<bool> {
    bytes += Escaped(line) + '\n';
    return true;
  }));
  SLUICE_TRY(service.objects.Put({.bucket = target.bucket, .name = target.object}, bytes));
  return table->row_count;
}

// A job with its end, as jobs.get tells it.
OrderedJson JobResource(const TablePath& path, const std::string& id,
                        const OrderedJson& configuration, const Result<uint64_t>& rows) {
  OrderedJson status = {{"state", "DONE"}};
  OrderedJson statistics = {{"creationTime", "1767225600000"}};
  if (rows.has_value()) {
    statistics["load"] = {{"outputRows", fmt::format("{}", *rows)}};
  } else {
    const ClassicError error = OfError(rows.error());
    const OrderedJson entry = {{"reason", error.reason}, {"message", error.message}};
    status["errorResult"] = entry;
    status["errors"] = OrderedJson::array({entry});
  }
  return {
      {"kind", "bigquery#job"},
      {"id", fmt::format("{}:us-central1.{}", path.project, id)},
      {"jobReference", {{"projectId", path.project}, {"jobId", id}, {"location", "us-central1"}}},
      {"configuration", configuration},
      {"status", std::move(status)},
      {"statistics", std::move(statistics)}};
}

// Right after its insertion a job is told to run still, so that clients have to ask again.
std::string AsRunning(OrderedJson resource) {
  resource["status"] = {{"state", "RUNNING"}};
  return resource.dump();
}

TableAnswer RunJob(Service& service, const TablePath& path, std::string_view text,
                   const std::optional<std::string_view>& uploaded) {
  const auto json = ParseMessage<OrderedJson>(text);
  if (!json.has_value()) {
    return std::unexpected(ClassicInvalid(json.error().message));
  }
  const OrderedJson& configuration = ObjectMember(*json, "configuration");
  std::string id = StringField(ObjectMember(*json, "jobReference"), "jobId");
  constexpr size_t kMadeUpLength = 20;
  id = id.empty() ? RandomId(kMadeUpLength) : id;
  if (!IsPlain(id)) {
    return std::unexpected(ClassicInvalid("Invalid job ID."));
  }
  if (service.tables.FindJob(id).has_value()) {
    return std::unexpected(
        Duplicate(fmt::format("Already Exists: Job {}:us-central1.{}", path.project, id)));
  }
  const OrderedJson* load = FindField(configuration, "load");
  const OrderedJson* extract = FindField(configuration, "extract");
  if (load == nullptr && extract == nullptr) {
    return std::unexpected(ClassicInvalid("The local service loads and extracts only."));
  }
  const Result<uint64_t> rows =
      load != nullptr ? Load(service, *load, uploaded) : Extract(service, *extract);
  const OrderedJson resource = JobResource(path, id, configuration, rows);
  const Result<bool> kept = service.tables.KeepJob(id, resource.dump());
  if (!kept.has_value()) {
    return std::unexpected(OfError(kept.error()));
  }
  service.journal.Note("tables", {{"job", id}});
  if (service.faults.Happens(Fault::kTableJobLost)) {
    return std::unexpected(ClassicError{
        .status = 503, .reason = "backendError", .message = "Error encountered during execution."});
  }
  return AsRunning(resource);
}

TableAnswer InsertJob(Service& service, Exchange& exchange, const TablePath& path) {
  const ApiAnswer body = ReadSmallBody(service, exchange);
  if (!body.has_value()) {
    return std::unexpected(ClassicInvalid(body.error().message));
  }
  if (!path.is_upload) {
    return RunJob(service, path, *body, std::nullopt);
  }
  const auto parts = ParseMultipart(exchange.Header("content-type").value_or(""), *body);
  if (!parts.has_value()) {
    return std::unexpected(ClassicInvalid("Malformed multipart body."));
  }
  return RunJob(service, path, parts->metadata, parts->bytes);
}

TableAnswer GetJob(Service& service, Exchange& /*exchange*/, const TablePath& path) {
  auto resource = service.tables.FindJob(path.id);
  return resource.has_value() ? TableAnswer(*std::move(resource))
                              : std::unexpected(ClassicNotFound(fmt::format(
                                    "Not found: Job {}:us-central1.{}", path.project, path.id)));
}

using TableRoute = ClassicRoute<TablePath, TableAnswer>;

TableAnswer AnswerPath(Service& service, Exchange& exchange, const TablePath& path) {
  const bool jobs = path.collection == "jobs";
  const bool datasets = path.collection == "datasets" && !path.is_upload;
  const bool whole_table = datasets && path.in_tables && !path.table.empty();
  const std::array routes = {
      TableRoute{"POST", "datasets.insert", datasets && path.id.empty(), MakeDataset},
      TableRoute{"GET", "datasets.get", datasets && !path.id.empty() && !path.in_tables,
                 GetDataset},
      TableRoute{"GET", "tabledata.list", whole_table && path.is_data, ListRows},
      TableRoute{"GET", "tables.get", whole_table && !path.is_data, GetTable},
      TableRoute{"DELETE", "tables.delete", whole_table && !path.is_data, DeleteTable},
      TableRoute{"POST", "jobs.insert", jobs && path.id.empty(), InsertJob},
      TableRoute{"GET", "jobs.get", jobs && !path.id.empty() && !path.is_upload, GetJob}};
  return AnswerByRoute<TablePath, TableAnswer>(service, exchange, path, routes);
}

}  // namespace

bool ServesTables(const Exchange& exchange) {
  std::string_view path = exchange.path();
  path.remove_prefix(path.starts_with(kUpload) ? kUpload.size() : 0);
  return path.starts_with(kTablesRoot);
}

void AnswerTables(Service& service, Exchange& exchange) {
  const auto path = ParseTablePath(exchange.path());
  const TableAnswer answer = path.has_value()
                                 ? AnswerPath(service, exchange, *path)
                                 : TableAnswer(std::unexpected(ClassicNotFound("Not Found")));
  if (answer.has_value()) {
    SendAnswer(service, exchange, *answer);
  } else {
    SendErrorBody(service, exchange, answer.error().status, ClassicErrorBody(answer.error()));
  }
}

}  // namespace sluice
