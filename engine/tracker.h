// Tracker: the control plane. One planning thread owns the ledger and asks the job plan what comes
// next; a few workers wait for the network and post back what happened. Every new state is durable
// before anything follows from it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "api/provider/provider.h"
#include "engine/answer_collector.h"
#include "engine/job_plan.h"
#include "engine/ledger.h"
#include "engine/progress.h"
#include "engine/run_directory.h"
#include "engine/stage_times.h"
#include "engine/task_pool.h"
#include "io/base/clock.h"
#include "io/base/error.h"
#include "io/file/file_system.h"
#include "io/shard/manifest.h"

namespace sluice {

struct TrackerOptions {
  Task task = Task::kEmbed;
  std::string model;
  int uploads = 2;
  int jobs_in_flight = 20;
  bool keep_remote = false;
  bool delete_remote_jobs = false;
};

struct TrackerEnvironment {
  FileSystem& files;
  Clock& clock;
  Provider& provider;
  const RunDirectory& directory;
  Progress& progress;
  StageTimes& times;
};

class Tracker {
 public:
  Tracker(TrackerOptions options, const JobPlan& plan, TrackerEnvironment environment,
          Ledger& ledger, AnswerCollector& collector);

  // Thread-safe: called by the packing thread while Run() runs, or before it.
  void AddShard(const ShardEntry& entry);
  void PackEnded(Result<void> result);

  // Plans until the pack has ended and every shard is DONE. On a stop, or on an error, waits for
  // the calls under way, so that what they did is in the ledger, and returns kUnfinished or the
  // error.
  [[nodiscard]] Result<void> Run(std::stop_token stop);

 private:
  // What a worker found out, applied by the planning thread.
  using Event = std::function<std::optional<Error>()>;

  void Post(Event event);
  void Fatal(std::optional<Error> error);
  [[nodiscard]] Result<void> LoadTracks();
  void TakeNewShards();
  void ApplyEvents();
  void StartDueActions(MonotonicTime now);
  [[nodiscard]] bool MayStart(Action action) const;
  void Start(Action action, ShardTrack& track, MonotonicTime now);
  // Runs `call` on a worker and `apply` with its result on the planning thread, then saves the
  // track. `track` is busy in between.
  template <typename T>
  void Dispatch(ShardTrack& track, std::function<T(std::stop_token)> call,
                std::function<std::optional<Error>(T)> apply);

  void StartStage(ShardTrack& track);
  void StartCreate(ShardTrack& track);
  void StartLook(MonotonicTime now);
  void StartFence(ShardTrack& track);
  void StartPoll(ShardTrack& track);
  void StartMerge(ShardTrack& track);
  void StartCleanUp(ShardTrack& track);

  [[nodiscard]] Result<StagedFile> Stage(const ShardEntry& entry, const std::string& file_id,
                                         std::stop_token stop);
  [[nodiscard]] Result<void> CheckShardFile(const ShardEntry& entry);
  [[nodiscard]] Result<std::vector<BatchJob>> ListAllJobs(std::stop_token stop);
  [[nodiscard]] std::optional<Error> ApplyLook(const Result<std::vector<BatchJob>>& jobs,
                                               MonotonicTime started);
  [[nodiscard]] std::optional<Error> ApplyMerge(ShardTrack& track,
                                                const Result<MergeCounts>& counts);
  [[nodiscard]] Result<void> Audit(std::stop_token stop);

  [[nodiscard]] bool AllDone() const;
  [[nodiscard]] bool AnyBusy() const;
  [[nodiscard]] int CountIn(std::initializer_list<ShardState> states) const;
  [[nodiscard]] int CountBusyWith(Action action) const;
  [[nodiscard]] MonotonicTime NextDue() const;
  void WaitForEvents(std::stop_token stop, MonotonicTime deadline);
  void ShowProgress();

  TrackerOptions options_;
  const JobPlan& plan_;
  TrackerEnvironment environment_;
  Ledger& ledger_;
  AnswerCollector& collector_;

  // Owned by the planning thread.
  std::map<uint32_t, ShardTrack> tracks_;
  std::map<uint32_t, ShardEntry> entries_;
  std::map<uint32_t, Action> busy_with_;
  bool looking_ = false;
  bool pack_ended_ = false;
  std::optional<Error> fatal_;

  std::mutex mutex_;  // guards the rest
  std::condition_variable_any wakeup_;
  std::deque<Event> events_;
  std::deque<ShardEntry> new_shards_;
  std::optional<Result<void>> pack_result_;

  std::stop_source worker_stop_;
  TaskPool workers_;  // last: its threads use everything above
};

}  // namespace sluice
