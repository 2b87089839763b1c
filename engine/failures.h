// Failures: the failed rows of all shards in one file, each with its document and its reason, and
// their row numbers for the sink.
#pragma once

#include <string>
#include <vector>

#include "engine/run_directory.h"
#include "io/base/error.h"
#include "io/file/file_system.h"
#include "io/record/ordinal.h"
#include "io/shard/manifest.h"

namespace sluice {

// Joins the shards' failure files with the ids and writes RunDirectory::failures(), one line a row:
// {"row","id","file","line","offset","job","error"}. Gives the failed rows, sorted.
[[nodiscard]] Result<std::vector<Ordinal>> CollectFailures(FileSystem& files,
                                                           const RunDirectory& directory,
                                                           const Manifest& manifest);

// The first lines of that file, for the report.
[[nodiscard]] Result<std::vector<std::string>> FirstFailures(FileSystem& files,
                                                             const RunDirectory& directory,
                                                             size_t count_max);

}  // namespace sluice
