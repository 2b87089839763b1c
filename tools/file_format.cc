#include "tools/file_format.h"

#include <nlohmann/json.hpp>

#include "tools/json_line.h"
#include "tools/text_table.h"
#include "tools/units.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::string StateWord(const RemoteFile& file) {
  return file.error_message.empty() ? file.raw_state : file.raw_state + ": " + file.error_message;
}

std::string SizeWords(const RemoteFile& file) {
  return file.size_bytes ? FormatBytes(*file.size_bytes) : "";
}

OrderedJson FileAsJson(const RemoteFile& file) {
  return {{"name", file.name},
          {"display_name", file.display_name},
          {"mime_type", file.mime_type},
          {"size_bytes", file.size_bytes ? OrderedJson(*file.size_bytes) : OrderedJson()},
          {"sha256_hash", file.sha256_hash},
          {"create_time", file.create_time},
          {"update_time", file.update_time},
          {"expiration_time", file.expiration_time},
          {"source", file.source},
          {"state", file.raw_state},
          {"error", file.error_message}};
}

}  // namespace

// The address (`uri`) is left out: it serves requests to a model, not people.
std::string FormatFile(const RemoteFile& file) {
  return FormatNamedValues({{"Name", file.name},
                            {"Display name", file.display_name},
                            {"State", StateWord(file)},
                            {"Source", file.source},
                            {"Type", file.mime_type},
                            {"Size", SizeWords(file)},
                            {"SHA-256", file.sha256_hash},
                            {"Created", file.create_time},
                            {"Updated", file.update_time},
                            {"Expires", file.expiration_time}});
}

std::string FormatFileTable(std::span<const RemoteFile> files) {
  TextTable table({{.heading = "NAME"},
                   {.heading = "STATE"},
                   {.heading = "SIZE", .align = TextTable::Align::kRight},
                   {.heading = "SOURCE"},
                   {.heading = "CREATED"},
                   {.heading = "EXPIRES"},
                   {.heading = "DISPLAY NAME"}});
  for (const RemoteFile& file : files) {
    table.AddRow({file.name, StateWord(file), SizeWords(file), file.source, file.create_time,
                  file.expiration_time, file.display_name});
  }
  return table.Format();
}

std::string FormatFileAsJson(const RemoteFile& file, const std::string& sha256,
                             const Terminal& terminal) {
  OrderedJson document = {{"v", 1}, {"type", "file"}, {"file", FileAsJson(file)}};
  if (!sha256.empty()) {
    document["sha256"] = sha256;
  }
  return JsonLine(document, terminal);
}

std::string FormatFilesAsJson(std::span<const RemoteFile> files, const std::string& next_page_token,
                              const Terminal& terminal) {
  OrderedJson document = {{"v", 1},
                          {"type", "files"},
                          {"files", OrderedJson::array()},
                          {"next_page_token", next_page_token}};
  for (const RemoteFile& file : files) {
    document["files"].push_back(FileAsJson(file));
  }
  return JsonLine(document, terminal);
}

}  // namespace sluice
