#include "tools/run_errors.h"

#include <fmt/format.h>
#include <functional>
#include <nlohmann/json.hpp>

#include "engine/run_directory.h"
#include "io/file/line_reader.h"
#include "io/json/json_document.h"
#include "tools/terminal.h"
#include "tools/units.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr uint64_t kShown = 100;

// Calls `visit` with every line of a file of JSON lines; a file that is not there has none.
Result<void> ForEachLine(FileSystem& files, const std::string& path,
                         const std::function<void(const OrderedJson&)>& visit) {
  if (!files.Exists(path)) {
    return {};
  }
  SLUICE_ASSIGN(auto file, files.Open(path, OpenMode::kRead));
  LineReader reader(MakeFileSource(std::move(file)));
  while (true) {
    SLUICE_ASSIGN(const std::optional<std::string_view> line, reader.Next());
    if (!line) {
      return {};
    }
    const OrderedJson document = ParseOrderedJson(*line);
    if (!document.is_object()) {
      return Fail(ErrorCode::kIo, fmt::format("{}: a line is no JSON object", path));
    }
    visit(document);
  }
}

std::string TextOf(const OrderedJson& line, const char* name) {
  const auto member = line.find(name);
  if (member == line.end()) {
    return "";
  }
  return member->is_string() ? member->get<std::string>() : member->dump();
}

std::string FailureLine(const OrderedJson& line) {
  const OrderedJson error = line.value("error", OrderedJson::object());
  return EscapeControls(fmt::format("row {}  {}:{}  {}: {}", TextOf(line, "row"),
                                    TextOf(line, "file"), TextOf(line, "line"),
                                    TextOf(error, "class"), TextOf(error, "message"))) +
         '\n';
}

std::string RejectLine(const OrderedJson& line) {
  return EscapeControls(fmt::format("{}:{} (byte {})  {}", TextOf(line, "file"),
                                    TextOf(line, "line"), TextOf(line, "offset"),
                                    TextOf(line, "reason"))) +
         '\n';
}

Result<std::string> Section(FileSystem& files, const std::string& path, std::string_view title,
                            std::string (*format)(const OrderedJson&)) {
  uint64_t count = 0;
  std::string text;
  SLUICE_TRY(ForEachLine(files, path, [&](const OrderedJson& line) {
    if (count++ < kShown) {
      text += "  " + format(line);
    }
  }));
  if (count > kShown) {
    text += fmt::format("  ... all {} are in {}\n", FormatCount(count), EscapeControls(path));
  }
  return count == 0 ? std::string() : fmt::format("{}:\n{}", title, text);
}

}  // namespace

Result<std::string> FormatRunErrors(FileSystem& files, const std::string& run_folder) {
  const RunDirectory directory(run_folder);
  SLUICE_ASSIGN(const std::string failures,
                Section(files, directory.failures(), "Failed rows", FailureLine));
  SLUICE_ASSIGN(const std::string rejects,
                Section(files, directory.rejects(), "Refused lines", RejectLine));
  return failures.empty() && rejects.empty() ? "No errors.\n" : failures + rejects;
}

Result<std::string> RunErrorsAsJson(FileSystem& files, const std::string& run_folder) {
  const RunDirectory directory(run_folder);
  OrderedJson errors = {{"failures", OrderedJson::array()}, {"rejects", OrderedJson::array()}};
  SLUICE_TRY(ForEachLine(files, directory.failures(),
                         [&](const OrderedJson& line) { errors["failures"].push_back(line); }));
  SLUICE_TRY(ForEachLine(files, directory.rejects(), [&](const OrderedJson& line) {
    OrderedJson reject = line;
    reject.erase("raw");
    reject.erase("raw_base64");
    errors["rejects"].push_back(std::move(reject));
  }));
  return errors.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace sluice
