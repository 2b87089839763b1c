// Verify: looks once more at everything that a run left, from its files alone: no service is asked,
// nothing is written, and nothing of what the run noted is believed that can be worked out anew.
//
// Every line of the corpus is read again and must be in exactly one place: a request with its row,
// a refused line, or blank. Every row must be a result at its place in the output, or a failure.
// Files are streamed, so memory does not grow with them (only with the number of shards).
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "engine/verify_findings.h"
#include "io/base/error.h"
#include "io/file/file_system.h"

namespace sluice {

// Of the corpus, a unit is a line, or a text document. Units that are not read yet are in no count.
struct VerifyCounts {
  uint64_t units = 0;  // results + failed + missing + pending + refused + blank
  uint64_t results = 0;
  uint64_t failed = 0;   // answered, but not with a result
  uint64_t missing = 0;  // the service sent no answer
  uint64_t pending = 0;  // not merged yet
  uint64_t refused = 0;
  uint64_t blank = 0;
  uint64_t shards = 0;
  uint64_t shards_merged = 0;
  uint64_t answers_compared = 0;  // kept answers that were decoded again and compared
};

struct VerifyReport {
  std::string run_folder;
  std::string state;  // "PREPARING", "PREPARED" (all is packed), "MERGING", "DONE"
  VerifyCounts counts;
  Findings findings;
};

// Errors: kUsage (no run folder), kLocked (a live process works on it), kUnfinished (stopped), kIo
// (the disk fails). What is wrong with the run is no Error but in the report.
[[nodiscard]] Result<VerifyReport> VerifyRun(FileSystem& files, const std::string& run_folder,
                                             const std::stop_token& stop);

}  // namespace sluice
