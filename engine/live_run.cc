#include "engine/live_run.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <thread>

#include "engine/deadline.h"
#include "engine/failures.h"
#include "engine/kept_options.h"
#include "engine/merged_rows.h"
#include "engine/prepare_run.h"
#include "engine/run_disk.h"
#include "engine/run_id.h"
#include "engine/run_settings.h"
#include "engine/sealed_ids.h"
#include "engine/work_loop.h"
#include "io/base/exhaustion.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

std::string OutputsJson(const std::vector<OutputFile>& outputs) {
  Json json = Json::array();
  for (const OutputFile& output : outputs) {
    json.push_back({{"path", output.path}, {"bytes", output.bytes}, {"rows", output.rows}});
  }
  return json.dump();
}

// An output of a complete run stands where it was written.
Result<void> ExpectWhole(FileSystem& files, const OutputFile& output) {
  const Result<FileStat> stat = files.Stat(output.path);
  if (stat.has_value() && stat->size == output.bytes) {
    return {};
  }
  return Fail(ErrorCode::kInput,
              fmt::format("this run is complete, but its output '{}' is {}", output.path,
                          stat.has_value()
                              ? fmt::format("{} bytes long, and was {}", stat->size, output.bytes)
                              : "gone"),
              "put the file back, or start over with --fresh (jobs are paid again)");
}

// What a run writes is none of what it reads, by whatever names the two are called.
Result<void> ExpectOutputApart(FileSystem& files, const CorpusOptions& corpus,
                               const std::vector<CorpusFile>& list) {
  for (const std::string& path : corpus.own_paths) {
    if (CorpusFile{.path = path}.is_address()) {
      continue;  // of the run's own objects, which lie apart as their names do
    }
    const Result<FileStat> stat = files.Stat(path);
    const bool is_input = stat.has_value() && stat->is_regular &&
                          std::ranges::any_of(list, [&](const CorpusFile& file) {
                            return !file.is_standard_input() && file.inode == stat->inode &&
                                   file.size == stat->size && file.ctime_ns == stat->ctime_ns;
                          });
    if (is_input) {
      return Fail(ErrorCode::kUsage,
                  fmt::format("'{}' is an input of this run, and would be written over", path),
                  "give the output, its ids or the report another name: -o FILE, --report FILE");
    }
  }
  return {};
}

}  // namespace

LiveRun::LiveRun(const RunOptions& options, RunEnvironment& environment,
                 const RunDirectory& directory, Ledger& ledger)
    : options_(options),
      environment_(environment),
      directory_(directory),
      ledger_(ledger),
      begin_(environment.clock.Now()) {}

Result<RunSummary> LiveRun::Go() {
  SLUICE_ASSIGN(const auto state, ledger_.Get(kStateKey));
  if (state != kFinished) {
    SLUICE_TRY(TryOutput(environment_.files, options_.output));
  }
  SLUICE_ASSIGN(list_, ListCorpusFiles(environment_.files, options_.corpus));
  SLUICE_TRY(ExpectOutputApart(environment_.files, options_.corpus, list_));
  SLUICE_TRY(PinSettings(ledger_, environment_.files, directory_, options_, Account(), list_,
                         environment_.stop));
  SLUICE_ASSIGN(Manifest manifest, Manifest::Open(environment_.files, directory_.manifest()));
  return Finish(manifest, true);
}

Result<RunSummary> LiveRun::GoOn() {
  SLUICE_ASSIGN(PinnedRun pinned, ReadPinnedRun(ledger_));
  list_ = std::move(pinned.files);
  SLUICE_ASSIGN(Manifest manifest, Manifest::Open(environment_.files, directory_.manifest()));
  SLUICE_CHECK(manifest.end().has_value(), "a run goes on without its corpus that is not packed");
  return Finish(manifest, false);
}

Result<RunSummary> LiveRun::Finish(Manifest& manifest, bool packs) {
  SLUICE_ASSIGN(const auto protocol, MakeLineProtocol(options_.provider_name, options_.request));
  SLUICE_ASSIGN(const auto state, ledger_.Get(kStateKey));
  if (state == kFinished) {
    SLUICE_TRY(CountWhatIsThere(manifest));
    return SummarizeFinished(manifest);
  }
  // Before anything is asked for that could not be written in the end.
  SLUICE_TRY(ExpectSealedIds(environment_.files, directory_.ids(), manifest));
  SLUICE_TRY(KeepOptions(ledger_, options_));
  SLUICE_ASSIGN(const int dimension, KnownDimension());
  SLUICE_TRY(SendBackDamagedShards({.files = environment_.files,
                                    .directory = directory_,
                                    .protocol = *protocol,
                                    .stop = environment_.stop},
                                   manifest, dimension, ledger_));
  SLUICE_TRY(CountWhatIsThere(manifest));
  AnswerCollector collector(CollectOptionsOf(dimension), {.files = environment_.files,
                                                          .provider = environment_.provider,
                                                          .protocol = *protocol,
                                                          .directory = directory_,
                                                          .progress = environment_.progress,
                                                          .times = times_});
  SLUICE_TRY(PackAndTrack(*protocol, manifest, collector, packs));
  SLUICE_TRY(ExpectDocuments(environment_.files, directory_, *manifest.end()));
  return Close(manifest, collector);
}

