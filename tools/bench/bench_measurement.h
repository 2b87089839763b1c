// The measuring of one stage, once. To be called in a process of its own, whose peak memory is then
// the stage's.
#pragma once

#include <cstdint>
#include <string>

#include "io/base/error.h"
#include "tools/bench/bench_input.h"
#include "tools/bench/bench_stage.h"

namespace sluice {

struct StageMeasurement {
  StageVolume volume;
  double seconds = 0;
  double cpu_seconds = 0;
  uint64_t peak_bytes = 0;
  double bound_seconds = 0;  // of the bound, for the same bytes with as many threads
};

// With `with_bound` also the bound, and what the stage made is compared with what it should be.
// Errors: those of the stage, kInternal when its result is wrong.
[[nodiscard]] Result<StageMeasurement> MeasureStage(const BenchStage& stage,
                                                    const BenchInput& input, bool with_bound);

// "memory", "zstd 3", "disk", "numbers"
[[nodiscard]] std::string BoundName(const BenchStage& stage, const BenchInput& input);

}  // namespace sluice
