#include "engine/answer_collector.h"

#include <algorithm>
#include <fmt/format.h>

#include "api/http/google_error.h"
#include "engine/answer_file.h"
#include "io/sink/dropping_sink.h"

namespace sluice {
namespace {

// Of vectors that are not there.
constexpr int kAnyDimension = 1;

// A download that lacks rows is made again until two agree byte for byte.
constexpr int kFetchesMax = 5;

// What is something else altogether does not change in the same breath: the plan makes pauses.
constexpr int kFetchesOfOthersMax = 2;
constexpr size_t kShownOfOthersMax = 120;

// One that lacks answers which the service counts is looked for again after a pause, up to so many
// times. Then the count was wrong.
constexpr int kShortRoundsMax = 3;

// Of the failed rows all that the shard has left.
MergeCounts CountsOf(const MergeOutcome& outcome, const std::vector<FailedAnswer>& failures,
                     uint64_t answer_bytes, bool is_kept) {
  MergeCounts counts{.ok = outcome.ok,
                     .failed = failures.size(),
                     .failed_by_class = {},
                     .duplicates = outcome.duplicates,
                     .conflicts = outcome.conflicts,
                     .strangers = outcome.strangers,
                     .malformed_lines = outcome.malformed_lines,
                     .prompt_tokens = outcome.prompt_tokens,
                     .output_tokens = outcome.output_tokens,
                     .answer_bytes = answer_bytes,
                     .answers_kept = is_kept ? 1U : 0U,
                     .values = outcome.values,
                     .general_values = outcome.general_values,
                     .shortened = outcome.shortened,
                     .truncated = outcome.truncated,
                     .first_conflict = outcome.first_conflict,
                     .digest = outcome.digest};
  for (const FailedAnswer& failure : failures) {
    ++counts.failed_by_class[std::string(FailureClassName(failure.row.failure.failure_class))];
  }
  return counts;
}

// Those of the rounds before but for the rows that were asked again, and what failed now.
std::vector<FailedAnswer> FailuresAfter(const std::vector<FailedAnswer>& before,
                                        const RoundRows& rows, const MergeOutcome& outcome,
                                        const std::string& job) {
  std::vector<FailedAnswer> failures;
  for (const FailedAnswer& failure : before) {
    if (!rows.contains(failure.row.row)) {
      failures.push_back(failure);
    }
  }
  for (const FailedRow& row : outcome.failed) {
    failures.push_back({.row = row, .job = job});
  }
  std::ranges::sort(failures, {}, [](const FailedAnswer& failure) { return failure.row.row; });
  return failures;
}

// Rows of the round that the job said anything about.
uint64_t AnsweredRows(const MergeOutcome& outcome) {
  return outcome.ok + outcome.failed.size() - outcome.missing;
}

uint64_t LinesOf(const MergeOutcome& outcome) {
  return AnsweredRows(outcome) + outcome.duplicates + outcome.conflicts + outcome.strangers +
         outcome.malformed_lines;
}

// Whether the service counts more answers than came, whatever these were.
bool IsShort(const MergeOutcome& outcome, const BatchJob& job) {
  return job.stats.has_value() && job.stats->success_count > 0 &&
         static_cast<uint64_t>(job.stats->success_count) > LinesOf(outcome);
}

// Whether what came holds no row of the job and is not its answers, though it may come twice (a
// sign-in page, another file). As many lines that cannot be read as the service counts answers are
// its answers all the same. Only a job that did not succeed may have answered nothing at all.
bool IsOfOthers(const MergeOutcome& outcome, uint64_t bytes, const BatchJob& job) {
  const bool is_unreadable =
      outcome.malformed_lines > 0 && job.stats.has_value() &&
      static_cast<uint64_t>(job.stats->success_count) == outcome.malformed_lines;
  return AnsweredRows(outcome) == 0 && !is_unreadable && (job.succeeded() || bytes > 0);
}

// Of a download that ends the run: too large for us, or refused by the service.
Error WithHint(Error error, const std::string& job) {
  if (error.code == ErrorCode::kRefused && error.hint.empty()) {
    error.hint = error.http_status == 0
                     ? fmt::format(
                           "if its answers may be so long, the same command goes on with a "
                           "larger --max-answer-bytes; `sluice jobs get {}` shows the job",
                           job)
                     : fmt::format(
                           "`sluice jobs get {}` shows whether the job has a result; the "
                           "same command asks for it again",
                           job);
  }
  return error;
}

Error NoEmbedding(const MergeOutcome& outcome) {
  std::string why;
  if (!outcome.failed.empty()) {
    const RowFailure& failure = outcome.failed.front().failure;
    why = fmt::format("; the first row failed with {}: {}", FailureClassName(failure.failure_class),
                      failure.message);
  }
  return Error{.code = ErrorCode::kRemoteFailed,
               .message = "no answer holds an embedding" + why,
               .hint = "`sluice retry` asks again; a new run with --dim N writes such rows as NaN"};
}

}  // namespace

Result<Collected> AnswerCollector::Collect(const ShardTrack& track, const ShardEntry& entry,
                                           bool may_retry, const std::stop_token& stop) {
  const StepTimer timer(environment_.times, Step::kMerge);
  SLUICE_ASSIGN(Round round, OpenRound(track, entry, may_retry));
  if (track.given_up.has_value()) {
    return GiveUp(round);
  }
  SLUICE_ASSIGN(const BatchJob job, AskForJob(track.job, stop));
  if (job.cancelled()) {
    // Nobody failed such a row: it was not wanted any more, and is not asked again by itself.
    round.unanswered = RowFailure{.failure_class = FailureClass::kCancelled,
                                  .code = 0,
                                  .message = "the job was cancelled before this row was answered"};
  }
  return CollectAnswers(round, job, stop);
}

Result<BatchJob> AnswerCollector::AskForJob(const std::string& name, const std::stop_token& stop) {
  const StageTimer timer(environment_.times, Stage::kFetch);
  return environment_.provider.GetJob(name, stop);
}

Result<AnswerCollector::Round> AnswerCollector::OpenRound(const ShardTrack& track,
                                                          const ShardEntry& entry, bool may_retry) {
  Round round{
      .track = track,
      .requests = environment_.directory.shard(track.round == 0 ? entry.file : track.request.name),
      .rows = {.range = entry.range, .is_whole = track.round == 0, .rows = {}},
      .failed_before = {},
      .may_retry = may_retry,
      .unanswered = {}};
  if (track.round > 0) {
    const std::string path = environment_.directory.shard_failures(track.shard, track.round - 1);
    SLUICE_ASSIGN(round.failed_before, OfThisDisk(ReadFailures(environment_.files, path)));
    round.rows.rows = RowsOfClasses(round.failed_before, track.retry_classes);
    if (round.rows.rows.size() != track.rows_asked) {
      return Fail(ErrorCode::kIo, fmt::format("'{}' names {} rows to ask again, the ledger {}",
                                              path, round.rows.rows.size(), track.rows_asked));
    }
  }
  return round;
}

Result<Collected> AnswerCollector::CollectAnswers(const Round& round, const BatchJob& job,
                                                  const std::stop_token& stop) {
  std::string previous;
  int times_of_others = 0;  // in a row
  for (int fetch = 1; fetch <= kFetchesMax; ++fetch) {
    SLUICE_ASSIGN(std::optional<Fetched> fetched, FetchOnce(round, job, stop));
    if (!fetched.has_value()) {
      continue;
    }
    const AnswerStream::Fetched& transfer = fetched->transfer;
    const bool is_of_others = IsOfOthers(fetched->outcome, transfer.bytes, job);
    times_of_others = is_of_others ? times_of_others + 1 : 0;
    if (times_of_others == kFetchesOfOthersMax) {
      return std::unexpected(NotTheAnswersOf(round.track.job, transfer.begin));
    }
    const bool is_whole = fetched->outcome.missing == 0;
    const bool agrees = transfer.checksum == previous && !is_of_others;
    const bool is_short = IsShort(fetched->outcome, job);
    if (agrees && is_short && !IsShortForGood(round.track)) {
      return Fail(
          ErrorCode::kBadAnswer,
          fmt::format("the result of {} has {} answers, the service counts {}", round.track.job,
                      LinesOf(fetched->outcome), job.stats->success_count));
    }
    if (is_whole || agrees) {
      return fetched->has_dimension
                 ? Finish(round, fetched->outcome, *fetched->sink, transfer.bytes)
                 : Collected{
                       .counts = {}, .retryable = 0, .unusable = NoEmbedding(fetched->outcome)};
    }
    previous = transfer.checksum;
  }
  return Fail(ErrorCode::kBadAnswer,
              fmt::format("the answers of {} broke off or were different at each of {} downloads",
                          round.track.job, kFetchesMax));
}

// What was never there is gone for good after some such rounds; what breaks off may yet come.
Error AnswerCollector::NotTheAnswersOf(const std::string& job, std::string begin) const {
  environment_.provider.CutSecretsOut(begin);
  return {.code = ErrorCode::kNotFound,
          .message = fmt::format(
              "the result of {} holds no row of this run: {}", job,
              begin.empty()
                  ? "it is empty"
                  : fmt::format("it begins with '{}'", PrintableText(begin, kShownOfOthersMax)))};
}

bool AnswerCollector::IsShortForGood(const ShardTrack& track) {
  const std::scoped_lock lock(mutex_);
  return ++short_rounds_[track.shard] >= kShortRoundsMax;
}

// One download, decoded while it arrives. Nothing when the service could only begin anew.
Result<std::optional<AnswerCollector::Fetched>> AnswerCollector::FetchOnce(const Round& round,
                                                                           const BatchJob& job,
                                                                           std::stop_token stop) {
  std::optional<AnswerFile> kept;
  if (options_.keep_answers) {
    SLUICE_ASSIGN(AnswerFile file, AnswerFile::Create(environment_.files,
                                                      environment_.directory.answers(
                                                          round.track.shard, round.track.round)));
    kept.emplace(std::move(file));
  }
  AnswerStream stream(job,
                      {.provider = environment_.provider,
                       .progress = environment_.progress,
                       .times = environment_.times,
                       .keeper = kept.has_value() ? &*kept : nullptr},
                      stop);
  Result<Fetched> fetched = MergeStream(round, stream, std::move(stop));
  const Result<AnswerStream::Fetched> transfer = stream.Finish();
  if (stream.began_anew()) {
    return std::nullopt;
  }
  if (!fetched.has_value() || !transfer.has_value()) {
    return std::unexpected(
        WithHint(fetched.has_value() ? transfer.error() : fetched.error(), round.track.job));
  }
  if (kept.has_value()) {
    SLUICE_TRY(kept->Commit());
  }
  fetched->transfer = *transfer;
  return std::move(*fetched);
}

Result<AnswerCollector::Fetched> AnswerCollector::MergeStream(const Round& round,
                                                              AnswerStream& stream,
                                                              std::stop_token stop) {
  Fetched fetched;
  SLUICE_ASSIGN(fetched.has_dimension, PinDimension(stream));
  if (fetched.has_dimension) {
    SLUICE_ASSIGN(fetched.sink, OpenShardSink(round.rows));
  } else {
    fetched.sink = std::make_unique<DroppingSink>();  // only what was answered is counted
  }
  RoundSink sink(*fetched.sink, round.rows);
  const auto answers = OpenLineStream(
      environment_.files, stream.Source(), "the answers of " + round.track.job,
      AnswerReading(fmt::format("{}/spool-{}", environment_.directory.work(), round.track.shard)));
  const MergeOptions options{.range = round.rows.span(),
                             .dimension = fetched.has_dimension ? dimension() : kAnyDimension,
                             .normalize = options_.normalize,
                             .threads = options_.threads,
                             .unanswered = round.unanswered};
  RowsByText rows_by_text(environment_.files, environment_.protocol, round.requests);
  MergeEnvironment merge{
      .protocol = environment_.protocol,
      .times = environment_.times,
      .stop = std::move(stop),
      .rows_by_text = &rows_by_text,
      .cut_secrets_out = [this](std::string& text) { environment_.provider.CutSecretsOut(text); }};
  SLUICE_ASSIGN(MergeOutcome outcome, MergeAnswers(*answers, options, merge, sink));
  fetched.outcome = sink.Narrow(std::move(outcome));
  return fetched;
}

int AnswerCollector::dimension() {
  const std::scoped_lock lock(mutex_);
  return options_.task == Task::kEmbed ? options_.dimension : 0;
}

Result<Sink*> AnswerCollector::OpenSink() {
  const std::scoped_lock lock(mutex_);
  if (sink_ == nullptr) {
    const SinkOptions sink{.output = options_.output,
                           .work_folder = environment_.directory.work(),
                           .dimension = options_.task == Task::kEmbed ? options_.dimension : 0,
                           .threads = options_.threads};
    SLUICE_ASSIGN(sink_, MakeSink(environment_.files, sink));
  }
  return sink_.get();
}

Result<Collected> AnswerCollector::GiveUp(const Round& round) {
  const RowFailure& failure = *round.track.given_up;
  if (options_.task == Task::kEmbed && dimension() == 0) {
    const bool is_cancelled = failure.failure_class == FailureClass::kCancelled;
    return Fail(ErrorCode::kRemoteFailed,
                is_cancelled
                    ? "the run was cancelled before any vector came: nothing can be written"
                    : failure.message,
                is_cancelled ? "`sluice retry` goes on with it"
                             : "`sluice retry` asks again; a new run with --dim N writes such rows "
                               "as NaN");
  }
  SLUICE_ASSIGN(const auto sink, OpenShardSink(round.rows));
  RoundSink asked(*sink, round.rows);
  SLUICE_ASSIGN(MergeOutcome outcome, FailAllRows(round.rows.span(), failure, asked));
  return Finish(round, asked.Narrow(std::move(outcome)), *sink, 0);
}

Result<bool> AnswerCollector::PinDimension(AnswerStream& stream) {
  // Held while answers are waited for; who only asks for the length does not wait for it.
  const std::scoped_lock pinning(pin_mutex_);
  if (options_.task != Task::kEmbed || dimension() != 0) {
    return true;
  }
  // Long enough for some lines of any model; lines that are longer still are waited for.
  constexpr size_t kFirstLook = size_t{1} << 18;
  constexpr size_t kLastLook = size_t{64} << 20;
  for (size_t look = kFirstLook; look <= kLastLook; look *= 4) {
    SLUICE_ASSIGN(const std::string_view front, stream.Peek(look));
    const bool is_all = front.size() < look;
    // The very last line may have no end.
    const auto found =
        FindDimension(std::string(front) + (is_all ? "\n" : ""), environment_.protocol);
    if (found.has_value()) {
      const std::scoped_lock lock(mutex_);
      options_.dimension = *found;
      return true;
    }
    if (is_all) {
      break;
    }
  }
  return false;
}

Result<std::unique_ptr<ShardSink>> AnswerCollector::OpenShardSink(const RoundRows& rows) {
  SLUICE_ASSIGN(Sink* const sink, OpenSink());
  const std::scoped_lock lock(mutex_);
  return OfThisDisk(rows.is_whole ? sink->OpenShard(rows.range) : sink->OpenRows(rows.range));
}

Result<void> AnswerCollector::CheckFailures(const Round& round, const MergeOutcome& outcome) const {
  for (const FailedRow& row : outcome.failed) {
    const FailureClass failure_class = row.failure.failure_class;
    const bool is_asked_again = round.may_retry && options_.retry_classes.contains(failure_class);
    if (options_.fail_on_error && !is_asked_again) {
      return Fail(ErrorCode::kRemoteFailed,
                  fmt::format("row {} failed ({}): {}", row.row, FailureClassName(failure_class),
                              row.failure.message),
                  "--on-error nan or skip goes on without such rows");
    }
  }
  return {};
}

Result<Collected> AnswerCollector::Finish(const Round& round, const MergeOutcome& outcome,
                                          ShardSink& sink, uint64_t answer_bytes) {
  SLUICE_TRY(CheckFailures(round, outcome));
  const StageTimer timer(environment_.times, Stage::kSeal);
  SLUICE_TRY(sink.Seal());
  const auto failures = FailuresAfter(round.failed_before, round.rows, outcome, round.track.job);
  const ShardTrack& track = round.track;
  SLUICE_TRY(WriteFailures(environment_.files,
                           environment_.directory.shard_failures(track.shard, track.round),
                           failures));
  environment_.progress.rows_merged += outcome.ok;
  environment_.progress.rows_failed += failures.size() - round.failed_before.size();
  const auto retryable = std::ranges::count_if(outcome.failed, [this](const FailedRow& row) {
    return options_.retry_classes.contains(row.failure.failure_class);
  });
  const bool is_kept = options_.keep_answers && answer_bytes > 0;
  return Collected{.counts = CountsOf(outcome, failures, answer_bytes, is_kept),
                   .retryable = static_cast<uint64_t>(retryable),
                   .unusable = {}};
}

}  // namespace sluice
