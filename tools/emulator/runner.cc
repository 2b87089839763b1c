#include "tools/emulator/runner.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include "tools/emulator/line_scan.h"
#include "tools/emulator/mix.h"

namespace sluice {

namespace {

constexpr size_t kScanBytes = 1 << 18;
constexpr size_t kLineGuessBytes = 4 << 10;
constexpr size_t kAnswersFlushBytes = 1 << 18;
// How many lines pass between two looks at whether the job was cancelled.
constexpr uint64_t kLookLines = 64;
constexpr std::chrono::milliseconds kStuckLook{10};

Result<std::vector<uint64_t>> LineStarts(File& input) {
  std::vector<uint64_t> starts;
  std::vector<std::byte> block(kScanBytes);
  LineScan scan;
  while (true) {
    SLUICE_ASSIGN(const size_t count, input.Read(block));
    if (count == 0) {
      return starts;
    }
    scan.Take({reinterpret_cast<const char*>(block.data()), count},
              [&](uint64_t start) { starts.push_back(start); });
  }
}

// Fisher and Yates, from a stream of numbers that is the same everywhere.
void Shuffle(std::vector<uint64_t>& starts, uint64_t seed) {
  for (size_t i = starts.size(); i > 1; --i) {
    const auto j = static_cast<size_t>(ShareAt(seed, i) * static_cast<double>(i));
    std::swap(starts[i - 1], starts[j]);
  }
}

// Reads whole lines from any place of a file.
class LineReaderAt {
 public:
  explicit LineReaderAt(File& file) : file_(file), buffer_(kLineGuessBytes) {}

  // The line without its LF; the view lives until the next call.
  Result<std::string_view> Read(uint64_t start) {
    size_t filled = 0;
    while (true) {
      SLUICE_ASSIGN(const size_t count,
                    file_.ReadAt(start + filled, std::span(buffer_).subspan(filled)));
      const std::string_view text(reinterpret_cast<const char*>(buffer_.data()), filled + count);
      const size_t end = text.find('\n', filled);
      if (end != std::string_view::npos || count == 0) {
        return text.substr(0, end);
      }
      filled += count;
      if (filled == buffer_.size()) {
        buffer_.resize(buffer_.size() * 2);
      }
    }
  }

 private:
  File& file_;
  std::vector<std::byte> buffer_;
};

// The faults that hit the lines of one job.
class LineFaults {
 public:
  explicit LineFaults(Faults& faults) : faults_(faults) {
    for (const Fault fault : {Fault::kDropLine, Fault::kDuplicateLine, Fault::kNoKey,
                              Fault::kItemError, Fault::kItemError13}) {
      if (faults.Happens(fault)) {
        active_.push_back(fault);
      }
    }
  }

  [[nodiscard]] bool Hits(Fault fault, uint64_t position) const {
    return std::ranges::find(active_, fault) != active_.end() && faults_.HitsLine(fault, position);
  }

  [[nodiscard]] LineTwist TwistAt(uint64_t position) const {
    LineTwist twist{.no_key = Hits(Fault::kNoKey, position)};
    if (Hits(Fault::kItemError13, position)) {
      twist.error_code = static_cast<int>(RpcCode::kInternal);
      twist.error_message = "Internal error encountered.";
    } else if (Hits(Fault::kItemError, position)) {
      twist.error_code = static_cast<int>(RpcCode::kInternal);
    }
    return twist;
  }

 private:
  const Faults& faults_;
  std::vector<Fault> active_;
};

// One job from its input to its results.
class JobRun {
 public:
  JobRun(const RunnerParts& parts, Job& job, const Model& model)
      : parts_(parts),
        job_(job),
        faults_(parts.faults),
        answers_(parts.form.AnswersOf(job, model)) {}

  // False when the job was given up: deleted, or the service stops.
  Result<bool> Answer(File& input, const RunnerOptions& options, const std::stop_token& stop) {
    SLUICE_ASSIGN(std::vector<uint64_t> starts, LineStarts(input));
    if (options.shuffle && !parts_.faults.Happens(Fault::kNoShuffle)) {
      Shuffle(starts, options.seed);
    }
    SLUICE_ASSIGN(results_, parts_.files.Open(PartPath(), OpenMode::kCreate));
    LineReaderAt reader(input);
    const bool gets_stuck = parts_.faults.Happens(Fault::kStuckRunning);
    expires_ = parts_.faults.Happens(Fault::kExpirePartial);
    ends_half_ = expires_ || parts_.faults.Happens(Fault::kPartlySucceeds);
    for (size_t i = 0; i < starts.size(); ++i) {
      if (ends_half_ && i == starts.size() / 2) {
        break;
      }
      const bool is_stuck = gets_stuck && i == starts.size() / 2;
      if (i % kLookLines == 0 || is_stuck) {
        Look(is_stuck, stop);
        if (order_ == JobOrder::kGiveUp || stop.stop_requested()) {
          SLUICE_TRY(parts_.files.Remove(PartPath()));
          return false;
        }
        if (ends_partial_) {
          break;
        }
      }
      SLUICE_ASSIGN(const std::string_view line, reader.Read(starts[i]));
      AppendAnswer(line, i, i + 1 == starts.size());
      SLUICE_TRY(Flush(kAnswersFlushBytes));
    }
    SLUICE_TRY(Flush(0));
    SLUICE_TRY(Publish());
    return true;
  }

