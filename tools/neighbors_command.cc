#include "tools/neighbors_command.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/ledger.h"
#include "engine/run_directory.h"
#include "engine/run_settings.h"
#include "io/base/clock.h"
#include "io/file/file_system.h"
#include "io/json/json_document.h"
#include "tools/document_lookup.h"
#include "tools/json_line.h"
#include "tools/nearest_rows.h"
#include "tools/npy_view.h"
#include "tools/service_access.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

// How the array was made, from the run's report and ledger; what is not known is empty.
struct Recorded {
  std::string backend, base_url, model, text_field;
  std::map<std::string, std::string> paths;  // of corpus files, by name
};

std::string StringMember(const OrderedJson& document, const char* name) {
  const auto member = document.find(name);
  return member != document.end() && member->is_string() ? member->get<std::string>() : "";
}

std::map<std::string, std::string> ReadPaths(FileSystem& files, const std::string& run_folder) {
  const RunDirectory directory(run_folder);
  if (!files.Exists(directory.ledger())) {
    return {};
  }
  std::map<std::string, std::string> paths;
  Result<Ledger> ledger = Ledger::OpenToRead(directory.ledger());
  if (!ledger.has_value()) {
    return paths;
  }
  if (const auto pinned = ReadPinnedRun(*ledger); pinned.has_value()) {
    for (const CorpusFile& file : pinned->files) {
      paths.emplace(file.name, file.path);
    }
  }
  return paths;
}

Recorded ReadRecorded(FileSystem& files, const std::string& run_folder) {
  constexpr uint64_t kReportMax = uint64_t{1} << 30;
  const Result<std::string> text = ReadWholeFile(files, run_folder + "/report.json", kReportMax);
  const OrderedJson report = text.has_value() ? ParseOrderedJson(*text) : OrderedJson();
  if (!report.is_object()) {
    return {};
  }
  return {.backend = StringMember(report, "backend"),
          .base_url = StringMember(report, "base_url"),
          .model = StringMember(report, "model"),
          .text_field = StringMember(report, "text_field"),
          .paths = ReadPaths(files, run_folder)};
}

struct Request {
  std::string array;
  std::string ids;
  Recorded recorded;
  std::optional<std::string> text;
  std::optional<uint64_t> row;
  size_t count = 5;
};

