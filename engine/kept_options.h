// KeptOptions: with what a run was begun, out of its ledger, for commands that are given nothing
// but the run folder. What may not change within a run stands there as `settings`
// (engine/run_settings.h); what may is kept beside it as `how`.
#pragma once

#include <string>

#include "engine/ledger.h"
#include "engine/run.h"
#include "io/base/error.h"

namespace sluice {

// Notes the part of `options` that may change, in place of what was noted before. Errors: as
// Ledger.
[[nodiscard]] Result<void> KeepOptions(Ledger& ledger, const RunOptions& options);

// As the run was last started; what is not kept (corpus, limits, paces, caps, threads) is as in a
// new RunOptions. Errors: kUsage for a folder that no run has sent anything from; kIo for settings
// that cannot be read.
[[nodiscard]] Result<RunOptions> KeptOptions(Ledger& ledger, const std::string& run_folder);

// Errors: kUsage when the run began with another account: with it, "not found" would be a lie.
[[nodiscard]] Result<void> CheckAccount(Ledger& ledger, const std::string& account);

}  // namespace sluice
