// A corpus that was changed while a run stood still. A run that stopped at a bad line goes on when
// that line was mended: what was packed before it, and maybe paid, is still right.
#pragma once

#include <stop_token>

#include "engine/run_directory.h"
#include "engine/run_settings.h"
#include "io/base/error.h"
#include "io/file/file_system.h"

namespace sluice {

// Whether the run can go on with the corpus as it is now (`run.files`): it is not packed to its
// end, or found no document, and the corpus still gives the very rows that are in its sealed
// shards. What it noted of the old corpus behind them is removed then. Reads the corpus up to
// there, and the shards. Errors: kUnfinished, kIo.
[[nodiscard]] Result<bool> AcceptChangedCorpus(FileSystem& files, const RunDirectory& directory,
                                               const PinnedRun& run, const std::stop_token& stop);

}  // namespace sluice
