#include "engine/retry.h"

#include <fmt/format.h>
#include <optional>

#include "engine/failures.h"
#include "engine/kept_options.h"
#include "engine/ledger.h"
#include "engine/live_run.h"
#include "engine/run_directory.h"
#include "engine/run_lock.h"

namespace sluice {
namespace {

Result<void> ExpectPacked(const Manifest& manifest) {
  if (!manifest.end().has_value()) {
    return Fail(ErrorCode::kUsage, "the corpus of this run is not packed to its end",
                "`sluice run` with its INPUT and flags goes on with it");
  }
  return {};
}

using FailuresByShard = std::map<uint32_t, std::vector<FailedAnswer>>;

// `failures` in order of rows. Nothing when there is no such row.
std::optional<FailuresByShard> SortIntoShards(std::vector<FailedAnswer> failures,
                                              const Manifest& manifest) {
  FailuresByShard by_shard;
  auto shard = manifest.shards().begin();
  for (FailedAnswer& failure : failures) {
    while (shard != manifest.shards().end() && !shard->range.contains(failure.row.row)) {
      ++shard;
    }
    if (shard == manifest.shards().end()) {
      return std::nullopt;
    }
    by_shard[shard->shard].push_back(std::move(failure));
  }
  return by_shard;
}

// The failed rows of every shard that is through with its rounds, wherever they stand now.
Result<FailuresByShard> FindFailures(FileSystem& files, const RunDirectory& directory,
                                     const Manifest& manifest,
                                     const std::vector<ShardTrack>& tracks, bool is_finished) {
  if (is_finished) {
    SLUICE_ASSIGN(auto failures, ReadFailures(files, directory.failures()));
    auto sorted = SortIntoShards(std::move(failures), manifest);
    if (!sorted.has_value()) {
      return Fail(ErrorCode::kIo,
                  fmt::format("'{}' is damaged: it names a row that the run does not have",
                              directory.failures()),
                  "restore it from a copy");
    }
    return *std::move(sorted);
  }
  FailuresByShard by_shard;
  for (const ShardTrack& track : tracks) {
    if (track.state == ShardState::kMerged || track.state == ShardState::kDone) {
      SLUICE_ASSIGN(by_shard[track.shard],
                    ReadFailures(files, directory.shard_failures(track.shard, track.round)));
    }
  }
  return by_shard;
}

// Brings the files of a finished run back to where they were before it was closed. Nothing is
// changed that the finished run needs: a crash in here leaves it finished.
Result<void> ReopenFiles(const RunOptions& options, RunEnvironment& environment,
                         const RunDirectory& directory, const Manifest& manifest, int dimension,
                         const std::vector<ShardTrack>& tracks, const FailuresByShard& by_shard) {
  const SinkOptions sink_options{
      .output = options.output, .work_folder = directory.work(), .dimension = dimension};
  SLUICE_ASSIGN(const auto sink, MakeSink(environment.files, sink_options));
  ReopenRequest request;
  request.closed = {.row_count = manifest.end()->next,
                    .ids_path = directory.ids(),
                    .skip_failures = options.on_error == OnError::kSkip,
                    .failures = {}};
  for (const ShardEntry& shard : manifest.shards()) {
    request.shards.push_back(shard.range);
  }
  for (const auto& [shard, failures] : by_shard) {
    for (const FailedAnswer& failure : failures) {
      request.closed.failures.push_back(failure.row.row);
      request.failure_texts.push_back(FailureJson(failure.row.failure));
    }
  }
  SLUICE_TRY(sink->Reopen(request));
  for (const ShardTrack& track : tracks) {
    const auto found = by_shard.find(track.shard);
    SLUICE_TRY(
        WriteFailures(environment.files, directory.shard_failures(track.shard, track.round),
                      found == by_shard.end() ? std::vector<FailedAnswer>() : found->second));
  }
  return {};
}

// The tracks that have something to ask again, as they stand then. Of a run that is under way
// those alone that were given up.
std::vector<ShardTrack> AskAgain(const std::vector<ShardTrack>& tracks,
                                 const FailuresByShard& by_shard, FailureClasses classes,
                                 bool under_way) {
  const JobPlan plan(JobPolicy{});
  std::vector<ShardTrack> changed;
  for (ShardTrack track : tracks) {
    if (under_way && (track.state != ShardState::kEnded || !track.given_up.has_value())) {
      continue;  // it goes on by itself
    }
    const auto failures = by_shard.find(track.shard);
    const bool has_rows =
        failures != by_shard.end() && !RowsOfClasses(failures->second, classes).empty();
    const bool is_merged = track.state == ShardState::kMerged || track.state == ShardState::kDone;
    if ((!is_merged || has_rows) && plan.OnRetryAsked(track, classes)) {
      changed.push_back(track);
    }
  }
  return changed;
}

// In one transaction the run is not finished any more and knows what to ask.
Result<void> Reopen(FailureClasses classes, RunEnvironment& environment,
                    const RunDirectory& directory, Ledger& ledger, const Manifest& manifest) {
  SLUICE_ASSIGN(const auto state, ledger.Get(kStateKey));
  SLUICE_ASSIGN(const auto cancelled, ledger.Get(kCancelledKey));
  // A retry, or a run, that was stopped, goes on; but what it gave up is asked again.
  const bool under_way = !state.has_value() && !cancelled.has_value();
  SLUICE_ASSIGN(const auto tracks, ledger.Tracks());
  SLUICE_ASSIGN(const auto by_shard,
                FindFailures(environment.files, directory, manifest, tracks, state.has_value()));
  const std::vector<ShardTrack> changed = AskAgain(tracks, by_shard, classes, under_way);
  if (!cancelled.has_value() && changed.empty()) {
    return {};  // nothing to ask: it stays as it is
  }
  if (state.has_value()) {
    SLUICE_ASSIGN(const auto dimension, ledger.Get(kDimensionKey));
    // With what the output was written, whatever this command was given.
    SLUICE_ASSIGN(const RunOptions options, KeptOptions(ledger, directory.folder()));
    SLUICE_TRY(ReopenFiles(options, environment, directory, manifest,
                           std::stoi(dimension.value_or("0")), tracks, by_shard));
  }
  return ledger.SaveAll(changed, {{kStateKey, ""}, {kCancelledKey, ""}});
}

}  // namespace

Result<RetryPlan> PlanRetry(FileSystem& files, const std::string& run_folder,
                            FailureClasses classes) {
  const RunDirectory directory(run_folder);
  SLUICE_TRY(directory.ExpectRun(files));
  SLUICE_ASSIGN(Ledger ledger, Ledger::OpenToRead(directory.ledger()));
  SLUICE_ASSIGN(const Manifest manifest, Manifest::Read(files, directory.manifest()));
  SLUICE_TRY(ExpectPacked(manifest));
  SLUICE_ASSIGN(const auto state, ledger.Get(kStateKey));
  SLUICE_ASSIGN(const auto cancelled, ledger.Get(kCancelledKey));
  SLUICE_ASSIGN(const auto tracks, ledger.Tracks());
  RetryPlan plan{.is_finished = state.has_value(), .is_cancelled = cancelled.has_value()};
  SLUICE_ASSIGN(const auto by_shard,
                FindFailures(files, directory, manifest, tracks, plan.is_finished));
  const bool asks = plan.is_finished || plan.is_cancelled;
  for (const auto& [shard, failures] : by_shard) {
    for (const FailedAnswer& failure : failures) {
      ++plan.rows_by_class[std::string(FailureClassName(failure.row.failure.failure_class))];
    }
    const uint64_t rows = asks ? RowsOfClasses(failures, classes).size() : 0;
    plan.rows += rows;
    plan.shards += rows > 0 ? 1 : 0;
  }
  for (const ShardTrack& track : tracks) {
    const bool is_given_up = track.state == ShardState::kEnded && track.given_up.has_value();
    if (is_given_up && classes.contains(track.given_up->failure_class)) {
      plan.rows += track.rows_asked;
      ++plan.shards;
    }
  }
  return plan;
}

Result<RunSummary> Retry(const RunOptions& options, FailureClasses classes,
                         RunEnvironment& environment) {
  const RunDirectory directory(options.run_folder);
  SLUICE_TRY(directory.ExpectRun(environment.files));
  SLUICE_TRY(directory.Make(environment.files));
  SLUICE_ASSIGN(const RunLock lock, RunLock::Take(directory.lock()));
  SLUICE_ASSIGN(Ledger ledger, Ledger::Open(directory.ledger()));
  RunOptions going_on = options;
  if (classes.contains(FailureClass::kCancelled)) {
    // Jobs that a cancel has ended, and that end only now, were meant.
    going_on.retry_classes.Add(FailureClass::kCancelled);
  }
  LiveRun live(going_on, environment, directory, ledger);
  SLUICE_TRY(CheckAccount(ledger, live.Account()));
  SLUICE_ASSIGN(const Manifest manifest, Manifest::Read(environment.files, directory.manifest()));
  SLUICE_TRY(ExpectPacked(manifest));
  SLUICE_TRY(Reopen(classes, environment, directory, ledger, manifest));
  return live.GoOn();
}

}  // namespace sluice
