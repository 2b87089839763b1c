// JobPlan: what comes next for each shard. Pure: (state, event, time) -> state and what to do; no
// clock, disk or network of its own, so that a simulation can run days in milliseconds. The ledger
// keeps the state, the tracker does what is asked.
//
// The way of a shard is drawn in engine/shard_track.h. Creating a job costs money and cannot be
// repeated safely, so an intent is on stable storage before the request leaves, and when the answer
// is lost the state is UNKNOWN: then nothing is done but looking. Two full listings that began
// after the settle time and do not show the job allow the fence: the attempt's input file is
// deleted, after which the lost request can no longer succeed. Two more such listings end the
// attempt. Each attempt has a file of its own.
//
// When a job ended, what it delivered is kept for good; rows that failed in a way that may pass are
// asked again in the next round, until a limit of jobs. What a run's `cancel` stopped is bought
// again only when somebody says so.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/batches/create_job.h"
#include "engine/failure_classes.h"
#include "engine/shard_track.h"
#include "io/base/clock.h"
#include "io/base/error.h"

namespace sluice {

enum class Action {
  kNone,
  kStage,
  kCreate,
  kLook,
  kFence,
  kPoll,
  kCancel,
  kMerge,
  kCleanUp,
  kRepack,
  kGiveUp,
};

enum class OnUnknown {
  kAdopt,  // take a job that is found; fence and try again when none is
  kAsk,    // stop before the fence
};

struct JobPolicy {
  std::string run_id;    // twelve hex digits
  int attempts_max = 3;  // jobs that may end for a shard before its failed rows are left as such
  FailureClasses retry_classes = FailureClasses::Retryable();  // of rows that are asked again
  OnUnknown on_unknown = OnUnknown::kAdopt;
  bool is_cancelled = false;  // by `sluice cancel`: nothing more is bought
  // This process is here to cancel the jobs that there are: it ends when every job was asked to end
  // and every lost one found or fenced.
  bool cancels = false;
  std::chrono::milliseconds settle{120'000};  // how late a list may show a job
  std::chrono::milliseconds poll_first{30'000};
  std::chrono::milliseconds poll_max{300'000};
  std::chrono::milliseconds retry_first{1'000};
  std::chrono::milliseconds retry_max{60'000};
};

class JobPlan {
 public:
  explicit JobPlan(JobPolicy policy) : policy_(std::move(policy)) {}
  [[nodiscard]] const JobPolicy& policy() const { return policy_; }

  // Names of the attempt that the track is at: "sl-<run>-<shard>-<attempt>" and
  // "sluice/<run>/<shard>/<attempt>".
  [[nodiscard]] std::string FileId(const ShardTrack& track) const;
  [[nodiscard]] std::string DisplayName(const ShardTrack& track) const;
  // What all display names of the run begin with.
  [[nodiscard]] std::string DisplayPrefix() const;

  // Whether it carries a name of this run, or reads a file of it.
  [[nodiscard]] bool IsOfThisRun(const BatchJob& job) const;

  // After a restart: an INTENT of an earlier process is UNKNOWN, all that was due is due now.
  void Resume(ShardTrack& track, MonotonicTime now) const;

  // What the track needs next, whether or not it is due.
  [[nodiscard]] Action Next(const ShardTrack& track) const;
  // Only a person can say how it goes on: nobody knows of a job, and the policy is to ask.
  [[nodiscard]] bool MustAsk(const ShardTrack& track) const;
  // Whether rows of this track that fail now may be asked again.
  [[nodiscard]] bool MayRetry(const ShardTrack& track) const;

  // Events. An Error that comes back ends the run; everything else is a wait or a new state.
  void OnStaged(ShardTrack& track, const std::string& file, MonotonicTime now) const;
  [[nodiscard]] std::optional<Error> OnStageFailed(ShardTrack& track, const Error& error,
                                                   MonotonicTime now) const;
  void OnIntent(ShardTrack& track) const;
  [[nodiscard]] std::optional<Error> OnCreateAnswer(ShardTrack& track, const CreateAnswer& answer,
                                                    MonotonicTime now) const;
  // Why a listing is not full: it lacks a job that the service has shown. What is not in such a
  // list may be there all the same.
  [[nodiscard]] std::optional<Error> FaultOfList(
      const std::vector<BatchJob>& jobs, const std::vector<const ShardTrack*>& tracks) const;
  // `jobs` are all jobs of a full listing that began at `started`. Gives the surplus jobs of this
  // attempt, which must be cancelled.
  [[nodiscard]] std::vector<BatchJob> OnLook(ShardTrack& track, const std::vector<BatchJob>& jobs,
                                             MonotonicTime started, MonotonicTime now) const;
  [[nodiscard]] std::optional<Error> OnFenced(ShardTrack& track, const Result<void>& deleted,
                                              MonotonicTime now) const;
  [[nodiscard]] std::optional<Error> OnPoll(ShardTrack& track, const Result<BatchJob>& job,
                                            MonotonicTime now) const;
  void OnCancelAsked(ShardTrack& track, MonotonicTime now) const;
  // `retryable` of the rows asked for failed with one of the policy's classes.
  void OnMerged(ShardTrack& track, uint64_t retryable, MonotonicTime now) const;
  // The answers hold nothing at all that a row could be made of, not even the vectors' length:
  // counts as a job without results.
  [[nodiscard]] std::optional<Error> OnNothingUsable(ShardTrack& track, const Error& error,
                                                     MonotonicTime now) const;
  // Also for kPoll and kLook calls that failed: waits and tries again, or ends the run.
  [[nodiscard]] std::optional<Error> OnFailed(ShardTrack& track, const Error& error,
                                              MonotonicTime now) const;
  void OnCleanedUp(ShardTrack& track, MonotonicTime now) const;
  // The next round's lines are on disk.
  void OnRepacked(ShardTrack& track, RequestFile request, uint64_t rows_asked,
                  MonotonicTime now) const;
  // The run was cancelled before this was sent.
  void OnGivenUp(ShardTrack& track, MonotonicTime now) const;
  // Somebody asks for more: failed rows of a MERGED or DONE track with these classes, or a track
  // that was given up and not merged. False when the track has nothing of the kind to go on with.
  [[nodiscard]] bool OnRetryAsked(ShardTrack& track, FailureClasses classes) const;

  // Jobs of the run that nobody asked for: something between us and the service sent a request
  // twice. `jobs` is a full listing, `owned` are the names in the ledger. Attempts that are still
  // being looked for are left alone.
  [[nodiscard]] std::vector<BatchJob> FindSurplus(
      const std::vector<BatchJob>& jobs, const std::set<std::string>& owned,
      const std::vector<const ShardTrack*>& tracks) const;

 private:
  void EnterUnknown(ShardTrack& track, ShardState state, MonotonicTime now) const;
  void NextAttempt(ShardTrack& track, MonotonicTime now) const;
  // The attempt's file is of no use any more.
  static void LeaveFile(ShardTrack& track);
  void OnJobEnded(ShardTrack& track, const BatchJob& job, MonotonicTime now) const;
  void WaitLonger(ShardTrack& track, MonotonicTime now) const;

  JobPolicy policy_;
};

}  // namespace sluice
