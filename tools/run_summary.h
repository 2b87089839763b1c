// What a run says at its end, for people and for machines. Pure.
#pragma once

#include <string>

#include "engine/prepare_run.h"
#include "engine/run.h"
#include "io/base/clock.h"
#include "tools/terminal.h"

namespace sluice {

// Several lines: what was written, what failed and where it is named, how long it took.
[[nodiscard]] std::string FormatRunSummary(const RunSummary& summary, const RunOptions& options,
                                           bool color);
// What a user should know of the answers though no row failed of it.
[[nodiscard]] std::vector<std::string> WarningsOf(const RunSummary& summary);
// {"v":1,"type":"summary",...} with its line end.
[[nodiscard]] std::string FormatRunSummaryAsJson(const RunSummary& summary,
                                                 const RunOptions& options,
                                                 const Terminal& terminal);
// "2026-11-22T13:41:14Z done rows=20119 failed=3 output=vectors.npy exit=3" with its line end.
[[nodiscard]] std::string FormatDoneLine(const RunSummary& summary, const RunOptions& options,
                                         WallTime now);

// The same of `prepare`: what stands in the run folder now, and how to go on.
[[nodiscard]] std::string FormatPrepareSummary(const PrepareSummary& summary,
                                               const RunOptions& options, bool color);
// {"v":1,"type":"prepared",...} with its line end.
[[nodiscard]] std::string FormatPrepareSummaryAsJson(const PrepareSummary& summary,
                                                     const RunOptions& options, int exit_code,
                                                     const Terminal& terminal);

}  // namespace sluice
