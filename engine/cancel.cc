#include "engine/cancel.h"

#include "engine/kept_options.h"
#include "engine/ledger.h"
#include "engine/live_run.h"
#include "engine/run_directory.h"
#include "engine/run_lock.h"

namespace sluice {

Result<CancelPlan> PlanCancel(FileSystem& files, const std::string& run_folder) {
  const RunDirectory directory(run_folder);
  SLUICE_TRY(directory.ExpectRun(files));
  SLUICE_ASSIGN(Ledger ledger, Ledger::OpenToRead(directory.ledger()));
  SLUICE_ASSIGN(const auto state, ledger.Get(kStateKey));
  SLUICE_ASSIGN(const auto tracks, ledger.Tracks());
  CancelPlan plan{.is_finished = state.has_value(), .jobs = {}, .files = {}};
  for (const ShardTrack& track : tracks) {
    const bool is_lost = track.state == ShardState::kIntent ||
                         track.state == ShardState::kUnknown || track.state == ShardState::kFenced;
    plan.lost += is_lost ? 1 : 0;
    plan.unsent += track.state == ShardState::kSealed || track.state == ShardState::kStaged ||
                           track.state == ShardState::kRepack
                       ? 1
                       : 0;
    if (track.state == ShardState::kSubmitted) {
      plan.jobs.push_back(track.job);
    }
    if (track.state <= ShardState::kSubmitted && !track.staged_file.empty()) {
      plan.files.push_back(track.staged_file);
    }
  }
  return plan;
}

Result<CancelSummary> Cancel(const RunOptions& options, bool delete_files,
                             RunEnvironment& environment) {
  const RunDirectory directory(options.run_folder);
  SLUICE_TRY(directory.ExpectRun(environment.files));
  SLUICE_ASSIGN(const RunLock lock, RunLock::Take(directory.lock()));
  SLUICE_ASSIGN(Ledger ledger, Ledger::Open(directory.ledger()));
  SLUICE_ASSIGN(const auto state, ledger.Get(kStateKey));
  if (state.has_value()) {
    return CancelSummary{};
  }
  LiveRun live(options, environment, directory, ledger);
  SLUICE_TRY(CheckAccount(ledger, live.Account()));
  return live.Cancel(delete_files);
}

}  // namespace sluice
