// Cancel: ends the remote jobs of a run. Afterwards nothing more is bought for it: `run` fetches
// what the jobs still delivered and writes the output, `retry` goes on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/run.h"
#include "io/base/error.h"

namespace sluice {

// What a cancel would do. Changes nothing.
struct CancelPlan {
  bool is_finished = false;        // nothing is left to cancel
  std::vector<std::string> jobs;   // that are at the service
  std::vector<std::string> files;  // their input files, and those without a job
  uint64_t lost = 0;               // create calls of which nobody knows what came
  uint64_t unsent = 0;             // shards
};
[[nodiscard]] Result<CancelPlan> PlanCancel(FileSystem& files, const std::string& run_folder);

struct CancelSummary {
  std::vector<std::string> jobs;   // asked to end
  std::vector<std::string> files;  // deleted
};

// Notes first that the run is cancelled; then looks for lost jobs as Run() would, asks every job to
// end, and gives up what was not sent. Does not wait until they have ended. May be repeated.
// Errors: kLocked, kUsage (no run, another account), kUnfinished and what the provider says.
[[nodiscard]] Result<CancelSummary> Cancel(const RunOptions& options, bool delete_files,
                                           RunEnvironment& environment);

}  // namespace sluice
