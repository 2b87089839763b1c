// Tracker: the control plane. One planning thread owns the ledger and asks the job plan what comes
// next; a few workers wait for the network and post back what happened. Every new state is durable
// before anything follows from it. Network, time, disk and threads stand behind interfaces: a
// simulation runs this very class through days in milliseconds.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "api/provider/provider.h"
#include "engine/job_plan.h"
#include "engine/ledger.h"
#include "engine/outage.h"
#include "engine/progress.h"
#include "engine/shard_disk.h"
#include "engine/stage_times.h"
#include "engine/work_loop.h"
#include "io/base/clock.h"
#include "io/base/error.h"
#include "io/shard/manifest.h"

namespace sluice {

struct TrackerOptions {
  Task task = Task::kEmbed;
  std::string model;
  int uploads = 2;
  int jobs_in_flight = 20;
  bool keep_remote = false;
  bool delete_remote_jobs = false;
  SpendCap cap;
  bool delete_files = false;  // of jobs that were asked to end, when the policy is to cancel
};

struct TrackerEnvironment {
  Clock& clock;
  Provider& provider;
  ShardDisk& disk;
  Progress& progress;
  StageTimes& times;
  WorkLoop& loop;
};

class Tracker {
 public:
  // The threads that a ThreadedLoop for these options should have.
  [[nodiscard]] static size_t ThreadCount(const TrackerOptions& options);

  Tracker(TrackerOptions options, const JobPlan& plan, TrackerEnvironment environment,
          Ledger& ledger);

  // Thread-safe: called by the packing thread while Run() runs, or before it.
  void AddShard(const ShardEntry& entry);
  void PackEnded(Result<void> result);

  // Plans until the pack has ended and every shard is DONE. What may not go on by itself is held
  // while the others come home, and then named: kBudget at a spend cap, kUnfinished when only a
  // person can say whether a lost job may be given up. On a stop, or on an error, waits for the
  // calls under way, so that what they did is in the ledger, and returns kUnfinished or the error.
  [[nodiscard]] Result<void> Run(std::stop_token stop);

  // After Run(): how many shards are not done and in what states they and their jobs are, in words.
  [[nodiscard]] std::string WhatIsOpen() const;

  // Jobs that were asked to end, and files that were deleted, when the tracker cancels.
  [[nodiscard]] const std::vector<std::string>& cancelled_jobs() const { return cancelled_jobs_; }
  [[nodiscard]] const std::vector<std::string>& deleted_files() const { return deleted_files_; }

 private:
  void Plan(const std::stop_token& stop);
  [[nodiscard]] bool GoesOn(const std::stop_token& stop) const;
  void Fatal(std::optional<Error> error);
  // By value: what was caught becomes the error of the run without memory.
  void FatalUnless(Result<void> saved);
  [[nodiscard]] Result<void> LoadTracks();
  void TakeShard(const ShardEntry& entry);
  void StartDueActions(MonotonicTime now);
  [[nodiscard]] bool MayStart(Action action) const;
  [[nodiscard]] bool WaitsForDimension(const ShardTrack& track) const;
  void Start(Action action, ShardTrack& track, MonotonicTime now);
  // Runs `work` on a worker and the event that it gives on the planning thread; `otherwise` when
  // there is none, because memory or threads ran out, which ends the run.
  void StartWork(std::function<WorkLoop::Event()> work, WorkLoop::Event otherwise);
  // Runs `call` on a worker and `apply` with its result on the planning thread. `track` is busy in
  // between.
  template <typename T>
  void Dispatch(ShardTrack& track, std::function<T(std::stop_token)> call,
                std::function<std::optional<Error>(T)> apply);

  // Calls beside those of tracks, on which nobody waits but the end of the run.
  using JobList = Result<std::vector<BatchJob>>;
  void StartCall(std::function<WorkLoop::Event()> call);
  void StartListing(std::function<void(const JobList&)> apply);
  void StartUnwatched(std::function<void(std::stop_token)> call);

  void DeleteLeftFiles(ShardTrack& track);
  void StartStage(ShardTrack& track);
  void StartCreate(ShardTrack& track);
  void StartLook(MonotonicTime now);
  void StartFence(ShardTrack& track);
  void StartPoll(ShardTrack& track);
  void StartCancel(ShardTrack& track);
  void StartMerge(ShardTrack& track);
  void StartCleanUp(ShardTrack& track);
  void StartRepack(ShardTrack& track);
  void StartGiveUp(ShardTrack& track);

  [[nodiscard]] Result<std::string> Stage(const ShardTrack& track, const ShardEntry& entry,
                                          const std::string& file_id, std::stop_token stop);
  // All of this run's, to the last page.
  [[nodiscard]] JobList ListAllJobs(std::stop_token stop);
  // An entry of a list with what tells whose job it is.
  [[nodiscard]] Result<BatchJob> Identified(BatchJob listed, const std::stop_token& stop);
  [[nodiscard]] std::optional<Error> ApplyLook(JobList jobs, MonotonicTime started);
  [[nodiscard]] std::optional<Error> ApplyMerge(ShardTrack& track,
                                                const Result<Collected>& collected);
  [[nodiscard]] std::optional<Error> Save(const ShardTrack& track);

  [[nodiscard]] bool AuditIsDue(MonotonicTime now) const;
  void StartAudit(MonotonicTime now);
  [[nodiscard]] Result<void> ApplyAudit(const std::vector<BatchJob>& jobs);
  [[nodiscard]] Result<void> NoteAndCancel(const std::vector<BatchJob>& surplus);
  [[nodiscard]] Result<void> LastAudit(const std::stop_token& stop);

  [[nodiscard]] bool IsAtRest(const ShardTrack& track) const;
  [[nodiscard]] bool AllAtRest() const;
  [[nodiscard]] std::optional<Error> HeldError() const;
  [[nodiscard]] bool AnyBusy() const;
  [[nodiscard]] std::vector<const ShardTrack*> AllTracks() const;
  [[nodiscard]] std::string Note() const;
  [[nodiscard]] int CountIn(std::initializer_list<ShardState> states) const;
  [[nodiscard]] int CountBusyWith(Action action) const;
  [[nodiscard]] MonotonicTime NextDue() const;
  void WaitForEvents(std::stop_token stop, MonotonicTime deadline);
  void WaitUntil(MonotonicTime end, const std::stop_token& stop);
  void WaitForWorkers();
  void ShowProgress();

  TrackerOptions options_;
  const JobPlan& plan_;
  TrackerEnvironment environment_;
  Ledger& ledger_;

  // Owned by the planning thread.
  std::map<uint32_t, ShardTrack> tracks_;
  std::map<uint32_t, ShardEntry> entries_;
  std::map<uint32_t, Action> busy_with_;
  Outage outage_;
  std::vector<WorkLoop::Event> events_;
  size_t events_heard_ = 0;
  int calls_ = 0;  // beside those of tracks: listings, cancellations of surplus jobs
  bool looking_ = false;
  bool pack_ended_ = false;
  std::optional<Error> fatal_;
  std::optional<Error> capped_;
  std::optional<MonotonicTime> audit_due_;  // set by the last create
  std::vector<std::string> cancelled_jobs_, deleted_files_;

  std::stop_source worker_stop_;

  // Of any thread: jobs that bear neither a name nor a file wherever one looks.
  std::mutex nameless_mutex_;
  std::set<std::string> nameless_;
};

}  // namespace sluice
