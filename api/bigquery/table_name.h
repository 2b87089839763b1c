// TableName: a table of BigQuery, as "bq://project.dataset.table" names it. Plain data; immutable
// functions.
//
// Rules of names: https://docs.cloud.google.com/bigquery/docs/datasets#dataset-naming and
// tables#table_naming (2026-08); of tables only what needs no quoting anywhere is taken.
#pragma once

#include <string>
#include <string_view>

#include "io/base/error.h"

namespace sluice {

struct TableName {
  std::string project;
  std::string dataset;
  std::string table;

  [[nodiscard]] bool operator==(const TableName& other) const = default;
};

// Whether `text` is meant as an address in BigQuery: begins with "bq://".
[[nodiscard]] bool IsTableUri(std::string_view text);
[[nodiscard]] bool IsDatasetName(std::string_view dataset);

// Errors: kUsage.
[[nodiscard]] Result<TableName> ParseTableUri(std::string_view uri);
// Where a job may write: "bq://project", "bq://project.dataset" or a table. Errors: kUsage.
[[nodiscard]] Result<void> CheckTableDestination(std::string_view uri);

// "bq://project.dataset.table".
[[nodiscard]] std::string FormatTableUri(const TableName& name);

}  // namespace sluice
