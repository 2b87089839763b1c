#include "engine/run.h"

#include "engine/ledger.h"
#include "engine/live_run.h"
#include "engine/run_directory.h"
#include "engine/run_lock.h"

namespace sluice {

Result<RunSummary> Run(const RunOptions& options, RunEnvironment& environment) {
  const RunDirectory directory(options.run_folder);
  SLUICE_TRY(directory.Make(environment.files));
  SLUICE_ASSIGN(const RunLock lock, RunLock::Take(directory.lock()));
  SLUICE_ASSIGN(Ledger ledger, Ledger::Open(directory.ledger()));
  SLUICE_ASSIGN(const auto settings, ledger.Get(kSettingsKey));
  SLUICE_TRY(directory.ExpectLedger(environment.files, settings.has_value()));
  return LiveRun(options, environment, directory, ledger).Go();
}

}  // namespace sluice
