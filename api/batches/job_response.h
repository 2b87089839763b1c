// JobResponse: what came of one request of a batch job. Plain data, except for its reader.
//
// Source of the forms: recorded answers of 2025-2026 and the cookbook's Batch_mode.ipynb; embedding
// answers differ by model and generation answers have members in any order.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/batches/batch_job.h"
#include "api/protocol/line_protocol.h"
#include "io/base/error.h"

namespace sluice {

// One of: an embedding (`vector`), a generation (all the others), an error.
struct JobResponse {
  std::string key = {};  // of the request; empty when the service sent none
  std::vector<float> vector = {};
  std::string text = {};                // of the first candidate, without the model's thoughts
  std::vector<std::string> parts = {};  // of the first candidate, thoughts too, as JSON objects
  std::string finish_reason = {};  // "STOP", "MAX_TOKENS", ...: not every answer is a whole one
  Usage usage = {};
  // Also of a blocked prompt. Codes 1..16 are rpc codes, 100 and more HTTP codes; 0: the answer
  // cannot be understood, and the message says why.
  std::optional<JobError> error = {};
  std::string json = {};  // the whole answer as sent

  [[nodiscard]] bool ok() const { return !error.has_value(); }
};

// Reads answer lines. One thread at a time.
class JobResponseReader {
 public:
  JobResponseReader();
  ~JobResponseReader();
  JobResponseReader(const JobResponseReader&) = delete;
  JobResponseReader& operator=(const JobResponseReader&) = delete;

  // `line` without its LF. What cannot be understood is a response with error code 0.
  [[nodiscard]] JobResponse Read(std::string_view line);
  // Whether it is an object of JSON, whatever the sizes of its numbers.
  [[nodiscard]] bool IsWhole(std::string_view line);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Cuts bytes as they arrive into lines and gives the response of each to `take`. After Restart()
// the same bytes come again from the first one, and those that were taken are passed over. One
// thread at a time.
class JobResponseStream {
 public:
  using Take = std::function<Result<void>(const JobResponse& response)>;
  // `take` must outlive the stream.
  explicit JobResponseStream(const Take& take) : take_(take) {}

  // Errors: those of `take`.
  [[nodiscard]] Result<void> Write(std::string_view bytes);
  void Restart() { passed_over_ = 0; }
  // The end: a last line without LF counts when it is a whole one, else kBadAnswer.
  [[nodiscard]] Result<void> Close();
  [[nodiscard]] uint64_t count() const { return count_; }

 private:
  Result<void> TakeLine(std::string_view line);

  const Take& take_;
  JobResponseReader reader_;
  std::string rest_;   // the line that is not whole yet
  uint64_t seen_ = 0;  // bytes, each counted once
  uint64_t passed_over_ =
      0;  // of the bytes seen, how many the transfer has brought since Restart()
  uint64_t count_ = 0;
};

}  // namespace sluice
