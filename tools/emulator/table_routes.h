// The routes of BigQuery's REST API (v2) that load, read and extract tables need. Thread-safe.
//
//   /bigquery/v2/projects/P/datasets[/D[/tables/T[/data]]]
//   /bigquery/v2/projects/P/jobs[/ID]        load and extract, which are done at once
//   /upload/bigquery/v2/projects/P/jobs      load with its rows, uploadType=multipart
#pragma once

#include "tools/emulator/service.h"

namespace sluice {

[[nodiscard]] bool ServesTables(const Exchange& exchange);
void AnswerTables(Service& service, Exchange& exchange);

}  // namespace sluice
