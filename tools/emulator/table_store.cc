#include "tools/emulator/table_store.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/json/json_document.h"
#include "tools/emulator/random_id.h"
#include "tools/emulator/state_file.h"

namespace sluice {

namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view kTableSuffix = ".table.json";

std::string DocumentText(const StoredTable& table) {
  OrderedJson columns = OrderedJson::array();
  for (const StoredColumn& column : table.columns) {
    columns.push_back(
        {{"name", column.name}, {"type", column.type}, {"required", column.required}});
  }
  return OrderedJson{{"name", table.name}, {"row_count", table.row_count}, {"columns", columns}}
      .dump();
}

Result<StoredTable> ParseTable(const std::string& text, const std::string& path) {
  const OrderedJson json = ParseOrderedJson(text);
  if (!json.is_object() || !json.contains("columns")) {
    return Fail(ErrorCode::kIo, fmt::format("'{}' is not a document of the service", path));
  }
  StoredTable table{.name = json.value("name", ""),
                    .columns = {},
                    .row_count = json.value("row_count", uint64_t{0})};
  for (const OrderedJson& column : json["columns"]) {
    table.columns.push_back({.name = column.value("name", ""),
                             .type = column.value("type", ""),
                             .required = column.value("required", false)});
  }
  return table;
}

}  // namespace

std::string DatasetOf(const std::string& table) { return table.substr(0, table.rfind('.')); }

TableStore::TableStore(FileSystem& files, std::string folder)
    : files_(files), folder_(std::move(folder)) {}

Result<std::unique_ptr<TableStore>> TableStore::Open(FileSystem& files, std::string folder) {
  SLUICE_TRY(files.MakeFolders(folder + "/jobs"));
  auto store = std::make_unique<TableStore>(files, std::move(folder));
  SLUICE_TRY(store->Load());
  return store;
}

Result<void> TableStore::Load() {
  const std::string datasets = folder_ + "/datasets.json";
  if (files_.Exists(datasets)) {
    SLUICE_ASSIGN(const std::string text, ReadStateFile(files_, datasets));
    const OrderedJson known = ParseOrderedJson(text);
    for (const auto& [name, location] : known.items()) {
      datasets_[name] = location.get<std::string>();
    }
  }
  SLUICE_ASSIGN(const auto names, files_.List(folder_));
  for (const std::string& name : names) {
    if (name.ends_with(kTableSuffix)) {
      const std::string path = folder_ + "/" + name;
      SLUICE_ASSIGN(const std::string text, ReadStateFile(files_, path));
      SLUICE_ASSIGN(StoredTable table, ParseTable(text, path));
      tables_[table.name] = std::move(table);
    }
  }
  return {};
}

std::string TableStore::PathOf(const std::string& name, std::string_view suffix) const {
  return fmt::format("{}/{}{}", folder_, name, suffix);
}

std::string TableStore::TemporaryPath() const {
  constexpr size_t kNameLength = 20;
  return fmt::format("{}/jobs/{}.part", folder_, RandomId(kNameLength));
}

Result<bool> TableStore::MakeDataset(const std::string& dataset, const std::string& location) {
  const std::scoped_lock lock(mutex_);
  if (!datasets_.try_emplace(dataset, location).second) {
    return false;
  }
  SLUICE_TRY(ReplaceStateFile(files_, folder_ + "/datasets.json", OrderedJson(datasets_).dump()));
  return true;
}

std::optional<std::string> TableStore::LocationOf(const std::string& dataset) {
  const std::scoped_lock lock(mutex_);
  const auto found = datasets_.find(dataset);
  return found == datasets_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<StoredTable> TableStore::Find(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  const auto found = tables_.find(name);
  return found == tables_.end() ? std::nullopt : std::optional(found->second);
}

Result<void> TableStore::Adopt(const StoredTable& table, const std::string& path) {
  const std::scoped_lock lock(mutex_);
  if (!datasets_.contains(DatasetOf(table.name))) {
    return Fail(ErrorCode::kNotFound, fmt::format("Not found: Dataset {}", DatasetOf(table.name)));
  }
  if (tables_.contains(table.name)) {
    return Fail(ErrorCode::kConflict, fmt::format("Already Exists: Table {}", table.name));
  }
  // The rows first: a table is never known without them.
  SLUICE_TRY(files_.Rename(path, PathOf(table.name, ".rows")));
  SLUICE_TRY(ReplaceStateFile(files_, PathOf(table.name, kTableSuffix), DocumentText(table)));
  tables_[table.name] = table;
  return {};
}

Result<bool> TableStore::Remove(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  if (tables_.erase(name) == 0) {
    return false;
  }
  SLUICE_TRY(files_.Remove(PathOf(name, kTableSuffix)));
  SLUICE_TRY(files_.Remove(PathOf(name, ".rows")));
  return true;
}

Result<std::unique_ptr<File>> TableStore::OpenRows(const std::string& name) {
  return files_.Open(PathOf(name, ".rows"), OpenMode::kRead);
}

Result<bool> TableStore::KeepJob(const std::string& id, const std::string& resource) {
  const std::scoped_lock lock(mutex_);
  const std::string path = fmt::format("{}/jobs/{}.json", folder_, id);
  if (files_.Exists(path)) {
    return false;
  }
  SLUICE_TRY(ReplaceStateFile(files_, path, resource));
  return true;
}

std::optional<std::string> TableStore::FindJob(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  auto text = ReadStateFile(files_, fmt::format("{}/jobs/{}.json", folder_, id));
  return text.has_value() ? std::optional(*std::move(text)) : std::nullopt;
}

}  // namespace sluice
