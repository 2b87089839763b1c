#include "api/batches/vertex_answers.h"

#include <algorithm>
#include <fmt/format.h>

#include "api/batches/table_lines.h"
#include "api/bigquery/table_name.h"
#include "io/file/file_system.h"

namespace sluice {
namespace {

// Of a folder from its first object on, because a later one began from zero.
constexpr int kRestartsMax = 5;
constexpr std::string_view kChunks = "incremental_predictions/";

// The part behind the last slash.
std::string_view BaseName(std::string_view name) {
  return name.substr(name.rfind('/') + 1);  // npos + 1 is 0
}

bool MayHoldAnswers(std::string_view name) {
  const std::string_view base = BaseName(name);
  return base.ends_with(".jsonl") || base.starts_with("prediction.results-") ||
         base.starts_with("prediction.errors");
}

// A description that lost a column on its way would make failed rows of paid answers.
Result<void> CheckAnswerColumns(const TableRow& row, const std::string& address) {
  const bool holds_answers = std::ranges::any_of(row, [](const TableCell& cell) {
    return cell.column->name == "response" || cell.column->name == "predictions";
  });
  return holds_answers ? Result<void>()
                       : Fail(ErrorCode::kBadAnswer,
                              fmt::format("{} has no column of answers: neither response nor "
                                          "predictions",
                                          address));
}

// Writes bytes on, and ends every object with a line end: the last line of one may lack it.
class LineEndWriter {
 public:
  explicit LineEndWriter(const BodyWriter& writer) : writer_(writer) {}

  Result<void> Write(std::span<const std::byte> bytes) {
    if (bytes.empty()) {
      return {};
    }
    ends_line_ = bytes.back() == std::byte{'\n'};
    size_ += bytes.size();
    return writer_(bytes);
  }
  Result<void> EndObject() { return ends_line_ ? Result<void>() : Write(AsBytes("\n")); }
  void Restart() {
    ends_line_ = true;
    size_ = 0;
  }
  [[nodiscard]] uint64_t size() const { return size_; }

 private:
  const BodyWriter& writer_;
  bool ends_line_ = true;
  uint64_t size_ = 0;
};

// "2026-08-22T10:00:00" of an instant in whatever precision.
std::string_view Seconds(std::string_view time) { return time.substr(0, 19); }

}  // namespace

std::vector<std::string> ChooseAnswerObjects(const std::vector<std::string>& names) {
  const auto final_one = std::ranges::find_if(names, [](const std::string& name) {
    return BaseName(name) == "predictions.jsonl" && name.find(kChunks) == std::string::npos;
  });
  if (final_one != names.end()) {
    return {*final_one};
  }
  std::vector<std::string> chosen;
  std::ranges::copy_if(names, std::back_inserter(chosen), MayHoldAnswers);
  return chosen;
}

Result<uint64_t> VertexAnswers::Fetch(const std::string& address, uint64_t bytes_max,
                                      const BodyWriter& writer,
                                      const std::function<Result<void>()>& restart,
                                      std::stop_token stop) const {
  return IsTableUri(address) ? FetchTable(address, bytes_max, writer, stop)
                             : FetchFolder(address, bytes_max, writer, restart, stop);
}

Result<uint64_t> VertexAnswers::FetchFolder(const std::string& address, uint64_t bytes_max,
                                            const BodyWriter& writer,
                                            const std::function<Result<void>()>& restart,
                                            const std::stop_token& stop) const {
  // A prefix without its slash would catch the folders of others.
  SLUICE_ASSIGN(const ObjectPrefix folder, ParseFolderUri(address));
  SLUICE_ASSIGN(const std::vector<RemoteObject> objects,
                storage_.ListAll(folder.bucket, {.prefix = folder.prefix}, stop).Rest());
  std::vector<std::string> names;
  names.reserve(objects.size());
  for (const RemoteObject& object : objects) {
    names.push_back(object.name.object.substr(folder.prefix.size()));
  }
  const std::vector<std::string> chosen = ChooseAnswerObjects(names);
  if (chosen.empty()) {
    return Fail(ErrorCode::kNotFound, fmt::format("{} holds no answers", address));
  }
  LineEndWriter lines(writer);
  int restarts = 0;
  for (size_t i = 0; i < chosen.size();) {
    bool began_again = false;
    const auto begin_again = [&]() -> Result<void> {
      began_again = i > 0;
      restarts += began_again ? 1 : 0;
      if (restarts > kRestartsMax) {
        return Fail(ErrorCode::kTransport,
                    fmt::format("{} broke off too often in the middle", address));
      }
      lines.Restart();
      return restart();
    };
    const ObjectName name{.bucket = folder.bucket, .object = folder.prefix + chosen[i]};
    const auto fetched = storage_.Download(
        name, bytes_max - std::min(bytes_max, lines.size()),
        [&](std::span<const std::byte> bytes) -> Result<void> {
          // What came from zero in a later object lacks the objects before it: fetched for nothing.
          return began_again ? Result<void>() : lines.Write(bytes);
        },
        begin_again, stop);
    SLUICE_TRY(fetched);
    if (began_again) {
      i = 0;
      continue;
    }
    SLUICE_TRY(lines.EndObject());
    ++i;
  }
  return lines.size();
}

Result<uint64_t> VertexAnswers::FetchTable(const std::string& address, uint64_t bytes_max,
                                           const BodyWriter& writer, std::stop_token stop) const {
  SLUICE_ASSIGN(const TableName table, ParseTableUri(address));
  uint64_t size = 0;
  std::string line;
  const auto take = [&](const TableRow& row) -> Result<void> {
    SLUICE_TRY(CheckAnswerColumns(row, address));
    line.clear();
    AppendTableLine(row, line);
    size += line.size();
    if (size > bytes_max) {
      return Fail(ErrorCode::kRefused,
                  fmt::format("{} holds more than {} bytes", address, bytes_max));
    }
    return writer(AsBytes(line));
  };
  // A page is read whole before its rows are given on, so nothing ever comes again.
  SLUICE_TRY(tables_.ReadRows(table, take, stop));
  return size;
}

Result<std::string> VertexAnswers::Find(const std::string& destination,
                                        std::string_view create_time, std::stop_token stop) const {
  if (const auto table = ParseTableUri(destination); table.has_value()) {
    SLUICE_ASSIGN(const bool is_there, tables_.HasTable(*table, std::move(stop)));
    return is_there ? destination : std::string();
  }
  if (!IsObjectUri(destination)) {
    return std::string();
  }
  SLUICE_ASSIGN(const ObjectPrefix place, ParseFolderUri(destination));
  const ListObjectsOptions options{.prefix = place.prefix + "prediction-"};
  SLUICE_ASSIGN(const std::vector<RemoteObject> objects,
                storage_.ListAll(place.bucket, options, std::move(stop)).Rest());
  std::string newest;
  std::string newest_time;
  for (const RemoteObject& object : objects) {
    const size_t end = object.name.object.find('/', place.prefix.size());
    if (end == std::string::npos || Seconds(object.create_time) < Seconds(create_time) ||
        object.create_time < newest_time) {
      continue;
    }
    newest = object.name.object.substr(0, end);
    newest_time = object.create_time;
  }
  return newest.empty() ? newest : FormatObjectUri({.bucket = place.bucket, .object = newest});
}

}  // namespace sluice
