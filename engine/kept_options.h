// KeptOptions: with what a run was begun, out of its ledger, for commands that are given nothing
// but the run folder. What may not change within a run stands there as `settings`
// (engine/run_settings.h); what may is kept beside it as `how`.
#pragma once

#include <string>

#include "engine/ledger.h"
#include "engine/run.h"
#include "io/base/error.h"

namespace sluice {

[[nodiscard]] Result<void> KeepOptions(Ledger& ledger, const RunOptions& options);

// As the run was last started. Errors: kUsage for a folder that no run has sent anything from.
[[nodiscard]] Result<RunOptions> KeptOptions(Ledger& ledger, const std::string& run_folder);

// Errors: kUsage when the run began with another account: with it, "not found" would be a lie.
[[nodiscard]] Result<void> CheckAccount(Ledger& ledger, const std::string& account);

}  // namespace sluice
