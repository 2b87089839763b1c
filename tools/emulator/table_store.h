// TableStore: the datasets and tables of the local BigQuery, as a document and a file of rows each
// in a folder, and the jobs that made them. Survives kill -9. Thread-safe.
//
//   datasets.json               all datasets, "project.dataset", and where each one is
//   <table>.json  <table>.rows  columns; rows, a JSON object a line
//   jobs/<id>.json              a job as it is told
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "io/file/file_system.h"

namespace sluice {

struct StoredColumn {
  std::string name;
  std::string type;  // "STRING", "JSON"
  bool required = false;
};

struct StoredTable {
  std::string name;  // "project.dataset.table"
  std::vector<StoredColumn> columns;
  uint64_t row_count = 0;
};

class TableStore {
 public:
  [[nodiscard]] static Result<std::unique_ptr<TableStore>> Open(FileSystem& files,
                                                                std::string folder);
  TableStore(FileSystem& files, std::string folder);

  // `dataset`: "project.dataset". False when it was there already.
  [[nodiscard]] Result<bool> MakeDataset(const std::string& dataset, const std::string& location);
  // Where it is; nothing when there is none.
  [[nodiscard]] std::optional<std::string> LocationOf(const std::string& dataset);

  [[nodiscard]] std::optional<StoredTable> Find(const std::string& name);
  // Moves the rows under `path` into the store as `table`; kConflict when one of that name is
  // there, kNotFound without its dataset.
  [[nodiscard]] Result<void> Adopt(const StoredTable& table, const std::string& path);
  // False when it was not there.
  [[nodiscard]] Result<bool> Remove(const std::string& name);
  [[nodiscard]] Result<std::unique_ptr<File>> OpenRows(const std::string& name);
  // A path in the store's own folder for rows that are written piece by piece and then adopted.
  [[nodiscard]] std::string TemporaryPath() const;

  // Keeps the resource of a job; false when there is one of that id.
  [[nodiscard]] Result<bool> KeepJob(const std::string& id, const std::string& resource);
  [[nodiscard]] std::optional<std::string> FindJob(const std::string& id);

 private:
  [[nodiscard]] Result<void> Load();
  [[nodiscard]] std::string PathOf(const std::string& name, std::string_view suffix) const;

  FileSystem& files_;
  const std::string folder_;
  std::mutex mutex_;
  std::map<std::string, std::string> datasets_;
  std::map<std::string, StoredTable> tables_;
};

// The part of "project.dataset.table" in front of its last dot.
[[nodiscard]] std::string DatasetOf(const std::string& table);

}  // namespace sluice
