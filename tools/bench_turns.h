// Measurements in turn, each in a process of its own: the machine's moods then meet all alike.
#pragma once

#include <vector>

#include "io/base/error.h"
#include "tools/bench/bench_input.h"
#include "tools/bench/bench_report.h"
#include "tools/bench_options.h"
#include "tools/command_context.h"

namespace sluice {

// All stages in turn, again and again; the first time does not count. Errors: kUnfinished, kInput,
// kInternal.
[[nodiscard]] Result<std::vector<BenchRow>> MeasureInTurn(const CommandContext& context,
                                                          const BenchInput& input,
                                                          const BenchOptions& options);

// The one stage and the command --against, as whole processes, in the same way. Errors: kUsage when
// the command fails.
[[nodiscard]] Result<BenchRace> RaceInTurn(const CommandContext& context, const BenchInput& input,
                                           const BenchOptions& options);

}  // namespace sluice
