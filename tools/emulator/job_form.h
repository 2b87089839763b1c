// JobForm: what differs between the jobs of the two APIs for the one who runs them: where the
// requests stand, how an answer line looks, and where the results go. Thread-safe.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "io/file/file_system.h"
#include "tools/emulator/answer.h"
#include "tools/emulator/file_store.h"
#include "tools/emulator/jobs.h"

namespace sluice {

// Makes the answer lines of one job. One thread at a time.
class AnswerLines {
 public:
  virtual ~AnswerLines() = default;
  // Appends the line, with its LF, that answers `line`. False when it tells of a failure.
  virtual bool Append(std::string_view line, const LineTwist& twist, std::string& out) = 0;
};

class JobForm {
 public:
  virtual ~JobForm() = default;

  // As the journal calls it: "batches/x".
  [[nodiscard]] virtual std::string NameOf(const Job& job) const = 0;
  // The requests, one a line. May count them into the job. A refusal is how the job fails.
  [[nodiscard]] virtual std::expected<std::unique_ptr<File>, ApiError> OpenInput(Job& job) = 0;
  [[nodiscard]] virtual std::unique_ptr<AnswerLines> AnswersOf(const Job& job,
                                                               const Model& model) = 0;
  // Moves the answers under `path` to where the job's results are looked for, and notes in the job
  // what it tells about them. `whole`: all requests were answered.
  [[nodiscard]] virtual Result<void> Publish(Job& job, const std::string& path, bool whole) = 0;
};

// Of the Gemini Developer API. All must outlive it.
[[nodiscard]] std::unique_ptr<JobForm> MakeGeminiJobForm(FileSystem& files, Jobs& jobs,
                                                         FileStore& store);

}  // namespace sluice
