// ShardDisk: what tracking needs of the disk: the request lines of a shard's round, and a place for
// the answers. An interface because a simulation keeps both in memory. Thread-safe; one call at a
// time for each shard. Every call ends with kUnfinished soon after `stop` is requested.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>

#include "api/files/stage_source.h"
#include "engine/merge_counts.h"
#include "engine/shard_track.h"
#include "io/base/error.h"
#include "io/shard/manifest.h"

namespace sluice {

// What a round came to.
struct Collected {
  MergeCounts counts;      // as Ledger::SaveMerged() takes them
  uint64_t retryable = 0;  // failed rows that the policy would ask again
  // The answers tell not even the vectors' length: nothing was kept, and why.
  std::optional<Error> unusable;
};

struct Repacked {
  RequestFile request;
  uint64_t rows = 0;
};

// A file of the run that is missing (kNotFound) is no word of the service about a job of it, and
// does not come back by waiting: kInput.
template <typename T>
[[nodiscard]] Result<T> OfThisDisk(Result<T> result) {
  if (!result.has_value() && result.error().code == ErrorCode::kNotFound) {
    result.error().code = ErrorCode::kInput;
    result.error().hint = "put the file back, or start over with --fresh";
  }
  return result;
}

class ShardDisk {
 public:
  virtual ~ShardDisk() = default;

  // The lines of the round that `track` is at, verified by their hash. What stands on this disk
  // must outlive the source. Errors: kInput when their file is gone or is not what was sealed; kIo.
  [[nodiscard]] virtual Result<StageSource> Requests(const ShardTrack& track,
                                                     const ShardEntry& entry,
                                                     std::stop_token stop) = 0;
  // Brings the answers of the ended job home: when it returns, every row of the round has a value
  // or a named failure, durably. Again with the same result after a crash. `may_retry`: rows that
  // fail may be asked again. Errors: those of fetching; kInput when a file of the run is gone; kIo;
  // kRemoteFailed when a failed row shall end
  // the run, and for rows that are given up before any answer told the vectors' length.
  [[nodiscard]] virtual Result<Collected> Collect(const ShardTrack& track, const ShardEntry& entry,
                                                  bool may_retry, std::stop_token stop) = 0;
  // Writes the lines of the failed rows with one of the track's retry_classes as the next round's
  // request file. Errors: kInput when a file of the run is gone or is not what was sealed; kIo.
  [[nodiscard]] virtual Result<Repacked> Repack(const ShardTrack& track, const ShardEntry& entry,
                                                std::stop_token stop) = 0;
  // The round's request file is not needed any more; that of round 0, the shard, stays. Errors:
  // kIo.
  [[nodiscard]] virtual Result<void> DropRequests(const ShardTrack& track) = 0;
  // The length of the vectors, 0 while it is not known or for generation.
  [[nodiscard]] virtual int dimension() = 0;
};

}  // namespace sluice
