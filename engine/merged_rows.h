// MergedRows: whether the rows that an earlier process merged are still what their answers gave. A
// run that goes on asks before it relies on them: what a disk, or somebody, has changed since is
// fetched again, and never reaches the output.
#pragma once

#include <stop_token>

#include "api/protocol/line_protocol.h"
#include "engine/ledger.h"
#include "engine/run_directory.h"
#include "io/base/error.h"
#include "io/file/file_system.h"
#include "io/shard/manifest.h"

namespace sluice {

struct MergedRowsEnvironment {
  FileSystem& files;
  const RunDirectory& directory;
  const LineProtocol& protocol;
  std::stop_token stop;
};

// Looks at all merged shards of a run that is under way, and sends those whose rows changed back to
// where their answers are fetched. Errors: kInput for one whose rows came in several rounds: not
// all of these can be fetched again.
[[nodiscard]] Result<void> SendBackDamagedShards(const MergedRowsEnvironment& environment,
                                                 const Manifest& manifest, int dimension,
                                                 Ledger& ledger);

}  // namespace sluice
