// RunCommandOptions: what `sluice run` shall do, read from its arguments. Pure but for the files
// that a flag names (--template and the like).
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "engine/run.h"
#include "io/base/error.h"
#include "io/file/file_system.h"
#include "tools/arguments.h"
#include "tools/progress_display.h"
#include "tools/service_access.h"

namespace sluice {

struct RunCommandOptions {
  RunOptions run;
  ServiceAccessOptions service;
  std::string report_copy;  // empty: none
  ProgressMode progress = ProgressMode::kPlain;
  std::chrono::milliseconds progress_interval{30'000};
};

// Errors: kUsage naming the flag, kIo for a file that cannot be read.
[[nodiscard]] Result<RunCommandOptions> ReadRunCommandOptions(const Arguments& arguments,
                                                              FileSystem& files,
                                                              bool stderr_is_terminal);

// The flags that other commands take too. Errors: kUsage.
[[nodiscard]] Result<std::optional<int>> ReadCompression(const Arguments& arguments);
[[nodiscard]] Result<void> ReadShardLimits(const Arguments& arguments, ShardLimits& limits);
[[nodiscard]] Result<size_t> ReadThreads(const Arguments& arguments);
[[nodiscard]] Result<void> ReadPace(const Arguments& arguments, RunOptions& run);
[[nodiscard]] Result<void> ReadServiceLimits(const Arguments& arguments,
                                             ServiceAccessOptions& service);
// --output and --report may be replaced, and --report is a file of its own. Errors: kUsage.
[[nodiscard]] Result<void> ExpectPlacesForResults(const RunCommandOptions& options);
[[nodiscard]] Result<void> ReadProgress(const Arguments& arguments, bool stderr_is_terminal,
                                        RunCommandOptions& options);
// What goes without saying when the service runs in this process, with its state in the run folder.
void SuitLocalService(RunOptions& run, ServiceAccessOptions& service);

}  // namespace sluice
