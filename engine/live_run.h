// LiveRun: a run from its ledger to its report, for those who begin it (engine/run.h), go on with
// it (engine/retry.h) or end it (engine/cancel.h). Its members are what the steps share. One thread
// at a time.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "engine/answer_collector.h"
#include "engine/cancel.h"
#include "engine/job_plan.h"
#include "engine/ledger.h"
#include "engine/report.h"
#include "engine/run.h"
#include "engine/run_directory.h"
#include "engine/stage_times.h"
#include "engine/tracker.h"
#include "io/base/clock.h"
#include "io/shard/manifest.h"

namespace sluice {

class LiveRun {
 public:
  // The caller holds the run's lock. All must outlive the LiveRun.
  LiveRun(const RunOptions& options, RunEnvironment& environment, const RunDirectory& directory,
          Ledger& ledger);

  // Packs, tracks and writes the output.
  [[nodiscard]] Result<RunSummary> Go();
  // Tracks and writes the output of a run whose corpus is packed; asks for no corpus.
  [[nodiscard]] Result<RunSummary> GoOn();
  // Finds lost jobs, asks all jobs to end and gives up what was not sent.
  [[nodiscard]] Result<CancelSummary> Cancel(bool delete_files);

  // The account of the provider, as it is pinned.
  [[nodiscard]] std::string Account() const;

 private:
  [[nodiscard]] Result<int> KnownDimension();
  [[nodiscard]] CollectOptions CollectOptionsOf(int dimension) const;
  [[nodiscard]] TrackerOptions TrackerOptionsOf() const;
  [[nodiscard]] Result<JobPolicy> PolicyOf();
  [[nodiscard]] Result<void> CountWhatIsThere(const Manifest& manifest);
  [[nodiscard]] Result<RunSummary> Finish(Manifest& manifest, bool packs);
  [[nodiscard]] Result<void> PackAndTrack(const LineProtocol& protocol, Manifest& manifest,
                                          AnswerCollector& collector, bool packs);
  [[nodiscard]] Result<void> Track(Tracker& tracker, const LineProtocol& protocol,
                                   Manifest& manifest, bool packs);
  [[nodiscard]] int JobsInFlight() const;
  [[nodiscard]] Result<void> PackAll(const LineProtocol& protocol, Manifest& manifest,
                                     Tracker& tracker, std::stop_token stop);
  [[nodiscard]] Result<RunSummary> Close(const Manifest& manifest, AnswerCollector& collector);
  [[nodiscard]] Result<std::map<uint32_t, int>> LastRounds();
  [[nodiscard]] Result<std::vector<OutputFile>> WriteOutputs(const Manifest& manifest, Sink& sink);
  [[nodiscard]] Result<RunSummary> SummarizeFinished(const Manifest& manifest);
  [[nodiscard]] ReportInput InputOf(const Manifest& manifest, std::vector<OutputFile> outputs,
                                    int dimension) const;

  const RunOptions& options_;
  RunEnvironment& environment_;
  const RunDirectory& directory_;
  Ledger& ledger_;
  MonotonicTime begin_;
  StageTimes times_;
  std::vector<CorpusFile> list_;
  bool resumed_ = false;
};

}  // namespace sluice
