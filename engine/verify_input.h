// VerifyInput: what all checks of a run look at. Immutable.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "api/protocol/line_protocol.h"
#include "engine/ledger.h"
#include "engine/run_directory.h"
#include "engine/run_settings.h"
#include "io/file/file_system.h"
#include "io/shard/manifest.h"

namespace sluice {

struct VerifyInput {
  FileSystem& files;
  const RunDirectory& directory;
  const Manifest& manifest;
  const PinnedRun& pinned;
  const LineProtocol& protocol;
  // From the ledger.
  std::string run_id = {};
  std::vector<ShardTrack> tracks = {};
  std::vector<AttemptRecord> attempts = {};
  std::map<uint32_t, MergeCounts> merges = {};
  uint64_t surplus_jobs = 0;
  std::string outputs = {};  // JSON; empty before the output is there
  int dimension = 0;         // of the vectors; 0 for generation, and while it is not known
  bool is_finished = false;
  bool compares_answers = true;  // with the answers that were kept
  std::stop_token stop;

  [[nodiscard]] bool is_packed() const { return manifest.end().has_value(); }
};

}  // namespace sluice