Result<CancelSummary> LiveRun::Cancel(bool delete_files) {
  SLUICE_TRY(ledger_.Set(kCancelledKey, FormatTime(environment_.clock.WallNow())));
  SLUICE_ASSIGN(const Manifest manifest, Manifest::Read(environment_.files, directory_.manifest()));
  SLUICE_ASSIGN(const auto protocol, MakeLineProtocol(options_.provider_name, options_.request));
  AnswerCollector collector(CollectOptionsOf(0), {.files = environment_.files,
                                                  .provider = environment_.provider,
                                                  .protocol = *protocol,
                                                  .directory = directory_,
                                                  .progress = environment_.progress,
                                                  .times = times_});
  RunDisk disk({.files = environment_.files, .protocol = *protocol, .directory = directory_},
               collector, options_.zstd_level);
  SLUICE_ASSIGN(JobPolicy policy, PolicyOf());
  policy.cancels = true;
  const JobPlan plan(policy);
  TrackerOptions options = TrackerOptionsOf();
  options.delete_files = delete_files;
  ThreadedLoop loop(Tracker::ThreadCount(options));
  Tracker tracker(options, plan,
                  {.clock = environment_.clock,
                   .provider = environment_.provider,
                   .disk = disk,
                   .progress = environment_.progress,
                   .times = times_,
                   .loop = loop},
                  ledger_);
  for (const ShardEntry& shard : manifest.shards()) {
    tracker.AddShard(shard);
  }
  tracker.PackEnded({});
  SLUICE_TRY(tracker.Run(environment_.stop));
  return CancelSummary{.jobs = tracker.cancelled_jobs(), .files = tracker.deleted_files()};
}

std::string LiveRun::Account() const {
  return options_.account.empty() ? environment_.provider.account_fingerprint() : options_.account;
}

Result<int> LiveRun::KnownDimension() {
  SLUICE_ASSIGN(const auto pinned, ledger_.Get(kDimensionKey));
  return pinned.has_value() && *pinned != "0" ? std::stoi(*pinned) : options_.request.dimension;
}

CollectOptions LiveRun::CollectOptionsOf(int dimension) const {
  return {.output = options_.output,
          .task = options_.request.task,
          .dimension = dimension,
          .normalize = options_.normalize,
          .fail_on_error = options_.on_error == OnError::kFail,
          .retry_classes = options_.retry_classes,
          .keep_answers = options_.keep_answers,
          .threads = options_.threads};
}

TrackerOptions LiveRun::TrackerOptionsOf() const {
  return {.task = options_.request.task,
          .model = options_.request.model,
          .uploads = options_.uploads,
          .jobs_in_flight = JobsInFlight(),
          .keep_remote = options_.keep_remote,
          .delete_remote_jobs = options_.delete_remote_jobs,
          .cap = options_.cap};
}

Result<JobPolicy> LiveRun::PolicyOf() {
  const ProviderTraits& traits = environment_.provider.traits();
  JobPolicy policy;
  SLUICE_ASSIGN(policy.run_id, RunId(ledger_));
  SLUICE_ASSIGN(const auto cancelled, ledger_.Get(kCancelledKey));
  policy.is_cancelled = cancelled.has_value();
  policy.attempts_max = options_.attempts_max;
  policy.retry_classes = options_.retry_classes;
  policy.on_unknown = options_.on_unknown;
  policy.settle = options_.settle.value_or(traits.settle);
  policy.poll_first = options_.poll_first.value_or(traits.poll_first);
  policy.poll_max = std::max(options_.poll_max.value_or(traits.poll_max), policy.poll_first);
  // Waiting between tries follows the pace of the polls, so that a fast local service is not waited
  // for as if it were a far one.
  policy.retry_first = std::min(policy.retry_first, policy.poll_first);
  return policy;
}

Result<void> LiveRun::CountWhatIsThere(const Manifest& manifest) {
  Progress& progress = environment_.progress;
  CountPacked(list_, manifest, progress);
  SLUICE_ASSIGN(const auto merges, ledger_.Merges());
  for (const auto& [shard, counts] : merges) {
    progress.rows_merged += counts.ok;
    progress.rows_failed += counts.failed;
  }
  resumed_ = !manifest.shards().empty();
  return {};
}

Result<void> LiveRun::PackAndTrack(const LineProtocol& protocol, Manifest& manifest,
                                   AnswerCollector& collector, bool packs) {
  SLUICE_ASSIGN(const JobPolicy policy, PolicyOf());
  const JobPlan plan(policy);
  RunDisk disk({.files = environment_.files, .protocol = protocol, .directory = directory_},
               collector, options_.zstd_level);
  const TrackerOptions options = TrackerOptionsOf();
  ThreadedLoop loop(Tracker::ThreadCount(options));
  Tracker tracker(options, plan,
                  {.clock = environment_.clock,
                   .provider = environment_.provider,
                   .disk = disk,
                   .progress = environment_.progress,
                   .times = times_,
                   .loop = loop},
                  ledger_);
  for (const ShardEntry& shard : manifest.shards()) {
    tracker.AddShard(shard);
  }
  return Track(tracker, protocol, manifest, packs);
}

