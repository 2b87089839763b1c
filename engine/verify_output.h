// The second half of a look at a run: every row must be a result at its place, which is what its
// answer gave, or a failure with its reason.
#pragma once

#include <cstdint>

#include "engine/verify_findings.h"
#include "engine/verify_input.h"
#include "io/base/error.h"

namespace sluice {

struct OutputCounts {
  uint64_t results = 0;
  uint64_t failed = 0;
  uint64_t missing = 0;
  uint64_t shards_merged = 0;
  uint64_t answers_compared = 0;
};

// Where the file that the run called `name` is now: beside a run folder that is named after it,
// else where the name says.
[[nodiscard]] std::string OutputPath(const RunDirectory& directory, const std::string& name,
                                     FileSystem& files);

// Of a complete run the output, its ids and failures.jsonl; else the rows of merged shards as they
// wait in the work folder. Errors: kUnfinished.
[[nodiscard]] Result<OutputCounts> CheckOutput(const VerifyInput& input, Findings& findings);

}  // namespace sluice
