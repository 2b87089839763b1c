#include "tools/emulator/vertex_job_form.h"

#include <fmt/format.h>

#include "api/bigquery/table_name.h"
#include "api/protocol/vertex_model.h"
#include "api/storage/object_name.h"
#include "io/base/text.h"
#include "io/json/record_scanner.h"
#include "tools/emulator/timestamp.h"
#include "tools/emulator/vertex_answer.h"

namespace sluice {

namespace {

constexpr std::string_view kProjectNumber = "100000000000";

// The batch pages of the Agent Platform documentation, 2026-08: rows by kind of model, and 1 GB of
// input; whether that is 1e9 or 2^30 is not said.
constexpr uint64_t kInputBytesMax = uint64_t{1} << 30;

uint64_t RowsMax(VertexModelKind kind) {
  switch (kind) {
    case VertexModelKind::kGeneration:
      return 200'000;
    case VertexModelKind::kGeminiEmbedding:
      return 1'000'000;
    case VertexModelKind::kTextEmbedding:
      return 30'000;
  }
  return 0;
}

VertexModelKind KindOf(const Job& job) {
  return VertexModelKindOf(job.model, job.use == ModelUse::kEmbed ? Task::kEmbed : Task::kGenerate);
}

ApiError ImportFailed(std::string_view why) {
  return InvalidArgument(fmt::format("Failed to import data. {}", why));
}

// Counts the rows of `input`, each of which must be an object with `member`.
std::expected<uint64_t, ApiError> CheckRows(File& input, const std::string& member) {
  constexpr size_t kBlockBytes = size_t{1} << 18;
  RecordScanner scanner({member});
  std::vector<std::byte> block(kBlockBytes);
  std::string rest;
  uint64_t rows = 0;
  uint64_t offset = 0;
  const auto check = [&](std::string line) -> std::expected<void, ApiError> {
    if (IsBlankLine(line)) {
      return {};
    }
    const size_t size = line.size();
    line.append(RecordScanner::kPadding, '\0');
    const auto tokens = scanner.Scan(std::string_view(line).substr(0, size));
    if (!tokens.has_value() || tokens->front().empty()) {
      return std::unexpected(ImportFailed(
          fmt::format("Row {} is not an object with a column '{}'.", rows + 1, member)));
    }
    ++rows;
    return {};
  };
  while (true) {
    const auto count = input.ReadAt(offset, block);
    if (!count.has_value()) {
      return std::unexpected(ApiError{.message = count.error().message});
    }
    if (*count == 0) {
      break;
    }
    offset += *count;
    rest.append(reinterpret_cast<const char*>(block.data()), *count);
    size_t begin = 0;
    for (size_t end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', begin)) {
      SLUICE_TRY(check(rest.substr(begin, end - begin)));
      begin = end + 1;
    }
    rest.erase(0, begin);
  }
  SLUICE_TRY(check(rest));
  return rows;
}

class VertexAnswerLines final : public AnswerLines {
 public:
  VertexAnswerLines(const Model& model, VertexLineForm form, Clock& clock)
      : model_(model), form_(form), clock_(clock) {}

  bool Append(std::string_view line, const LineTwist& twist, std::string& out) override {
    const std::string time = FormatTimestamp(UnixNanoseconds(clock_.WallNow()));
    return AppendVertexLine(model_, form_, line, twist, time, out);
  }

 private:
  const Model& model_;
  const VertexLineForm form_;
  Clock& clock_;
};

class VertexJobForm final : public JobForm {
 public:
  VertexJobForm(ObjectStore& objects, TableStore& tables, Faults& faults, Clock& clock)
      : objects_(objects), tables_(tables), faults_(faults), clock_(clock) {}

  std::string NameOf(const Job& job) const override { return VertexJobName(job); }

  std::expected<std::unique_ptr<File>, ApiError> OpenInput(Job& job) override {
    auto input = OpenSource(job.cloud.source);
    if (!input.has_value()) {
      return std::unexpected(ImportFailed(input.error().message));
    }
    const uint64_t size = (*input)->Size().value_or(0);
    const VertexModelKind kind = KindOf(job);
    SLUICE_ASSIGN(
        job.request_count,
        CheckRows(**input, kind == VertexModelKind::kTextEmbedding ? "content" : "request"));
    if (job.request_count > RowsMax(kind) || size > kInputBytesMax) {
      return std::unexpected(ImportFailed(
          fmt::format("The input has {} rows and {} bytes: at most {} and {} are allowed.",
                      job.request_count, size, RowsMax(kind), kInputBytesMax)));
    }
    if (job.request_count == 0) {
      return std::unexpected(ImportFailed("The input has no rows."));
    }
    return *std::move(input);
  }

