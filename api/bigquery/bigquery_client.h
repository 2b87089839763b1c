// BigQueryClient: the part of BigQuery's REST API (v2) that sluice needs: rows in by load jobs,
// rows out by pages. Thread-safe.
//
// All calls are repeated by themselves as api/http/retry.h says, and end with kUnfinished soon
// after `stop` is requested. Jobs bear ids that the caller chooses: a repeat finds the job that
// there is and waits for its end, so that nothing is ever loaded twice. Errors of all: as Batches;
// kNotFound for a dataset or a table that is not there; kUnavailable also for a quota (403 with the
// reason rateLimitExceeded or quotaExceeded).
//
// Source: https://docs.cloud.google.com/bigquery/docs/reference/rest/v2 and error-messages,
// 2026-08.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "api/auth/api_key.h"
#include "api/bigquery/table_name.h"
#include "api/files/stage_source.h"
#include "api/http/google_service.h"
#include "io/base/error.h"

namespace sluice {

// A service like https://bigquery.googleapis.com, without tokens yet. BIGQUERY_EMULATOR_HOST names
// another one, with or without a scheme; as Google's clients have it, nobody signs in there.
struct BigQueryPlace {
  GoogleServiceOptions options = {};
  bool is_emulator = false;
};
[[nodiscard]] BigQueryPlace BigQueryOfEnvironment(const EnvironmentLookup& environment);

struct TableColumn {
  std::string name = {};
  std::string type = {};  // "STRING", "JSON", ...
  bool required = false;
};

struct TableCell {
  const TableColumn* column = nullptr;
  std::optional<std::string> value = {};  // as text, whatever the type; nothing for NULL
};
using TableRow = std::vector<TableCell>;

// What a load job is asked for. Rows are JSON objects, one a line.
struct LoadOptions {
  std::string job_id = {};  // 1 to 1024 of A-Z a-z 0-9 _ -
  std::vector<TableColumn> columns = {};
  std::map<std::string, std::string> labels = {};  // a-z 0-9 _ -, at most 63 each
  ByteProgress progress = {};                      // of an upload
};

// A job that ended well.
struct TableJob {
  bool existed = false;  // made by an earlier call with the same id
  uint64_t rows = 0;     // that a load job wrote
  std::map<std::string, std::string> labels = {};
};

class BigQueryClient {
 public:
  // `service` must outlive this object; made of BigQueryPlace::options. Jobs run in `project`, and
  // datasets are made, in `location`.
  BigQueryClient(const GoogleService& service, std::string project, std::string location)
      : service_(service), project_(std::move(project)), location_(std::move(location)) {}

  // One that is there already is a success, when it is in the client's location: kUsage elsewhere,
  // because jobs read and write tables of their own region alone.
  [[nodiscard]] Result<void> MakeDataset(const std::string& dataset,
                                         std::stop_token stop = {}) const;

  // Loads rows into a table that is made by it, from objects in Cloud Storage ("gs://...") or from
  // `source`, which is uploaded, in whole again when a transfer breaks. Waits for the end of the
  // job. Errors: kRemoteFailed when the rows were refused; kConflict when the job failed in a way
  // that may pass. Its id is used up by either.
  [[nodiscard]] Result<TableJob> Load(const TableName& table, const std::vector<std::string>& uris,
                                      const LoadOptions& options, std::stop_token stop = {}) const;
  [[nodiscard]] Result<TableJob> LoadByUpload(const TableName& table, const StageSource& source,
                                              const LoadOptions& options,
                                              std::stop_token stop = {}) const;

  // Gives all rows to `take`, page by page: memory holds one page. Returns how many there were.
  // Errors: those of `take`; kBadAnswer for pages that do not make up the table.
  [[nodiscard]] Result<uint64_t> ReadRows(const TableName& table,
                                          const std::function<Result<void>(const TableRow&)>& take,
                                          const std::stop_token& stop = {}) const;

  [[nodiscard]] Result<bool> HasTable(const TableName& table, std::stop_token stop = {}) const;

  // A table that is not there is a success.
  [[nodiscard]] Result<void> DeleteTable(const TableName& table, std::stop_token stop = {}) const;

 private:
  [[nodiscard]] HttpRequest Request(const std::string& method, const std::string& path,
                                    std::stop_token stop) const;
  [[nodiscard]] HttpRequest JsonRequest(const std::string& method, const std::string& path,
                                        std::string body, std::stop_token stop) const;
  [[nodiscard]] std::string JobPath(const std::string& job_id) const;
  Result<TableJob> Insert(const std::string& job_id, std::string body, std::stop_token stop) const;
  Result<void> SendRows(const StageSource& source, std::string_view metadata,
                        const LoadOptions& options, std::stop_token stop) const;
  Result<TableJob> Await(const std::string& job_id, bool existed,
                         const std::stop_token& stop) const;
  Result<std::vector<TableColumn>> Columns(const TableName& table, std::stop_token stop) const;

  const GoogleService& service_;
  const std::string project_;
  const std::string location_;
};

}  // namespace sluice
