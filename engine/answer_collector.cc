#include "engine/answer_collector.h"

#include <fmt/format.h>

#include "engine/merge.h"
#include "io/base/checksum.h"
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
                     .answer_bytes = answer_bytes};
  for (const FailedRow& row : outcome.failed) {
    ++counts.failed_by_class[std::string(FailureClassName(row.failure.failure_class))];
  }
  return counts;
}

}  // namespace

Result<MergeCounts> AnswerCollector::Collect(const ShardTrack& track, OrdinalRange range,
                                             std::stop_token stop) {
  if (track.given_up.has_value()) {
    return GiveUp(track, range);
  }
  SLUICE_ASSIGN(const BatchJob job, environment_.provider.GetJob(track.job, stop));
  const std::string path = environment_.directory.answers(track.shard);
  std::string previous;
  for (int fetch = 1; fetch <= kFetchesMax; ++fetch) {
    uint64_t bytes = 0;
    SLUICE_ASSIGN(const std::string checksum, Fetch(job, path, bytes, stop));
    SLUICE_TRY(PinDimension(path, stop));
    SLUICE_ASSIGN(const auto sink, OpenShardSink(range));
    SLUICE_ASSIGN(const MergeOutcome outcome, MergeFile(path, range, *sink, stop));
    if (outcome.missing == 0 || checksum == previous) {
      SLUICE_ASSIGN(MergeCounts counts, Finish(track, outcome, *sink, bytes));
      SLUICE_TRY(environment_.files.Remove(path));
      return counts;
    }
    previous = checksum;
  }
  return Fail(ErrorCode::kBadAnswer,
              fmt::format("the answers of {} were different at each of {} downloads", track.job,
                          kFetchesMax));
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

Result<std::string> AnswerCollector::Fetch(const BatchJob& job, const std::string& path,
                                           uint64_t& bytes, std::stop_token stop) {
  const StageTimer timer(environment_.times, Stage::kFetch);
  SLUICE_ASSIGN(auto file, environment_.files.Open(path, OpenMode::kCreate));
  Checksum checksum;
  const BodyWriter writer = [&](std::span<const std::byte> piece) -> Result<void> {
    checksum.Add(piece);
    environment_.progress.bytes_fetched += piece.size();
    return file->Write(piece);
  };
  const auto restart = [&]() -> Result<void> {
    checksum = Checksum();
    SLUICE_ASSIGN(file, environment_.files.Open(path, OpenMode::kCreate));
    return {};
  };
  SLUICE_ASSIGN(bytes, environment_.provider.FetchAnswers(job, writer, restart, std::move(stop)));
  return checksum.Hex();
}

Result<MergeOutcome> AnswerCollector::MergeFile(const std::string& path, OrdinalRange range,
                                                ShardSink& sink, std::stop_token stop) {
  const MergeOptions options{.range = range,
                             .dimension = dimension(),
                             .normalize = options_.normalize,
                             .threads = options_.threads,
                             .spool_folder = environment_.directory.work() + "/spool"};
  MergeEnvironment merge{.files = environment_.files,
                         .protocol = environment_.protocol,
                         .times = environment_.times,
                         .stop = std::move(stop)};
  const std::scoped_lock lock(merging_);
  return MergeAnswers({path}, options, merge, sink);
}

Result<void> AnswerCollector::PinDimension(const std::string& path, std::stop_token stop) {
  const std::scoped_lock lock(mutex_);
  if (options_.task != Task::kEmbed || options_.dimension != 0) {
    return {};
  }
  MergeEnvironment merge{.files = environment_.files,
                         .protocol = environment_.protocol,
                         .times = environment_.times,
                         .stop = std::move(stop)};
  SLUICE_ASSIGN(const std::optional<int> found,
                FindDimension(path, merge, environment_.directory.work() + "/spool"));
  if (!found.has_value()) {
    return Fail(ErrorCode::kRemoteFailed, "no answer holds an embedding",
                "give --dim N to write such rows as NaN and see why in failures.jsonl");
  }
  options_.dimension = *found;
  return {};
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
