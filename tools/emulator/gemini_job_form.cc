#include "tools/emulator/job_form.h"
#include "tools/emulator/prepared_answers.h"

namespace sluice {
namespace {

class GeminiAnswerLines final : public AnswerLines {
 public:
  explicit GeminiAnswerLines(const Model& model) : model_(model) {}

  bool Append(std::string_view line, const LineTwist& twist, std::string& out) override {
    const bool is_plain = !twist.no_key && twist.error_code == 0;
    return (model_.prepared && is_plain && prepared_.Append(line, out)) ||
           AppendResultLine(model_, line, twist, out);
  }

 private:
  const Model& model_;
  PreparedAnswers prepared_;
};

class GeminiJobForm final : public JobForm {
 public:
  GeminiJobForm(FileSystem& files, Jobs& jobs, FileStore& store)
      : files_(files), jobs_(jobs), store_(store) {}

  std::string NameOf(const Job& job) const override { return "batches/" + job.id; }

  std::expected<std::unique_ptr<File>, ApiError> OpenInput(Job& job) override {
    const std::string path =
        job.inlined() ? jobs_.InputPath(job.id) : store_.DataPath(job.input_file);
    auto file = files_.Open(path, OpenMode::kRead);
    if (!file.has_value()) {
      return std::unexpected(ApiError{.message = file.error().message});
    }
    return *std::move(file);
  }

  std::unique_ptr<AnswerLines> AnswersOf(const Job& /*job*/, const Model& model) override {
    return std::make_unique<GeminiAnswerLines>(model);
  }

  // Results bear their name only when they are whole.
  Result<void> Publish(Job& job, const std::string& path, bool /*whole*/) override {
    if (job.inlined()) {
      return files_.Rename(path, jobs_.ResultsPath(job.id));
    }
    SLUICE_TRY(store_.Adopt(
        {.id = job.results_id(), .mime_type = "application/jsonl", .generated = true}, path));
    return {};
  }

 private:
  FileSystem& files_;
  Jobs& jobs_;
  FileStore& store_;
};

}  // namespace

std::unique_ptr<JobForm> MakeGeminiJobForm(FileSystem& files, Jobs& jobs, FileStore& store) {
  return std::make_unique<GeminiJobForm>(files, jobs, store);
}

}  // namespace sluice
