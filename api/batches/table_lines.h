// Rows of an answer table as the answer lines that Cloud Storage would hold, so that both are read
// by the same code. An immutable function, thread-safe.
#pragma once

#include <string>

#include "api/bigquery/bigquery_client.h"

namespace sluice {

// Appends {"key":...,"status":...,"response":{...},...} and a LF. Columns that hold JSON
// (`request`, `response`, `predictions`; of type JSON or STRING) become JSON; cells that are NULL
// are left out.
void AppendTableLine(const TableRow& row, std::string& out);

}  // namespace sluice
