#include "engine/run.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <thread>

#include "engine/answer_collector.h"
#include "engine/failures.h"
#include "engine/ledger.h"
#include "engine/prepare_run.h"
#include "engine/report.h"
#include "engine/run_directory.h"
#include "engine/run_settings.h"
#include "engine/tracker.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kDone = "DONE";

JobPolicy PolicyOf(const RunOptions& options, const ProviderTraits& traits, std::string run_id) {
  JobPolicy policy;
  policy.run_id = std::move(run_id);
  policy.attempts_max = options.attempts_max;
  policy.settle = options.settle.value_or(traits.settle);
  policy.poll_first = options.poll_first.value_or(traits.poll_first);
  policy.poll_max = std::max(options.poll_max.value_or(traits.poll_max), policy.poll_first);
  // Waiting between tries follows the pace of the polls, so that a fast local service is not waited
  // for as if it were a far one.
  policy.retry_first = std::min(policy.retry_first, policy.poll_first);
  return policy;
}

// One run from its ledger to its report. Its members are what the steps share; the steps stand in
// Go(), in order.
class Runner {
 public:
  Runner(const RunOptions& options, RunEnvironment& environment, const RunDirectory& directory,
         Ledger& ledger)
      : options_(options),
        environment_(environment),
        directory_(directory),
        ledger_(ledger),
        begin_(environment.clock.Now()) {}

  Result<RunSummary> Go() {
    SLUICE_ASSIGN(list_, ListCorpusFiles(environment_.files, options_.corpus));
    SLUICE_TRY(PinSettings(ledger_, environment_.files, directory_, options_, Account(), list_));
    SLUICE_ASSIGN(const auto protocol, MakeLineProtocol(options_.provider_name, options_.request));
    SLUICE_ASSIGN(Manifest manifest, Manifest::Open(environment_.files, directory_.manifest()));
    SLUICE_TRY(CountWhatIsThere(manifest));
    SLUICE_ASSIGN(const auto state, ledger_.Get("state"));
    if (state == kDone) {
      return SummarizeFinished(manifest);
    }
    SLUICE_ASSIGN(const int dimension, KnownDimension());
    AnswerCollector collector(CollectOptionsOf(dimension), {.files = environment_.files,
                                                            .provider = environment_.provider,
                                                            .protocol = *protocol,
                                                            .directory = directory_,
                                                            .progress = environment_.progress,
                                                            .times = times_});
    SLUICE_TRY(PackAndTrack(*protocol, manifest, collector));
    SLUICE_TRY(ExpectDocuments(environment_.files, directory_, *manifest.end()));
    return Close(manifest, collector);
  }

 private:
  std::string Account() const {
    return options_.account.empty() ? environment_.provider.account_fingerprint()
                                    : options_.account;
  }

  Result<int> KnownDimension() {
    SLUICE_ASSIGN(const auto pinned, ledger_.Get("dimension"));
    return pinned.has_value() && *pinned != "0" ? std::stoi(*pinned) : options_.request.dimension;
  }

  CollectOptions CollectOptionsOf(int dimension) const {
    return {.output = options_.output,
            .task = options_.request.task,
            .dimension = dimension,
            .normalize = options_.normalize,
            .fail_on_error = options_.on_error == OnError::kFail,
            .keep_answers = options_.keep_answers,
            .threads = options_.threads};
  }

  // The counters of a resumed run begin where the earlier one stood.
  Result<void> CountWhatIsThere(const Manifest& manifest) {
    Progress& progress = environment_.progress;
    for (const CorpusFile& file : list_) {
      progress.corpus_bytes_total += file.size;
    }
    progress.documents_packed = manifest.position().next;
    progress.documents_rejected = manifest.position().rejected;
    progress.packing_done = manifest.end().has_value();
    progress.shards_sealed = manifest.shards().size();
    for (const ShardEntry& shard : manifest.shards()) {
      progress.request_bytes += shard.plain_bytes;
      progress.compressed_bytes += shard.compressed_bytes;
    }
    SLUICE_ASSIGN(const auto merges, ledger_.Merges());
    for (const auto& [shard, counts] : merges) {
      progress.rows_merged += counts.ok;
      progress.rows_failed += counts.failed;
    }
    resumed_ = !manifest.shards().empty();
    return {};
  }

