// VertexAnswers: the answers of batch prediction jobs, out of the folder or the table that the
// service wrote them to. Thread-safe.
//
// Names of the objects: "predictions.jsonl" in every public record of Gemini jobs since 2025, other
// names in the API's own comments and of other kinds of models, and chunks in
// "incremental_predictions/" while a job runs (and left behind by one that was stopped).
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "api/bigquery/bigquery_client.h"
#include "api/storage/storage_client.h"
#include "io/base/error.h"

namespace sluice {

class VertexAnswers {
 public:
  // Both must outlive it.
  VertexAnswers(const StorageClient& storage, const BigQueryClient& tables)
      : storage_(storage), tables_(tables) {}

  // Gives the answers in `address` ("gs://bucket/folder" or "bq://project.dataset.table") to
  // `writer` as JSON lines, each object whole, so that a line is never cut between two of them.
  // `restart` is called before all bytes come again. Returns the byte count. Errors: kNotFound when
  // the folder holds no answers; kRefused for more than `bytes_max`; those of the two clients.
  [[nodiscard]] Result<uint64_t> Fetch(const std::string& address, uint64_t bytes_max,
                                       const BodyWriter& writer,
                                       const std::function<Result<void>()>& restart,
                                       std::stop_token stop) const;

  // Where the answers of a job lie that ended and does not say so: the newest folder "prediction-*"
  // below `destination` that was begun at or after `create_time` (RFC 3339), or the table that
  // `destination` is when it is there; empty when there is neither. Meant for
  // destinations that one job alone writes to.
  [[nodiscard]] Result<std::string> Find(const std::string& destination,
                                         std::string_view create_time, std::stop_token stop) const;

 private:
  Result<uint64_t> FetchFolder(const std::string& address, uint64_t bytes_max,
                               const BodyWriter& writer,
                               const std::function<Result<void>()>& restart,
                               const std::stop_token& stop) const;
  Result<uint64_t> FetchTable(const std::string& address, uint64_t bytes_max,
                              const BodyWriter& writer, std::stop_token stop) const;

  const StorageClient& storage_;
  const BigQueryClient& tables_;
};

// Which of the objects in a job's folder (names relative to it) hold its answers: the final one
// alone when it is there, else all that may. The order is theirs.
[[nodiscard]] std::vector<std::string> ChooseAnswerObjects(const std::vector<std::string>& names);

}  // namespace sluice
