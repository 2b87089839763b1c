// ShardTrack: where one shard stands on its way to the service and back, as the ledger keeps it,
// and the table of the steps that it may take. Plain data.
//
//   SEALED -> STAGED -> INTENT -> SUBMITTED -> ENDED -> MERGED -> DONE
//                          |                              |
//                       UNKNOWN -> FENCED             REPACK -> SEALED (next round)
//                                     |
//                                  SEALED (next attempt)
//
// SUBMITTED goes back to UNKNOWN when the job that an answer named is never seen.
//
// An attempt is one input file and at most one job. A round asks for a set of rows: round 0 for all
// of the shard's, each later one for rows that failed in the one before it. Attempts are numbered
// through all rounds, so that no name at the service is ever used twice.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/batches/batch_job.h"
#include "api/protocol/line_protocol.h"
#include "engine/failure_classes.h"
#include "io/base/clock.h"

namespace sluice {

enum class ShardState {
  kSealed,     // on disk, to be uploaded
  kStaged,     // the attempt's file is at the service
  kIntent,     // a create request may have left
  kUnknown,    // the job may exist; only looking is allowed
  kFenced,     // the file is gone; looking a last time
  kSubmitted,  // the job is known
  kEnded,      // the job is over: its answers are to be fetched, or its rows to be given up
  kMerged,     // every row that was asked for is in the sink, durably
  kDone,       // what was left at the service is cleaned up
  kRepack,     // as DONE, but some failed rows are to be asked again
};
[[nodiscard]] std::string_view ShardStateName(ShardState state);
[[nodiscard]] std::optional<ShardState> ParseShardState(std::string_view name);

// The request lines of a round after the first, in the shards folder.
struct RequestFile {
  std::string name;  // empty in round 0: the sealed shard itself
  uint64_t plain_bytes = 0;
  std::string checksum;  // of the file
};

struct ShardTrack {
  uint32_t shard = 0;
  uint64_t rows = 0;  // of the shard
  ShardState state = ShardState::kSealed;
  int attempt = 1;           // names the file and the job; grows with every file that is given up
  int jobs_ended_empty = 0;  // jobs that ended without results
  // Jobs that ended, since the run began or somebody asked for a retry: what the limit is about.
  int jobs_ended = 0;
  int round = 0;
  uint64_t rows_asked = 0;       // in this round
  FailureClasses retry_classes;  // which failed rows this round asks again; in MERGED the next one
  RequestFile request;
  std::string staged_file;  // as the service has it
  std::string job;
  std::string note;                    // why it waits or failed, for people
  std::optional<RowFailure> given_up;  // ENDED without results: what every row asked for gets

  // The rest is of this process only.
  MonotonicTime due{};                 // not before
  std::chrono::milliseconds pause{0};  // last pause between polls or tries
  MonotonicTime since{};               // when UNKNOWN or FENCED began
  int looks = 0;                       // full listings begun after `since` + settle
  // In a row: the service does not know the job or its results; SEALED: where files go.
  int times_not_found = 0;
  int times_refused = 0;                     // in a row: the service would not store the shard
  int times_empty = 0;                       // in a row: it ended, but shows no results yet
  bool busy = false;                         // an action is under way
  bool was_seen = false;                     // SUBMITTED: the service has shown the job
  bool is_resumed = false;                   // an earlier process may have seen it
  bool cancel_asked = false;                 // the service was asked to cancel the job
  bool is_fenced = false;                    // SUBMITTED, though its file was deleted
  MonotonicTime not_before{};                // of the next attempt: the service asked for a pause
  std::vector<std::string> left_files = {};  // of attempts that are over, to be deleted
  JobState job_state = JobState::kUnspecified;
};

// Every row that the track's round asked for is in the output or in the work files.
[[nodiscard]] inline bool IsMerged(const ShardTrack& track) {
  return track.state == ShardState::kMerged || track.state == ShardState::kDone ||
         track.state == ShardState::kRepack;
}
// The same of any round: one after the first begins when the one before it was merged.
[[nodiscard]] inline bool WasMerged(const ShardTrack& track) {
  return IsMerged(track) || track.round > 0;
}

// Why a track may not become `after`; empty when it may. `before` is null for a new one.
[[nodiscard]] std::string FaultOfStep(const ShardTrack* before, const ShardTrack& after);

}  // namespace sluice
