// Pack: corpus -> sealed shards. Read in blocks, check and write as request lines in parallel, cut
// shards in order, compress in parallel, append in order. Memory is bounded by the number of blocks
// under way. Restartable: goes on behind the last sealed shard of the manifest; what a killed pack
// left behind it is cut back or overwritten.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "api/protocol/line_protocol.h"
#include "engine/progress.h"
#include "engine/run_directory.h"
#include "engine/stage_times.h"
#include "io/base/error.h"
#include "io/corpus/corpus.h"
#include "io/file/file_system.h"
#include "io/shard/manifest.h"

namespace sluice {

// A shard is cut before the first document that would take it over any of these.
struct ShardLimits {
  uint64_t rows_max = 50'000;
  // Plain request bytes. About 4 M tokens, so that a job fits into the 5 M that the second tier of
  // the Gemini API lets an embedding model have enqueued (ai.google.dev rate limits, 2026-05-19).
  uint64_t bytes_max = uint64_t{16} << 20;
  uint64_t tokens_max = 0;                        // estimated; 0: no limit
  uint64_t answer_bytes_max = uint64_t{1} << 30;  // expected
  double bytes_per_token = 4.0;                   // the estimate
};

struct PackOptions {
  CorpusOptions corpus;
  std::string id_field;
  ShardLimits limits;
  std::optional<int> zstd_level = 3;  // nothing: the shards are plain
  size_t threads = 2;
  bool stop_at_reject = false;  // the first refused line ends the pack (kInput)
};

// What frames of their own cost in size against one stream: 2 MiB 0.1 % at level 1, 4 MiB 0.8 % at
// level 3, whose window is larger (zstd 1.5.4 on text, docs/decisions/0006).
[[nodiscard]] size_t BlockBytesFor(std::optional<int> zstd_level);

struct PackEnvironment {
  FileSystem& files;
  const LineProtocol& protocol;
  const RunDirectory& directory;
  Progress& progress;
  StageTimes& times;
  std::stop_token stop;
};

// Packs what is left of `list` into `manifest` (of the run directory). Calls `on_sealed` for each
// new shard, in order, after it is durable. Errors: kInput, kIo, kUnfinished.
// The corpus is read in blocks of corpus.block_bytes, and a block is one zstd frame at most.
[[nodiscard]] Result<void> Pack(const PackOptions& options, const std::vector<CorpusFile>& list,
                                PackEnvironment& environment, Manifest& manifest,
                                const std::function<void(const ShardEntry&)>& on_sealed);

}  // namespace sluice
