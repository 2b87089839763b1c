#include "engine/failures.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/file/atomic_file.h"
#include "io/file/line_reader.h"
#include "io/json/json_document.h"
#include "io/record/row_line.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

Result<LineReader> OpenLines(FileSystem& files, const std::string& path) {
  SLUICE_ASSIGN(auto file, files.Open(path, OpenMode::kRead));
  return LineReader(MakeFileSource(std::move(file)));
}

// Steps through the ids file beside the failures, which are sorted by row as it is.
class IdsOfRows {
 public:
  IdsOfRows(LineReader lines, std::string path)
      : lines_(std::move(lines)), path_(std::move(path)) {}

  Result<std::string_view> Of(Ordinal row) {
    std::optional<std::string_view> line;
    for (; next_ <= row; ++next_) {
      SLUICE_ASSIGN(line, lines_.Next());
      if (!line.has_value()) {
        return Fail(ErrorCode::kIo, fmt::format("'{}' ends before row {}", path_, row));
      }
    }
    return *line;
  }

 private:
  LineReader lines_;
  std::string path_;
  Ordinal next_ = 0;
};

std::optional<FailedAnswer> ParseFailure(std::string_view line) {
  try {
    const Json json = ParseJson(line);
    const Json& error = json.at("error");
    const auto failure_class = ParseFailureClass(error.at("class").get<std::string>());
    if (!failure_class.has_value()) {
      return std::nullopt;
    }
    return FailedAnswer{.row = {.row = json.at("row"),
                                .failure = {.failure_class = *failure_class,
                                            .code = error.at("code"),
                                            .message = error.at("message")}},
                        .job = json.at("job")};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

Result<std::vector<FailedAnswer>> ReadFailures(FileSystem& files, const std::string& path) {
  SLUICE_ASSIGN(LineReader lines, OpenLines(files, path));
  std::vector<FailedAnswer> failures;
  while (true) {
    SLUICE_ASSIGN(const auto line, lines.Next());
    if (!line.has_value()) {
      return failures;
    }
    auto failure = ParseFailure(*line);
    if (!failure.has_value() ||
        (!failures.empty() && failures.back().row.row >= failure->row.row)) {
      return Fail(ErrorCode::kIo, fmt::format("'{}' is damaged", path));
    }
    failures.push_back(*std::move(failure));
  }
}

Result<void> WriteFailures(FileSystem& files, const std::string& path,
                           const std::vector<FailedAnswer>& failures) {
  SLUICE_ASSIGN(AtomicFile file, AtomicFile::Create(files, path));
  std::string text;
  for (const auto& [row, job] : failures) {
    text += fmt::format("{{\"row\":{},\"job\":\"{}\",\"error\":{}}}\n", row.row, job,
                        FailureJson(row.failure));
    SLUICE_TRY(file.WriteWhenLarge(text));
  }
  SLUICE_TRY(file.Write(text));
  return file.Commit();
}

std::vector<Ordinal> RowsOfClasses(const std::vector<FailedAnswer>& failures,
                                   FailureClasses classes) {
  std::vector<Ordinal> rows;
  for (const FailedAnswer& failure : failures) {
    if (classes.contains(failure.row.failure.failure_class)) {
      rows.push_back(failure.row.row);
    }
  }
  return rows;
}

Result<std::vector<Ordinal>> CollectFailures(FileSystem& files, const RunDirectory& directory,
                                             const Manifest& manifest,
                                             const std::map<uint32_t, int>& rounds) {
  SLUICE_ASSIGN(AtomicFile out, AtomicFile::Create(files, directory.failures()));
  SLUICE_ASSIGN(LineReader ids_lines, OpenLines(files, directory.ids()));
  IdsOfRows ids(std::move(ids_lines), directory.ids());
  std::vector<Ordinal> rows;
  std::string text;
  for (const ShardEntry& shard : manifest.shards()) {
    const std::string path = directory.shard_failures(shard.shard, rounds.at(shard.shard));
    SLUICE_ASSIGN(LineReader lines, OpenLines(files, path));
    while (true) {
      SLUICE_ASSIGN(const auto line, lines.Next());
      if (!line.has_value()) {
        break;
      }
      const std::optional<Ordinal> row = RowOfLine(*line);
      if (!row.has_value() || !shard.range.contains(*row)) {
        return Fail(ErrorCode::kIo, fmt::format("'{}' is damaged", path));
      }
      SLUICE_ASSIGN(const std::string_view id, ids.Of(*row));
      text.append(id.substr(0, id.size() - 1)).push_back(',');
      text.append(line->substr(line->find(',') + 1)).push_back('\n');
      rows.push_back(*row);
      SLUICE_TRY(out.WriteWhenLarge(text));
    }
  }
  SLUICE_TRY(out.Write(text));
  SLUICE_TRY(out.Commit());
  return rows;
}

Result<std::vector<std::string>> FirstFailures(FileSystem& files, const RunDirectory& directory,
                                               size_t count_max) {
  SLUICE_ASSIGN(LineReader lines, OpenLines(files, directory.failures()));
  std::vector<std::string> first;
  while (first.size() < count_max) {
    SLUICE_ASSIGN(const auto line, lines.Next());
    if (!line.has_value()) {
      break;
    }
    first.emplace_back(*line);
  }
  return first;
}

}  // namespace sluice
