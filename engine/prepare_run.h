// PrepareRun: the pack step of a run alone, without a service or a key. `Run` on the same folder
// goes on from what it left, so shards can be made today and sent tomorrow.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/pack.h"
#include "engine/progress.h"
#include "engine/run.h"
#include "engine/run_directory.h"
#include "engine/stage_times.h"
#include "io/base/clock.h"
#include "io/base/error.h"
#include "io/file/file_system.h"
#include "io/shard/manifest.h"

namespace sluice {

struct PrepareEnvironment {
  FileSystem& files;
  Clock& clock;
  Progress& progress;
  StageTimes& times;
  std::stop_token stop;
};

struct PrepareSummary {
  uint64_t documents = 0;
  uint64_t rejected = 0;
  uint64_t lines_blank = 0;
  uint64_t shards = 0;
  uint64_t plain_bytes = 0;  // of the request lines
  uint64_t shard_bytes = 0;  // on disk
  uint64_t estimated_tokens = 0;
  std::string rejects_path;
  std::string bound;  // the stage that took longest
  double seconds = 0;
  bool resumed = false;
};

// `options` as for Run(); what belongs to the service (account, output, pace) may be given later.
// Errors: kLocked, kUsage (settings changed since the run began), kInput (also when
// nothing was accepted), kIo, kUnfinished.
[[nodiscard]] Result<PrepareSummary> PrepareRun(const RunOptions& options,
                                                PrepareEnvironment& environment);

// A run of nothing is none. Errors: kInput naming the first refused line.
[[nodiscard]] Result<void> ExpectDocuments(FileSystem& files, const RunDirectory& directory,
                                           const PackPosition& end);

// The counters of a run that goes on begin where the earlier one stood.
void CountPacked(const std::vector<CorpusFile>& list, const Manifest& manifest, Progress& progress);

// How a run packs.
[[nodiscard]] PackOptions PackOptionsOf(const RunOptions& options, const ProviderTraits& traits,
                                        const RunDirectory& directory);

}  // namespace sluice