Result<void> LiveRun::Track(Tracker& tracker, const LineProtocol& protocol, Manifest& manifest,
                            bool packs) {
  const Deadline deadline(environment_.clock, options_.deadline, environment_.stop);
  std::stop_source pack_stop;
  const std::stop_callback forward(deadline.stop_token(), [&] { pack_stop.request_stop(); });
  std::jthread packing;
  if (packs) {
    packing = std::jthread([&] {
      tracker.PackEnded(
          Caught([&] { return PackAll(protocol, manifest, tracker, pack_stop.get_token()); }));
    });
  } else {
    tracker.PackEnded({});
  }
  const Result<void> tracked = Caught([&] { return tracker.Run(deadline.stop_token()); });
  pack_stop.request_stop();
  return deadline.Explain(tracked, tracker.WhatIsOpen());
}

int LiveRun::JobsInFlight() const {
  const int limit = environment_.provider.traits().jobs_in_flight_max;
  return limit > 0 ? std::min(limit, options_.jobs_in_flight) : options_.jobs_in_flight;
}

Result<void> LiveRun::PackAll(const LineProtocol& protocol, Manifest& manifest, Tracker& tracker,
                              std::stop_token stop) {
  const StepTimer timer(times_, Step::kPack);
  const PackOptions pack = PackOptionsOf(options_, environment_.provider.traits(), directory_);
  PackEnvironment environment{.files = environment_.files,
                              .protocol = protocol,
                              .directory = directory_,
                              .progress = environment_.progress,
                              .times = times_,
                              .stop = std::move(stop)};
  return Pack(pack, list_, environment, manifest,
              [&](const ShardEntry& shard) { tracker.AddShard(shard); });
}

Result<RunSummary> LiveRun::Close(const Manifest& manifest, AnswerCollector& collector) {
  SLUICE_ASSIGN(Sink* const sink, collector.OpenSink());
  SLUICE_ASSIGN(const auto outputs, WriteOutputs(manifest, *sink));
  const ReportInput input = InputOf(manifest, outputs, collector.dimension());
  SLUICE_ASSIGN(RunSummary summary, Summarize(input, ledger_));
  SLUICE_TRY(WriteReport(environment_.files, input, summary));
  SLUICE_TRY(ledger_.Set(kOutputsKey, OutputsJson(outputs)));
  SLUICE_TRY(ledger_.Set(kStateKey, kFinished));
  SLUICE_TRY(sink->RemoveWorkFiles());
  SLUICE_TRY(directory_.ClearWork(environment_.files));
  return summary;
}

Result<std::map<uint32_t, int>> LiveRun::LastRounds() {
  SLUICE_ASSIGN(const auto tracks, ledger_.Tracks());
  std::map<uint32_t, int> rounds;
  for (const ShardTrack& track : tracks) {
    rounds[track.shard] = track.round;
  }
  return rounds;
}

Result<std::vector<OutputFile>> LiveRun::WriteOutputs(const Manifest& manifest, Sink& sink) {
  const StepTimer step(times_, Step::kClose);
  const StageTimer stage(times_, Stage::kClose);
  SLUICE_TRY(ExpectSealedIds(environment_.files, directory_.ids(), manifest));
  SLUICE_ASSIGN(const auto rounds, LastRounds());
  SLUICE_ASSIGN(const auto failures,
                CollectFailures(environment_.files, directory_, manifest, rounds));
  return sink.Close({.row_count = manifest.end()->next,
                     .ids_path = directory_.ids(),
                     .skip_failures = options_.on_error == OnError::kSkip,
                     .failures = failures});
}

// A run that is complete asks nothing of anybody.
Result<RunSummary> LiveRun::SummarizeFinished(const Manifest& manifest) {
  SLUICE_ASSIGN(const int dimension, KnownDimension());
  SLUICE_ASSIGN(const auto text, ledger_.Get(kOutputsKey));
  std::vector<OutputFile> outputs;
  for (const Json& output : ParseJson(text.value_or("[]"))) {
    outputs.push_back(
        {.path = output.at("path"), .bytes = output.at("bytes"), .rows = output.at("rows")});
    SLUICE_TRY(ExpectWhole(environment_.files, outputs.back()));
  }
  resumed_ = true;
  SLUICE_TRY(directory_.ClearWork(environment_.files));
  return Summarize(InputOf(manifest, outputs, dimension), ledger_);
}

ReportInput LiveRun::InputOf(const Manifest& manifest, std::vector<OutputFile> outputs,
                             int dimension) const {
  const std::chrono::duration<double> spent = environment_.clock.Now() - begin_;
  return {.options = options_,
          .directory = directory_,
          .manifest = manifest,
          .times = times_,
          .list = list_,
          .outputs = std::move(outputs),
          .dimension = options_.request.task == Task::kEmbed ? dimension : 0,
          .seconds = spent.count(),
          .resumed = resumed_,
          .finished = FormatTime(environment_.clock.WallNow())};
}

}  // namespace sluice
