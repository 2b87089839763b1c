#include "engine/tracker.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <set>

#include "engine/merge.h"
#include "io/base/checksum.h"
#include "io/shard/shard_file.h"

namespace sluice {
namespace {

constexpr int kMergesMax = 2;      // fetching one while another is decoded
constexpr size_t kOtherCalls = 4;  // polls, creates, looks and clean-ups at once
constexpr std::chrono::milliseconds kIdleWait{1'000};

}  // namespace

Tracker::Tracker(TrackerOptions options, const JobPlan& plan, TrackerEnvironment environment,
                 Ledger& ledger, AnswerCollector& collector)
    : options_(std::move(options)),
      plan_(plan),
      environment_(environment),
      ledger_(ledger),
      collector_(collector),
      workers_(static_cast<size_t>(options_.uploads + kMergesMax) + kOtherCalls) {}

void Tracker::AddShard(const ShardEntry& entry) {
  const std::scoped_lock lock(mutex_);
  new_shards_.push_back(entry);
  wakeup_.notify_one();
}

void Tracker::PackEnded(Result<void> result) {
  const std::scoped_lock lock(mutex_);
  pack_result_ = std::move(result);
  wakeup_.notify_one();
}

Result<void> Tracker::Run(std::stop_token stop) {
  SLUICE_TRY(LoadTracks());
  while (!stop.stop_requested() && !fatal_.has_value()) {
    TakeNewShards();
    ApplyEvents();
    if (pack_ended_ && AllDone()) {
      break;
    }
    StartDueActions(environment_.clock.Now());
    ShowProgress();
    WaitForEvents(stop, NextDue());
  }
  if (!stop.stop_requested() && !fatal_.has_value()) {
    return Audit(stop);
  }
  worker_stop_.request_stop();
  while (AnyBusy() || looking_) {
    WaitForEvents({}, environment_.clock.Now() + kIdleWait);
    ApplyEvents();
  }
  if (fatal_.has_value()) {
    return std::unexpected(*fatal_);
  }
  return Fail(ErrorCode::kUnfinished, "stopped; remote jobs keep running and nothing is lost");
}

void Tracker::Post(Event event) {
  const std::scoped_lock lock(mutex_);
  events_.push_back(std::move(event));
  wakeup_.notify_one();
}

void Tracker::Fatal(std::optional<Error> error) {
  if (error.has_value() && !fatal_.has_value()) {
    fatal_ = std::move(error);
  }
}

Result<void> Tracker::LoadTracks() {
  SLUICE_ASSIGN(const auto tracks, ledger_.Tracks());
  for (const ShardTrack& loaded : tracks) {
    ShardTrack& track = tracks_[loaded.shard] = loaded;
    plan_.Resume(track, environment_.clock.Now());
  }
  return {};
}

void Tracker::TakeNewShards() {
  std::deque<ShardEntry> shards;
  {
    const std::scoped_lock lock(mutex_);
    shards.swap(new_shards_);
    if (pack_result_.has_value()) {
      pack_ended_ = true;
      if (!pack_result_->has_value()) {
        Fatal(pack_result_->error());
      }
    }
  }
  for (const ShardEntry& entry : shards) {
    entries_[entry.shard] = entry;
    const auto [place, is_new] = tracks_.try_emplace(entry.shard);
    if (is_new) {
      place->second.shard = entry.shard;
      place->second.rows = entry.range.count;
      place->second.due = environment_.clock.Now();
      if (Result<void> saved = ledger_.Save(place->second); !saved.has_value()) {
        Fatal(saved.error());
      }
    }
  }
}

void Tracker::ApplyEvents() {
  std::deque<Event> events;
  {
    const std::scoped_lock lock(mutex_);
    events.swap(events_);
  }
  for (const Event& event : events) {
    Fatal(event());
  }
}

void Tracker::StartDueActions(MonotonicTime now) {
  for (auto& [shard, track] : tracks_) {
    if (fatal_.has_value()) {
      return;
    }
    if (track.busy || track.due > now || !entries_.contains(shard)) {
      continue;
    }
    const Action action = plan_.Next(track);
    if (action != Action::kNone && MayStart(action)) {
      Start(action, track, now);
    }
  }
}

bool Tracker::MayStart(Action action) const {
  const int in_flight = CountIn(
      {ShardState::kIntent, ShardState::kUnknown, ShardState::kFenced, ShardState::kSubmitted});
  switch (action) {
    case Action::kStage: {
      // Files live only two days at the service: no more are uploaded than can soon be used.
      const int staging = CountBusyWith(Action::kStage);
      return staging < options_.uploads && in_flight + CountIn({ShardState::kStaged}) + staging <
                                               options_.jobs_in_flight + options_.uploads;
    }
    case Action::kCreate:
      return in_flight < options_.jobs_in_flight;
    case Action::kMerge:
      return CountBusyWith(Action::kMerge) < kMergesMax;
    case Action::kLook:
      return !looking_;
    default:
      return true;
  }
}

void Tracker::Start(Action action, ShardTrack& track, MonotonicTime now) {
  busy_with_[track.shard] = action;
  switch (action) {
    case Action::kStage:
      return StartStage(track);
    case Action::kCreate:
      return StartCreate(track);
    case Action::kLook:
      return StartLook(now);
    case Action::kFence:
      return StartFence(track);
    case Action::kPoll:
      return StartPoll(track);
    case Action::kMerge:
      return StartMerge(track);
    case Action::kCleanUp:
      return StartCleanUp(track);
    case Action::kNone:
      return;
  }
}

template <typename T>
void Tracker::Dispatch(ShardTrack& track, std::function<T(std::stop_token)> call,
                       std::function<std::optional<Error>(T)> apply) {
  track.busy = true;
  workers_.Add([this, &track, call = std::move(call), apply = std::move(apply)] {
    auto result = std::make_shared<T>(call(worker_stop_.get_token()));
    Post([&track, apply, result]() -> std::optional<Error> {
      track.busy = false;
      return apply(std::move(*result));
    });
  });
}

void Tracker::StartStage(ShardTrack& track) {
  const ShardEntry entry = entries_.at(track.shard);
  const std::string file_id = plan_.FileId(track);
  Dispatch<Result<StagedFile>>(
      track, [=, this](std::stop_token stop) { return Stage(entry, file_id, std::move(stop)); },
      [this, &track](Result<StagedFile> staged) -> std::optional<Error> {
        const MonotonicTime now = environment_.clock.Now();
        if (!staged.has_value()) {
          if (auto error = plan_.OnStageFailed(track, staged.error(), now)) {
            return error;
          }
        } else {
          plan_.OnStaged(track, *staged, now);
          ++environment_.progress.shards_staged;
        }
        const Result<void> saved = ledger_.Save(track);
        return saved.has_value() ? std::nullopt : std::optional(saved.error());
      });
}

void Tracker::StartCreate(ShardTrack& track) {
  plan_.OnIntent(track);
  if (Result<void> saved = ledger_.SaveIntent(track, plan_.DisplayName(track));
      !saved.has_value()) {
    return Fatal(saved.error());
  }
  const CreateJobRequest request{.task = options_.task,
                                 .model = options_.model,
                                 .staged_file = track.staged_file,
                                 .display_name = plan_.DisplayName(track)};
  Dispatch<CreateAnswer>(
      track,
      [=, this](std::stop_token stop) {
        const StepTimer step(environment_.times, Step::kSend);
        const StageTimer stage(environment_.times, Stage::kCreate);
        return environment_.provider.CreateJob(request, std::move(stop));
      },
      [this, &track](CreateAnswer answer) -> std::optional<Error> {
        const auto error = plan_.OnCreateAnswer(track, answer, environment_.clock.Now());
        const Result<void> saved = ledger_.SaveOutcome(track, answer.outcome);
        return saved.has_value() ? error : std::optional(saved.error());
      });
}

void Tracker::StartLook(MonotonicTime now) {
  looking_ = true;
  workers_.Add([this, now] {
    auto jobs =
        std::make_shared<Result<std::vector<BatchJob>>>(ListAllJobs(worker_stop_.get_token()));
    Post([this, now, jobs] { return ApplyLook(*jobs, now); });
  });
}

std::optional<Error> Tracker::ApplyLook(const Result<std::vector<BatchJob>>& jobs,
                                        MonotonicTime started) {
  looking_ = false;
  const MonotonicTime now = environment_.clock.Now();
  for (auto& [shard, track] : tracks_) {
    const bool waits = track.state == ShardState::kUnknown || track.state == ShardState::kFenced;
    if (!waits || track.busy) {
      continue;
    }
    if (!jobs.has_value()) {
      if (auto error = plan_.OnFailed(track, jobs.error(), now)) {
        return error;
      }
      continue;
    }
    const auto surplus = plan_.OnLook(track, *jobs, started, now);
    for (const std::string& name : surplus) {
      workers_.Add(
          [this, name] { (void)environment_.provider.CancelJob(name, worker_stop_.get_token()); });
    }
    const bool adopted = track.state == ShardState::kSubmitted;
    const Result<void> saved =
        adopted ? ledger_.SaveOutcome(track, CreateOutcome::kCreated) : ledger_.Save(track);
    if (!saved.has_value()) {
      return saved.error();
    }
  }
  return std::nullopt;
}

void Tracker::StartFence(ShardTrack& track) {
  const std::string file = track.staged_file;
  Dispatch<Result<void>>(
      track,
      [=, this](std::stop_token stop) {
        return environment_.provider.DeleteFile(file, std::move(stop));
      },
      [this, &track](Result<void> deleted) -> std::optional<Error> {
        if (auto error = plan_.OnFenced(track, deleted, environment_.clock.Now())) {
          return error;
        }
        const Result<void> saved = ledger_.Save(track);
        return saved.has_value() ? std::nullopt : std::optional(saved.error());
      });
}

void Tracker::StartPoll(ShardTrack& track) {
  const std::string job = track.job;
  Dispatch<Result<BatchJob>>(
      track,
      [=, this](std::stop_token stop) {
        return environment_.provider.GetJob(job, std::move(stop));
      },
      [this, &track](Result<BatchJob> found) -> std::optional<Error> {
        const ShardState before = track.state;
        if (auto error = plan_.OnPoll(track, found, environment_.clock.Now())) {
          return error;
        }
        if (track.state == before) {
          return std::nullopt;
        }
        const Result<void> saved = ledger_.Save(track);
        return saved.has_value() ? std::nullopt : std::optional(saved.error());
      });
}

void Tracker::StartMerge(ShardTrack& track) {
  const OrdinalRange range = entries_.at(track.shard).range;
  const ShardTrack copy = track;
  Dispatch<Result<MergeCounts>>(
      track,
      [=, this](std::stop_token stop) { return collector_.Collect(copy, range, std::move(stop)); },
      [this, &track](Result<MergeCounts> counts) { return ApplyMerge(track, counts); });
}

std::optional<Error> Tracker::ApplyMerge(ShardTrack& track, const Result<MergeCounts>& counts) {
  const MonotonicTime now = environment_.clock.Now();
  if (!counts.has_value()) {
    return plan_.OnFailed(track, counts.error(), now);
  }
  plan_.OnMerged(track, now);
  const auto save = [&]() -> Result<void> {
    // The length of the vectors is fixed for good before the first rows that rely on it count.
    SLUICE_TRY(ledger_.Set("dimension", std::to_string(collector_.dimension())));
    return ledger_.SaveMerged(track, *counts);
  };
  const Result<void> saved = save();
  return saved.has_value() ? std::nullopt : std::optional(saved.error());
}

void Tracker::StartCleanUp(ShardTrack& track) {
  const std::string file = options_.keep_remote ? std::string() : track.staged_file;
  const std::string job = options_.delete_remote_jobs ? track.job : std::string();
  Dispatch<Result<void>>(
      track,
      [=, this](std::stop_token stop) -> Result<void> {
        if (!file.empty()) {
          SLUICE_TRY(environment_.provider.DeleteFile(file, stop));
        }
        if (!job.empty()) {
          SLUICE_TRY(environment_.provider.DeleteJob(job, stop));
        }
        return {};
      },
      [this, &track](Result<void> cleaned) -> std::optional<Error> {
        if (!cleaned.has_value() && cleaned.error().code == ErrorCode::kUnfinished) {
          return std::nullopt;  // stopped: the next run cleans up
        }
        // What could not be deleted ends by itself after two days: not worth failing a run for.
        track.note = cleaned.has_value() ? "" : cleaned.error().message;
        plan_.OnCleanedUp(track);
        const Result<void> saved = ledger_.Save(track);
        return saved.has_value() ? std::nullopt : std::optional(saved.error());
      });
}

Result<StagedFile> Tracker::Stage(const ShardEntry& entry, const std::string& file_id,
                                  std::stop_token stop) {
  const StepTimer step(environment_.times, Step::kSend);
  const StageTimer stage(environment_.times, Stage::kStage);
  SLUICE_TRY(CheckShardFile(entry));
  const std::string path = environment_.directory.shard(entry.file);
  const StageSource source{.open = [this, path] { return OpenShard(environment_.files, path); },
                           .size = entry.plain_bytes};
  uint64_t counted = 0;
  const ByteProgress progress = [&](uint64_t done) {
    environment_.progress.bytes_uploaded += done > counted ? done - counted : 0;
    counted = std::max(counted, done);
  };
  return environment_.provider.Stage(source, file_id, progress, std::move(stop));
}

Result<void> Tracker::CheckShardFile(const ShardEntry& entry) {
  const std::string path = environment_.directory.shard(entry.file);
  SLUICE_ASSIGN(auto file, environment_.files.Open(path, OpenMode::kRead));
  Checksum checksum;
  std::vector<std::byte> buffer(size_t{1} << 18);
  while (true) {
    SLUICE_ASSIGN(const size_t count, file->Read(buffer));
    if (count == 0) {
      break;
    }
    checksum.Add(std::span(buffer).first(count));
  }
  if (checksum.Hex() != entry.checksum) {
    return Fail(ErrorCode::kIo,
                fmt::format("'{}' is not what was sealed: it changed on disk", path),
                "restore it, or start over with --fresh");
  }
  return {};
}

Result<std::vector<BatchJob>> Tracker::ListAllJobs(std::stop_token stop) {
  std::vector<BatchJob> jobs;
  std::set<std::string> tokens;
  std::string token;
  do {
    SLUICE_ASSIGN(JobPage page, environment_.provider.ListJobs(token, stop));
    std::ranges::move(page.jobs, std::back_inserter(jobs));
    token = std::move(page.next_page_token);
    if (!token.empty() && !tokens.insert(token).second) {
      return Fail(ErrorCode::kBadAnswer, "the list of jobs goes round in circles");
    }
  } while (!token.empty());
  return jobs;
}

// At the end, one look at everything: a job of ours that the ledger does not own was made by a
// request that something between us and the service sent twice. It is cancelled.
Result<void> Tracker::Audit(std::stop_token stop) {
  const auto jobs = ListAllJobs(stop);
  if (!jobs.has_value()) {
    return {};  // the rows are safe; a service that cannot list now does not undo that
  }
  SLUICE_ASSIGN(const auto owned, ledger_.JobNames());
  for (const BatchJob& job : *jobs) {
    const bool ours = job.display_name.starts_with(plan_.DisplayPrefix());
    if (ours && !job.complete() && std::ranges::find(owned, job.name) == owned.end()) {
      (void)environment_.provider.CancelJob(job.name, stop);
    }
  }
  return {};
}

bool Tracker::AllDone() const {
  return std::ranges::all_of(
      tracks_, [](const auto& entry) { return entry.second.state == ShardState::kDone; });
}

bool Tracker::AnyBusy() const {
  return std::ranges::any_of(tracks_, [](const auto& entry) { return entry.second.busy; });
}

int Tracker::CountIn(std::initializer_list<ShardState> states) const {
  return static_cast<int>(std::ranges::count_if(tracks_, [&](const auto& entry) {
    return std::ranges::find(states, entry.second.state) != states.end();
  }));
}

int Tracker::CountBusyWith(Action action) const {
  return static_cast<int>(std::ranges::count_if(tracks_, [&](const auto& entry) {
    const auto found = busy_with_.find(entry.first);
    return entry.second.busy && found != busy_with_.end() && found->second == action;
  }));
}

MonotonicTime Tracker::NextDue() const {
  const MonotonicTime now = environment_.clock.Now();
  MonotonicTime due = now + kIdleWait;
  for (const auto& [shard, track] : tracks_) {
    if (!track.busy && track.due > now) {
      due = std::min(due, track.due);
    }
  }
  return due;
}

void Tracker::WaitForEvents(std::stop_token stop, MonotonicTime deadline) {
  std::unique_lock lock(mutex_);
  wakeup_.wait_until(lock, stop, deadline, [this] {
    return !events_.empty() || !new_shards_.empty() || (pack_result_.has_value() && !pack_ended_);
  });
}

void Tracker::ShowProgress() {
  int64_t queued = 0;
  int64_t running = 0;
  int64_t ended = 0;
  int64_t failed = 0;
  for (const auto& [shard, track] : tracks_) {
    const bool is_running = track.job_state == JobState::kRunning;
    queued += track.state == ShardState::kIntent || track.state == ShardState::kUnknown ||
              track.state == ShardState::kFenced ||
              (track.state == ShardState::kSubmitted && !is_running);
    running += track.state == ShardState::kSubmitted && is_running;
    ended += track.state >= ShardState::kEnded;
    failed += track.jobs_ended_empty;
  }
  Progress& progress = environment_.progress;
  progress.jobs_queued = queued;
  progress.jobs_running = running;
  progress.jobs_ended = ended;
  progress.jobs_failed = failed;
}

}  // namespace sluice
