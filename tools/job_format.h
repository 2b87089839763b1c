// Batch jobs, shown to people and to programs (docs/cli.md). Pure.
#pragma once

#include <span>
#include <string>

#include "api/batches/batch_job.h"
#include "io/base/clock.h"
#include "tools/terminal.h"

namespace sluice {

[[nodiscard]] std::string FormatJob(const BatchJob& job);
[[nodiscard]] std::string FormatJobTable(std::span<const BatchJob> jobs);
// "2026-11-22T13:00:32Z batches/x RUNNING 12/20", a line.
[[nodiscard]] std::string FormatJobProgress(const BatchJob& job, WallTime now);

// {"v":1,"type":"job","job":{...}}, a line.
[[nodiscard]] std::string FormatJobAsJson(const BatchJob& job, const Terminal& terminal);
[[nodiscard]] std::string FormatJobsAsJson(std::span<const BatchJob> jobs,
                                           const std::string& next_page_token,
                                           const Terminal& terminal);
[[nodiscard]] std::string FormatJobProgressAsJson(const BatchJob& job, WallTime now);

}  // namespace sluice
