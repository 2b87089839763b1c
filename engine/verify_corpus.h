// The first half of a look at a run: the corpus is read again, and what pack made of it (request
// lines, ids, refused lines, manifest) must be what is on the disk.
#pragma once

#include <cstdint>

#include "engine/verify_findings.h"
#include "engine/verify_input.h"
#include "io/base/error.h"

namespace sluice {

struct CorpusCounts {
  uint64_t units = 0;
  uint64_t accepted = 0;
  uint64_t refused = 0;
  uint64_t blank = 0;
};

// Of the part that is in sealed shards; of all when the corpus was read to its end. Errors:
// kUnfinished, kIo.
[[nodiscard]] Result<CorpusCounts> CheckCorpus(const VerifyInput& input, Findings& findings);

}  // namespace sluice