Result<Request> ReadRequest(const Arguments& arguments, FileSystem& files) {
  Request request;
  if (arguments.positionals.empty()) {
    return Fail(ErrorCode::kUsage, "'neighbors' needs an array (OUT.npy)",
                "see sluice neighbors --help");
  }
  request.array = arguments.positionals.front();
  const std::string stem = request.array.ends_with(".npy")
                               ? request.array.substr(0, request.array.size() - 4)
                               : request.array;
  request.ids = arguments.TextOr("--ids", stem + ".ids.jsonl");
  request.recorded = ReadRecorded(files, arguments.TextOr("--run", request.array + ".sluice"));
  request.text = arguments.Text("--text");
  SLUICE_ASSIGN(const auto row, arguments.Integer("--row", 0, INT64_MAX));
  if (row) {
    request.row = static_cast<uint64_t>(*row);
  }
  if (request.text.has_value() == request.row.has_value()) {
    return Fail(ErrorCode::kUsage, "'neighbors' needs --text TEXT or --row N, one of them");
  }
  SLUICE_ASSIGN(const auto count, arguments.Integer("--count", 1, 100'000));
  request.count = static_cast<size_t>(count.value_or(5));
  return request;
}

Result<std::vector<float>> EmbedQuery(const CommandContext& context, const Request& request,
                                      uint64_t dimension) {
  const Arguments& arguments = context.arguments;
  const Recorded& recorded = request.recorded;
  const std::string model = arguments.TextOr("--model", recorded.model);
  const std::string backend = arguments.TextOr("--backend", recorded.backend);
  if (model.empty() || backend.empty()) {
    return Fail(ErrorCode::kUsage,
                fmt::format("there is no report that says how {} was made", request.array),
                "name the run folder with -C, or give --backend and --model");
  }
  SystemClock clock;
  SLUICE_ASSIGN(ServiceAccess service,
                ServiceAccess::Open({.backend = ParseBackend(backend),
                                     .task = Task::kEmbed,
                                     .model = model,
                                     .cloud = {.project = arguments.TextOr("--project", ""),
                                               .location = arguments.TextOr("--location", "")},
                                     .base_url = arguments.TextOr("--base-url", recorded.base_url),
                                     .api_version = arguments.TextOr("--api-version", ""),
                                     .api_key_file = arguments.TextOr("--api-key-file", ""),
                                     .state_folder = {}},
                                    clock));
  SLUICE_ASSIGN(std::vector<float> vector,
                service.provider().EmbedText(model, *request.text, static_cast<int>(dimension),
                                             context.signals.stop_token()));
  if (vector.size() != dimension) {
    return Fail(ErrorCode::kBadAnswer,
                fmt::format("{} gave a vector of {} numbers, the array has {}", model,
                            vector.size(), dimension));
  }
  if (std::ranges::all_of(vector, [](float value) { return value == 0; })) {
    return Fail(ErrorCode::kBadAnswer,
                fmt::format("{} gave a vector of zeros, which is near to nothing", model));
  }
  return vector;
}

// The vector that is looked for.
Result<std::vector<float>> QueryVector(const CommandContext& context, const Request& request,
                                       const NpyView& array) {
  if (!request.row) {
    return EmbedQuery(context, request, array.columns());
  }
  if (*request.row >= array.rows()) {
    return Fail(ErrorCode::kUsage, fmt::format("--row: {} has rows 0 to {}, not {}", request.array,
                                               array.rows() - 1, *request.row));
  }
  const std::span<const float> row = array.Row(*request.row);
  if (!std::isfinite(row.front())) {
    return Fail(ErrorCode::kInput,
                fmt::format("row {} of {} failed: it has no vector", *request.row, request.array));
  }
  return std::vector<float>(row.begin(), row.end());
}

struct Neighbor {
  double cosine = 0;
  DocumentPlace document;
  std::optional<std::string> text;
};

Result<std::vector<Neighbor>> Describe(FileSystem& files, const Request& request,
                                       const DocumentSource& source,
                                       const std::vector<NearRow>& nearest) {
  std::vector<uint64_t> rows;
  rows.reserve(nearest.size());
  for (const NearRow& near : nearest) {
    rows.push_back(near.row);
  }
  SLUICE_ASSIGN(auto places, FindDocuments(files, request.ids, rows));
  std::vector<Neighbor> neighbors;
  neighbors.reserve(places.size());
  for (size_t i = 0; i < places.size(); ++i) {
    neighbors.push_back({.cosine = nearest[i].cosine,
                         .document = places[i],
                         .text = ReadDocument(files, places[i], source)});
  }
  return neighbors;
}

std::string NeighborLine(size_t rank, const Neighbor& neighbor, const Terminal& terminal) {
  const DocumentPlace& document = neighbor.document;
  const std::string place =
      document.file.empty() ? "" : fmt::format("{}:{}", document.file, document.place.line);
  std::string line = fmt::format("{:>3}  {:.4f}  {}  {}", rank, neighbor.cosine,
                                 EscapeControls(document.id), EscapeControls(place));
  if (neighbor.text) {
    line += "  " + EscapeControls(*neighbor.text);
  }
  constexpr size_t kPipeWidth = 400;
  const size_t width = terminal.is_terminal ? static_cast<size_t>(terminal.width) : kPipeWidth;
  return CutToWidth(line, width) + '\n';
}

std::string NeighborsAsJson(const std::vector<Neighbor>& neighbors, const Request& request,
                            const Terminal& terminal) {
  OrderedJson list = OrderedJson::array();
  for (const Neighbor& neighbor : neighbors) {
    const DocumentPlace& document = neighbor.document;
    list.push_back({{"rank", list.size() + 1},
                    {"cosine", neighbor.cosine},
                    {"row", document.row},
                    {"id", document.id},
                    {"file", document.file},
                    {"line", document.place.line},
                    {"text", neighbor.text ? OrderedJson(*neighbor.text) : OrderedJson()}});
  }
  const OrderedJson document = {
      {"v", 1}, {"type", "neighbors"}, {"array", request.array}, {"neighbors", list}};
  return JsonLine(document, terminal);
}

}  // namespace

Result<int> NeighborsCommand(const CommandContext& context) {
  const auto files = MakePosixFileSystem();
  SLUICE_ASSIGN(const Request request, ReadRequest(context.arguments, *files));
  SLUICE_ASSIGN(const NpyView array, NpyView::Open(request.array));
  if (array.rows() == 0 || array.columns() == 0) {
    return Fail(ErrorCode::kInput, fmt::format("{} has no rows", request.array));
  }
  SLUICE_ASSIGN(const std::vector<float> query, QueryVector(context, request, array));
  const std::vector<NearRow> nearest = FindNearestRows(array, query, request.count, request.row);
  const std::string recorded_field = request.recorded.text_field;
  const DocumentSource source{
      .paths = request.recorded.paths,
      .text_field = context.arguments.TextOr("--text-field",
                                             recorded_field.empty() ? "text" : recorded_field)};
  SLUICE_ASSIGN(const auto neighbors, Describe(*files, request, source, nearest));
  if (context.console.json) {
    context.console.Print(NeighborsAsJson(neighbors, request, context.console.out));
    return 0;
  }
  for (size_t i = 0; i < neighbors.size(); ++i) {
    context.console.Print(NeighborLine(i + 1, neighbors[i], context.console.out));
  }
  return 0;
}

}  // namespace sluice
