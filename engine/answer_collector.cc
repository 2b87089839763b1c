#include "engine/answer_collector.h"

#include <fmt/format.h>

#include "engine/answer_file.h"
#include "engine/answer_stream.h"
#include "io/file/atomic_file.h"

namespace sluice {
namespace {

// A download that lacks rows is made again until two agree byte for byte.
constexpr int kFetchesMax = 5;

MergeCounts CountsOf(const MergeOutcome& outcome, uint64_t answer_bytes) {
  MergeCounts counts{.ok = outcome.ok,
                     .failed = outcome.failed.size(),
                     .failed_by_class = {},
                     .duplicates = outcome.duplicates,
                     .conflicts = outcome.conflicts,
                     .strangers = outcome.strangers,
                     .malformed_lines = outcome.malformed_lines,
                     .prompt_tokens = outcome.prompt_tokens,
                     .output_tokens = outcome.output_tokens,
                     .answer_bytes = answer_bytes,
                     .values = outcome.values,
                     .general_values = outcome.general_values,
                     .digest = outcome.digest};
  for (const FailedRow& row : outcome.failed) {
    ++counts.failed_by_class[std::string(FailureClassName(row.failure.failure_class))];
  }
  return counts;
}

}  // namespace

Result<MergeCounts> AnswerCollector::Collect(const ShardTrack& track, OrdinalRange range,
                                             std::stop_token stop) {
  const StepTimer timer(environment_.times, Step::kMerge);
  if (track.given_up.has_value()) {
    return GiveUp(track, range);
  }
  SLUICE_ASSIGN(const BatchJob job, environment_.provider.GetJob(track.job, stop));
  std::string previous;
  for (int fetch = 1; fetch <= kFetchesMax; ++fetch) {
    SLUICE_ASSIGN(std::optional<Fetched> fetched, FetchOnce(track, job, range, stop));
    if (!fetched.has_value()) {
      continue;
    }
    if (fetched->outcome.missing == 0 || fetched->checksum == previous) {
      return Finish(track, fetched->outcome, *fetched->sink, fetched->bytes);
    }
    previous = fetched->checksum;
  }
  return Fail(ErrorCode::kBadAnswer,
              fmt::format("the answers of {} broke off or were different at each of {} downloads",
                          track.job, kFetchesMax));
}

// One download, decoded while it arrives. Nothing when the service could only begin anew.
Result<std::optional<AnswerCollector::Fetched>> AnswerCollector::FetchOnce(const ShardTrack& track,
                                                                           const BatchJob& job,
                                                                           OrdinalRange range,
                                                                           std::stop_token stop) {
  std::optional<AnswerFile> kept;
  if (options_.keep_answers) {
    SLUICE_ASSIGN(AnswerFile file, AnswerFile::Create(environment_.files,
                                                      environment_.directory.answers(track.shard)));
    kept.emplace(std::move(file));
  }
  AnswerStream stream(job,
                      {.provider = environment_.provider,
                       .progress = environment_.progress,
                       .times = environment_.times,
                       .keeper = kept.has_value() ? &*kept : nullptr},
                      stop);
  Result<Fetched> fetched = MergeStream(track, stream, range, std::move(stop));
  const Result<AnswerStream::Fetched> transfer = stream.Finish();
  if (stream.began_anew()) {
    return std::nullopt;
  }
  if (!fetched.has_value()) {
    return std::unexpected(std::move(fetched).error());
  }
  SLUICE_TRY(transfer);
  if (kept.has_value()) {
    SLUICE_TRY(kept->Commit());
  }
  fetched->bytes = transfer->bytes;
  fetched->checksum = transfer->checksum;
  return std::move(*fetched);
}

Result<AnswerCollector::Fetched> AnswerCollector::MergeStream(const ShardTrack& track,
                                                              AnswerStream& stream,
                                                              OrdinalRange range,
                                                              std::stop_token stop) {
  SLUICE_TRY(PinDimension(stream));
  Fetched fetched;
  SLUICE_ASSIGN(fetched.sink, OpenShardSink(range));
  const auto answers = OpenLineStream(
      environment_.files, stream.Source(), "the answers of " + track.job,
      AnswerReading(fmt::format("{}/spool-{}", environment_.directory.work(), track.shard)));
  const MergeOptions options{.range = range,
                             .dimension = dimension(),
                             .normalize = options_.normalize,
                             .threads = options_.threads};
  MergeEnvironment merge{.files = environment_.files,
                         .protocol = environment_.protocol,
                         .times = environment_.times,
                         .stop = std::move(stop)};
  SLUICE_ASSIGN(fetched.outcome, MergeAnswers(*answers, options, merge, *fetched.sink));
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
                           .dimension = options_.task == Task::kEmbed ? options_.dimension : 0};
    SLUICE_ASSIGN(sink_, MakeSink(environment_.files, sink));
  }
  return sink_.get();
}

