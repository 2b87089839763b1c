// JobPlan: what comes next for each shard. Pure: (state, event, time) -> state and what to do; no
// clock, disk or network of its own, so that a simulation can run days in milliseconds. The ledger
// keeps the state, the tracker does what is asked.
//
// The way of one shard:
//
//   SEALED -> STAGED -> INTENT -> SUBMITTED -> ENDED -> MERGED -> DONE
//                          |
//                       UNKNOWN -> FENCED -> SEALED (next attempt)
//
// Creating a job costs money and cannot be repeated safely, so an intent is on stable storage
// before the request leaves, and when the answer is lost the state is UNKNOWN: then nothing is done
// but looking. Two full listings that began after the settle time and do not show the job allow the
// fence: the attempt's input file is deleted, after which the lost request can no longer succeed.
// Two more such listings end the attempt. Each attempt has a file of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/protocol/line_protocol.h"
#include "api/provider/provider.h"
#include "io/base/clock.h"
#include "io/base/error.h"

namespace sluice {

enum class ShardState {
  kSealed,     // on disk, to be uploaded
  kStaged,     // the attempt's file is at the service
  kIntent,     // a create request may have left
  kUnknown,    // the job may exist; only looking is allowed
  kFenced,     // the file is gone; looking a last time
  kSubmitted,  // the job is known
  kEnded,      // the job is over: its answers are to be fetched, or its rows to be given up
  kMerged,     // every row is in the sink, durably
  kDone,       // what was left at the service is cleaned up
};
[[nodiscard]] std::string_view ShardStateName(ShardState state);
[[nodiscard]] std::optional<ShardState> ParseShardState(std::string_view name);

// One shard on its way. The first group is what the ledger keeps.
struct ShardTrack {
  uint32_t shard = 0;
  uint64_t rows = 0;
  ShardState state = ShardState::kSealed;
  int attempt = 1;           // names the file and the job; grows with every file that is given up
  int jobs_ended_empty = 0;  // jobs that ended without results
  std::string staged_file;   // StagedFile::name
  std::string job;
  std::string note;                    // why it waits or failed, for people
  std::optional<RowFailure> given_up;  // ENDED without results: what every row gets

  // The rest is of this process only.
  MonotonicTime due{};                 // not before
  std::chrono::milliseconds pause{0};  // last pause between polls or tries
  MonotonicTime since{};               // when UNKNOWN or FENCED began
  int looks = 0;                       // full listings begun after `since` + settle
  int times_not_found = 0;             // in a row: the service does not know the job or its results
  bool busy = false;                   // an action is under way
  JobState job_state = JobState::kUnspecified;
};

enum class Action { kNone, kStage, kCreate, kLook, kFence, kPoll, kMerge, kCleanUp };

struct JobPolicy {
  std::string run_id;    // twelve hex digits
  int attempts_max = 3;  // jobs that may end without results before the rows are given up
  std::chrono::milliseconds settle{120'000};
  std::chrono::milliseconds poll_first{30'000};
  std::chrono::milliseconds poll_max{300'000};
  std::chrono::milliseconds retry_first{1'000};
  std::chrono::milliseconds retry_max{60'000};
};

class JobPlan {
 public:
  explicit JobPlan(JobPolicy policy) : policy_(std::move(policy)) {}

  // Names of the attempt that the track is at: "sl-<run>-<shard>-<attempt>" and
  // "sluice/<run>/<shard>/<attempt>".
  [[nodiscard]] std::string FileId(const ShardTrack& track) const;
  [[nodiscard]] std::string DisplayName(const ShardTrack& track) const;
  // What all display names of the run begin with.
  [[nodiscard]] std::string DisplayPrefix() const;

  // After a restart: an INTENT of an earlier process is UNKNOWN, all that was due is due now.
  void Resume(ShardTrack& track, MonotonicTime now) const;

  // What the track needs next, whether or not it is due.
  [[nodiscard]] Action Next(const ShardTrack& track) const;

  // Events. An Error that comes back ends the run; everything else is a wait or a new state.
  void OnStaged(ShardTrack& track, const StagedFile& file, MonotonicTime now) const;
  [[nodiscard]] std::optional<Error> OnStageFailed(ShardTrack& track, const Error& error,
                                                   MonotonicTime now) const;
  void OnIntent(ShardTrack& track) const;
  [[nodiscard]] std::optional<Error> OnCreateAnswer(ShardTrack& track, const CreateAnswer& answer,
                                                    MonotonicTime now) const;
  // `jobs` are all jobs of a full listing that began at `started`. Gives the names of surplus jobs
  // of this attempt, which must be cancelled.
  [[nodiscard]] std::vector<std::string> OnLook(ShardTrack& track,
                                                const std::vector<BatchJob>& jobs,
                                                MonotonicTime started, MonotonicTime now) const;
  [[nodiscard]] std::optional<Error> OnFenced(ShardTrack& track, const Result<void>& deleted,
                                              MonotonicTime now) const;
  [[nodiscard]] std::optional<Error> OnPoll(ShardTrack& track, const Result<BatchJob>& job,
                                            MonotonicTime now) const;
  void OnMerged(ShardTrack& track, MonotonicTime now) const;
  // Also for kPoll and kLook calls that failed: waits and tries again, or ends the run.
  [[nodiscard]] std::optional<Error> OnFailed(ShardTrack& track, const Error& error,
                                              MonotonicTime now) const;
  void OnCleanedUp(ShardTrack& track) const;

 private:
  void EnterUnknown(ShardTrack& track, ShardState state, MonotonicTime now) const;
  void NextAttempt(ShardTrack& track, MonotonicTime now) const;
  void OnJobEnded(ShardTrack& track, const BatchJob& job, MonotonicTime now) const;
  void WaitLonger(ShardTrack& track, MonotonicTime now) const;

  JobPolicy policy_;
};

}  // namespace sluice
