// RunSettings: what may not change within a run, because it changes the bytes sent, their meaning
// or the account that pays. Kept in the ledger; a run that is started again with something else is
// refused with the name of the setting.
#pragma once

#include <string>
#include <vector>

#include "engine/ledger.h"
#include "engine/run.h"
#include "io/base/error.h"
#include "io/corpus/corpus.h"

namespace sluice {

// The name of the account among the settings.
inline constexpr const char* kAccountSetting = "the account (API key or --base-url)";

// Pins the settings of a new run, or compares with those it began with. Errors: kUsage naming a
// changed setting, kInput naming a changed corpus file.
[[nodiscard]] Result<void> PinSettings(Ledger& ledger, const RunOptions& options,
                                       const std::string& account,
                                       const std::vector<CorpusFile>& list);

// Twelve random hex digits that name this run at the service; made once.
[[nodiscard]] Result<std::string> RunId(Ledger& ledger);

}  // namespace sluice