  Result<void> PackAndTrack(const LineProtocol& protocol, Manifest& manifest,
                            AnswerCollector& collector) {
    SLUICE_ASSIGN(const std::string run_id, RunId(ledger_));
    const JobPlan plan(PolicyOf(options_, environment_.provider.traits(), run_id));
    Tracker tracker({.task = options_.request.task,
                     .model = options_.request.model,
                     .uploads = options_.uploads,
                     .jobs_in_flight = JobsInFlight(),
                     .keep_remote = options_.keep_remote,
                     .delete_remote_jobs = options_.delete_remote_jobs},
                    plan,
                    {.files = environment_.files,
                     .clock = environment_.clock,
                     .provider = environment_.provider,
                     .directory = directory_,
                     .progress = environment_.progress,
                     .times = times_},
                    ledger_, collector);
    for (const ShardEntry& shard : manifest.shards()) {
      tracker.AddShard(shard);
    }
    std::stop_source pack_stop;
    const std::stop_callback forward(environment_.stop, [&] { pack_stop.request_stop(); });
    const std::jthread packing(
        [&] { tracker.PackEnded(PackAll(protocol, manifest, tracker, pack_stop.get_token())); });
    Result<void> tracked = tracker.Run(environment_.stop);
    pack_stop.request_stop();
    return tracked;
  }

  int JobsInFlight() const {
    const int limit = environment_.provider.traits().jobs_in_flight_max;
    return limit > 0 ? std::min(limit, options_.jobs_in_flight) : options_.jobs_in_flight;
  }

  Result<void> PackAll(const LineProtocol& protocol, Manifest& manifest, Tracker& tracker,
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

  Result<RunSummary> Close(const Manifest& manifest, AnswerCollector& collector) {
    SLUICE_ASSIGN(Sink* const sink, collector.OpenSink());
    SLUICE_ASSIGN(const auto outputs, WriteOutputs(manifest, *sink));
    const ReportInput input = InputOf(manifest, outputs, collector.dimension());
    SLUICE_ASSIGN(RunSummary summary, Summarize(input, ledger_));
    SLUICE_TRY(WriteReport(environment_.files, input, summary));
    SLUICE_TRY(ledger_.Set("outputs", OutputsJson(outputs)));
    SLUICE_TRY(ledger_.Set("state", std::string(kDone)));
    SLUICE_TRY(sink->RemoveWorkFiles());
    SLUICE_TRY(directory_.ClearWork(environment_.files));
    return summary;
  }

  Result<std::vector<OutputFile>> WriteOutputs(const Manifest& manifest, Sink& sink) {
    const StepTimer step(times_, Step::kClose);
    const StageTimer stage(times_, Stage::kClose);
    SLUICE_ASSIGN(const auto failures, CollectFailures(environment_.files, directory_, manifest));
    return sink.Close({.row_count = manifest.end()->next,
                       .ids_path = directory_.ids(),
                       .skip_failures = options_.on_error == OnError::kSkip,
                       .failures = failures});
  }

  // A run that is complete asks nothing of anybody.
  Result<RunSummary> SummarizeFinished(const Manifest& manifest) {
    SLUICE_ASSIGN(const int dimension, KnownDimension());
    SLUICE_ASSIGN(const auto text, ledger_.Get("outputs"));
    std::vector<OutputFile> outputs;
    for (const Json& output : Json::parse(text.value_or("[]"), nullptr, false)) {
      outputs.push_back(
          {.path = output.at("path"), .bytes = output.at("bytes"), .rows = output.at("rows")});
      if (!environment_.files.Exists(outputs.back().path)) {
        return Fail(
            ErrorCode::kUsage,
            fmt::format("this run is complete, but its output '{}' is gone", outputs.back().path),
            "put the file back, or start over with --fresh");
      }
    }
    resumed_ = true;
    SLUICE_TRY(directory_.ClearWork(environment_.files));
    return Summarize(InputOf(manifest, outputs, dimension), ledger_);
  }

  static std::string OutputsJson(const std::vector<OutputFile>& outputs) {
    Json json = Json::array();
    for (const OutputFile& output : outputs) {
      json.push_back({{"path", output.path}, {"bytes", output.bytes}, {"rows", output.rows}});
    }
    return json.dump();
  }

  ReportInput InputOf(const Manifest& manifest, std::vector<OutputFile> outputs,
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

  const RunOptions& options_;
  RunEnvironment& environment_;
  const RunDirectory& directory_;
  Ledger& ledger_;
  MonotonicTime begin_;
  StageTimes times_;
  std::vector<CorpusFile> list_;
  bool resumed_ = false;
};

}  // namespace

Result<RunSummary> Run(const RunOptions& options, RunEnvironment& environment) {
  const RunDirectory directory(options.run_folder);
  SLUICE_TRY(directory.Make(environment.files));
  SLUICE_ASSIGN(const RunLock lock, RunLock::Take(directory.lock()));
  if (options.fresh) {
    SLUICE_TRY(directory.Clear(environment.files));
  }
  SLUICE_ASSIGN(Ledger ledger, Ledger::Open(directory.ledger()));
  SLUICE_ASSIGN(const auto settings, ledger.Get("settings"));
  SLUICE_TRY(directory.ExpectLedger(environment.files, settings.has_value()));
  return Runner(options, environment, directory, ledger).Go();
}

}  // namespace sluice