  std::unique_ptr<AnswerLines> AnswersOf(const Job& job, const Model& model) override {
    const VertexLineForm form{.kind = KindOf(job),
                              .in_table = IsTableUri(job.cloud.destination),
                              .ignores_dimension = faults_.Happens(Fault::kIgnoreDimension)};
    return std::make_unique<VertexAnswerLines>(model, form, clock_);
  }

  Result<void> Publish(Job& job, const std::string& path, bool whole) override {
    return IsTableUri(job.cloud.destination) ? PublishTable(job, path)
                                             : PublishObject(job, path, whole);
  }

 private:
  Result<std::unique_ptr<File>> OpenSource(const std::string& source) {
    if (IsTableUri(source)) {
      constexpr size_t kScheme = 5;
      const std::string name = source.substr(kScheme);
      return tables_.Find(name).has_value()
                 ? tables_.OpenRows(name)
                 : Fail(ErrorCode::kNotFound, fmt::format("Not found: Table {}", name));
    }
    SLUICE_ASSIGN(const ObjectName name, ParseObjectUri(source));
    const auto object = objects_.Find(name.bucket, name.object);
    return object.has_value()
               ? objects_.OpenData(*object)
               : Fail(ErrorCode::kNotFound, fmt::format("Not found: URI {}", source));
  }

  // A job that did not come to its end leaves only what it wrote while it ran.
  Result<void> PublishObject(Job& job, const std::string& path, bool whole) {
    SLUICE_ASSIGN(ObjectPrefix place, ParsePrefixUri(job.cloud.destination));
    place.prefix += place.prefix.empty() || place.prefix.ends_with('/') ? "" : "/";
    std::string time = FormatTimestamp(job.create_ns);
    time.replace(time.size() - 4, 3, "");  // microseconds
    const std::string folder = fmt::format("{}prediction-model-{}", place.prefix, time);
    const std::string_view name =
        whole ? "predictions.jsonl" : "incremental_predictions/predictions_0001.jsonl";
    SLUICE_TRY(objects_.Adopt({.bucket = place.bucket,
                               .name = fmt::format("{}/{}", folder, name),
                               .content_type = "application/octet-stream"},
                              path));
    job.cloud.result = FormatObjectUri({.bucket = place.bucket, .object = folder});
    return {};
  }

  // In a dataset, the service names the table itself.
  Result<void> PublishTable(Job& job, const std::string& path) {
    constexpr size_t kScheme = 5;
    std::string name = job.cloud.destination.substr(kScheme);
    if (!ParseTableUri(job.cloud.destination).has_value()) {
      name += name.find('.') == std::string::npos ? ".gen_ai_batch_prediction" : "";
      SLUICE_TRY(tables_.MakeDataset(name, "us-central1"));
      name += fmt::format(".predictions_{}", job.id);
    }
    const bool is_instance = KindOf(job) == VertexModelKind::kTextEmbedding;
    StoredTable table{.name = name, .columns = {}, .row_count = job.request_count};
    // What asks for text is a column of JSON; text embeddings write theirs as text.
    for (const auto& [column, type] :
         {std::pair("key", "STRING"),
          is_instance ? std::pair("content", "STRING") : std::pair("request", "JSON"),
          is_instance ? std::pair("predictions", "STRING") : std::pair("response", "JSON"),
          std::pair("status", "STRING")}) {
      table.columns.push_back({.name = column, .type = type});
    }
    SLUICE_TRY(tables_.Adopt(table, path));
    job.cloud.result = "bq://" + name;
    return {};
  }

  ObjectStore& objects_;
  TableStore& tables_;
  Faults& faults_;
  Clock& clock_;
};

}  // namespace

std::string VertexJobName(const Job& job) {
  return fmt::format("projects/{}/locations/{}/batchPredictionJobs/{}", kProjectNumber,
                     job.cloud.location, job.id);
}

std::unique_ptr<JobForm> MakeVertexJobForm(ObjectStore& objects, TableStore& tables, Faults& faults,
                                           Clock& clock) {
  return std::make_unique<VertexJobForm>(objects, tables, faults, clock);
}

}  // namespace sluice
