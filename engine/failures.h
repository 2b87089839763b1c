// Failures: the failed rows of a shard in a file for each round, and those of all shards in one,
// each with its document and its reason. Written once or again with the same result.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/failure_classes.h"
#include "engine/merge.h"
#include "engine/run_directory.h"
#include "io/base/error.h"
#include "io/file/file_system.h"
#include "io/record/ordinal.h"
#include "io/shard/manifest.h"

namespace sluice {

// A failed row, and the job whose answer it was.
struct FailedAnswer {
  FailedRow row;
  std::string job;
};

// RunDirectory::shard_failures() of one round, or RunDirectory::failures(): rows in order. Errors:
// kIo, also for a damaged file.
[[nodiscard]] Result<std::vector<FailedAnswer>> ReadFailures(FileSystem& files,
                                                             const std::string& path);
[[nodiscard]] Result<void> WriteFailures(FileSystem& files, const std::string& path,
                                         const std::vector<FailedAnswer>& failures);

// The rows among `failures` that failed with one of `classes`.
[[nodiscard]] std::vector<Ordinal> RowsOfClasses(const std::vector<FailedAnswer>& failures,
                                                 FailureClasses classes);

// Joins the failure files of the shards' last rounds (`rounds`: by shard) with the ids and writes
// RunDirectory::failures(), one line a row: {"row","id","file","line","offset","job","error"}.
// Gives the failed rows, sorted.
[[nodiscard]] Result<std::vector<Ordinal>> CollectFailures(FileSystem& files,
                                                           const RunDirectory& directory,
                                                           const Manifest& manifest,
                                                           const std::map<uint32_t, int>& rounds);

// The first lines of that file, for the report.
[[nodiscard]] Result<std::vector<std::string>> FirstFailures(FileSystem& files,
                                                             const RunDirectory& directory,
                                                             size_t count_max);

}  // namespace sluice