 private:
  std::string PartPath() const { return parts_.jobs.ResultsPath(job_.id) + ".part"; }

  // Hears how to go on; who is stuck hears it only when that is to stop.
  void Look(bool is_stuck, const std::stop_token& stop) {
    do {
      order_ = parts_.jobs.NoteProgress(job_.id, job_.success_count, job_.failure_count);
    } while (is_stuck && order_ == JobOrder::kGoOn &&
             parts_.clock.SleepUntil(parts_.clock.Now() + kStuckLook, stop));
    ends_partial_ =
        order_ == JobOrder::kServeNoMore && parts_.faults.Happens(Fault::kCancelPartial);
  }

  // `position` counts answers in the order in which they are written.
  void AppendAnswer(std::string_view line, uint64_t position, bool is_last) {
    LineTwist twist = faults_.TwistAt(position);
    if (order_ == JobOrder::kServeNoMore) {
      twist = {.no_key = twist.no_key, .error_code = static_cast<int>(RpcCode::kCancelled)};
    }
    const size_t start = out_.size();
    answers_->Append(line, twist, out_) ? ++job_.success_count : ++job_.failure_count;
    if (faults_.Hits(Fault::kDuplicateLine, position)) {
      out_ += out_.substr(start);
    }
    if (faults_.Hits(Fault::kDropLine, position)) {
      out_.resize(start);
    }
    if (is_last && parts_.faults.Happens(Fault::kCutLastLine)) {
      out_.resize(start + (out_.size() - start) / 2);
    }
  }

  Result<void> Flush(size_t size_min) {
    if (out_.size() >= size_min) {
      SLUICE_TRY(results_->Write(AsBytes(out_)));
      out_.clear();
    }
    return {};
  }

  Result<void> Publish() {
    SLUICE_TRY(parts_.form.Publish(job_, PartPath(), !ends_half_ && !ends_partial_));
    job_.has_results = true;
    job_.state = expires_     ? EmulatedState::kExpired
                 : ends_half_ ? EmulatedState::kPartiallySucceeded
                              : EmulatedState::kSucceeded;
    if (ends_partial_) {
      job_.state = EmulatedState::kCancelled;
      job_.error_code = static_cast<int>(RpcCode::kCancelled);
      job_.error_message = "Batch was cancelled.";
    }
    return {};
  }

  const RunnerParts& parts_;
  Job& job_;
  const LineFaults faults_;
  const std::unique_ptr<AnswerLines> answers_;
  std::unique_ptr<File> results_;
  std::string out_;
  JobOrder order_ = JobOrder::kGoOn;
  bool ends_partial_ = false;
  bool expires_ = false;
  bool ends_half_ = false;
};

void EndAsFailed(Job& job, RpcCode code, std::string message) {
  job.state = EmulatedState::kFailed;
  job.error_code = static_cast<int>(code);
  job.error_message = std::move(message);
}

// The border where exceptions end; a line may be larger than the memory. False as for
// JobRun::Answer(); a job whose input is refused has failed.
Result<bool> AnswerJob(const RunnerParts& parts, Job& job, const RunnerOptions& options,
                       const std::stop_token& stop) {
  const Model* model = FindCloudModel(job.model);
  SLUICE_CHECK(model != nullptr, "the model of a job was looked up when it was created");
  try {
    const auto input = parts.form.OpenInput(job);
    if (!input.has_value()) {
      EndAsFailed(job, input.error().code, input.error().message);
      return true;
    }
    return JobRun(parts, job, *model).Answer(**input, options, stop);
  } catch (const std::exception& error) {
    return Fail(ErrorCode::kInternal, error.what());
  }
}

}  // namespace

Runner::Runner(RunnerParts parts, RunnerOptions options) : parts_(parts), options_(options) {
  for (int i = 0; i < options_.workers; ++i) {
    workers_.emplace_back([this](const std::stop_token& stop) { Work(stop); });
  }
}

Runner::~Runner() {
  for (std::jthread& worker : workers_) {
    worker.request_stop();
  }
}

void Runner::Work(const std::stop_token& stop) {
  while (std::optional<Job> job = parts_.jobs.TakeDue(stop)) {
    Run(*std::move(job), stop);
  }
}

void Runner::Run(Job job, const std::stop_token& stop) {
  if (job.fate == JobFate::kExpire) {
    job.state = EmulatedState::kExpired;
  } else if (job.fate == JobFate::kFail) {
    EndAsFailed(job, RpcCode::kResourceExhausted,
                "Resource has been exhausted (e.g. check quota).");
  } else {
    const Result<bool> answered = AnswerJob(parts_, job, options_, stop);
    if (!answered.has_value()) {
      EndAsFailed(job, RpcCode::kInternal, answered.error().message);
    } else if (!*answered) {
      return;
    }
  }
  if (parts_.jobs.End(job).has_value()) {
    parts_.counters.CountJobEnded();
    parts_.journal.Note("end", {{"job", parts_.form.NameOf(job)},
                                {"state", std::string(EmulatedStateName(job.state))}});
  }
}

}  // namespace sluice
