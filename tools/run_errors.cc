#include "tools/run_errors.h"

#include <fmt/format.h>
#include <functional>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/run_directory.h"
#include "io/file/line_reader.h"
#include "io/json/json_document.h"
#include "tools/json_line.h"
#include "tools/terminal.h"
#include "tools/units.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr uint64_t kShown = 100;

// Calls `visit` with every line of a file of JSON lines; a file that is not there has none.
Result<void> ForEachLine(FileSystem& files, const std::string& path,
                         const std::function<void(OrderedJson&)>& visit) {
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
    OrderedJson document = ParseOrderedJson(*line);
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

// The lines of a file as the elements of a list.
Result<void> PrintList(FileSystem& files, const std::string& path, const Console& console) {
  std::string_view before;
  return ForEachLine(files, path, [&](OrderedJson& line) {
    line.erase("raw");
    line.erase("raw_base64");
    std::string element = JsonLine(line, console.out);
    element.pop_back();
    console.Print(std::exchange(before, ","));
    console.Print(element);
  });
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

Result<void> PrintRunErrorsAsJson(FileSystem& files, const std::string& run_folder,
                                  const Console& console) {
  const RunDirectory directory(run_folder);
  console.Print("{\"failures\":[");
  SLUICE_TRY(PrintList(files, directory.failures(), console));
  console.Print("],\"rejects\":[");
  SLUICE_TRY(PrintList(files, directory.rejects(), console));
  console.Print("]}");
  return {};
}

}  // namespace sluice
