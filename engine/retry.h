// Retry: goes on with a run for which only its folder is given: asks again for rows that failed,
// and writes the output anew. What was delivered is kept and never asked for again.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "engine/failure_classes.h"
#include "engine/run.h"
#include "io/base/error.h"

namespace sluice {

// What a retry would ask for.
struct RetryPlan {
  bool is_finished = false;  // the run; one that is not is gone on with first
  bool is_cancelled = false;
  std::map<std::string, uint64_t> rows_by_class = {};  // of rows that failed for good
  uint64_t rows = 0;                                   // of the classes asked for
  uint64_t shards = 0;
};

// Changes nothing. Errors: kUsage for what is no run, or one whose corpus is not packed yet.
[[nodiscard]] Result<RetryPlan> PlanRetry(FileSystem& files, const std::string& run_folder,
                                          FailureClasses classes);

// Of a finished or a cancelled run, rows that failed with one of `classes` are asked again, up to
// options.attempts_max jobs for each shard; until then the old output stays. An unfinished run is
// only gone on with, so the same call may be repeated after a stop. `options` as KeptOptions()
// gives them, with another pace if need be. Errors: as Run(); kUsage as PlanRetry().
[[nodiscard]] Result<RunSummary> Retry(const RunOptions& options, FailureClasses classes,
                                       RunEnvironment& environment);

}  // namespace sluice