Result<MergeCounts> AnswerCollector::GiveUp(const ShardTrack& track, OrdinalRange range) {
  if (options_.task == Task::kEmbed && dimension() == 0) {
    return Fail(ErrorCode::kRemoteFailed, track.given_up->message,
                "give --dim N to write such rows as NaN");
  }
  SLUICE_ASSIGN(const auto sink, OpenShardSink(range));
  SLUICE_ASSIGN(const MergeOutcome outcome, FailAllRows(range, *track.given_up, *sink));
  return Finish(track, outcome, *sink, 0);
}

Result<void> AnswerCollector::PinDimension(AnswerStream& stream) {
  const std::scoped_lock lock(mutex_);
  if (options_.task != Task::kEmbed || options_.dimension != 0) {
    return {};
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
      options_.dimension = *found;
      return {};
    }
    if (is_all) {
      break;
    }
  }
  return Fail(ErrorCode::kRemoteFailed, "no answer holds an embedding",
              "give --dim N to write such rows as NaN and see why in failures.jsonl");
}

Result<std::unique_ptr<ShardSink>> AnswerCollector::OpenShardSink(OrdinalRange range) {
  SLUICE_ASSIGN(Sink* const sink, OpenSink());
  const std::scoped_lock lock(mutex_);
  return sink->OpenShard(range);
}

Result<MergeCounts> AnswerCollector::Finish(const ShardTrack& track, const MergeOutcome& outcome,
                                            ShardSink& sink, uint64_t answer_bytes) {
  if (options_.fail_on_error && !outcome.failed.empty()) {
    const FailedRow& row = outcome.failed.front();
    return Fail(ErrorCode::kRemoteFailed,
                fmt::format("row {} failed ({}): {}", row.row,
                            FailureClassName(row.failure.failure_class), row.failure.message),
                "--on-error nan or skip goes on without such rows");
  }
  SLUICE_TRY(sink.Seal());
  SLUICE_TRY(WriteFailures(track, outcome));
  environment_.progress.rows_merged += outcome.ok;
  environment_.progress.rows_failed += outcome.failed.size();
  return CountsOf(outcome, answer_bytes);
}

Result<void> AnswerCollector::WriteFailures(const ShardTrack& track, const MergeOutcome& outcome) {
  constexpr size_t kFlushBytes = size_t{1} << 20;
  SLUICE_ASSIGN(
      AtomicFile file,
      AtomicFile::Create(environment_.files, environment_.directory.shard_failures(track.shard)));
  std::string text;
  for (const FailedRow& row : outcome.failed) {
    text += fmt::format("{{\"row\":{},\"job\":\"{}\",\"error\":{}}}\n", row.row, track.job,
                        FailureJson(row.failure));
    if (text.size() >= kFlushBytes) {
      SLUICE_TRY(file.Write(text));
      text.clear();
    }
  }
  SLUICE_TRY(file.Write(text));
  return file.Commit();
}

}  // namespace sluice
