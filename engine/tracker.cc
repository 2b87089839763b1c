#include "engine/tracker.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <utility>

#include "api/http/paged_list.h"
#include "io/base/exhaustion.h"

namespace sluice {
namespace {

constexpr int kMergesMax = 2;      // fetching one while another is decoded
constexpr size_t kOtherCalls = 4;  // polls, creates, looks and clean-ups at once
constexpr std::chrono::milliseconds kIdleWait{60'000};
constexpr std::chrono::milliseconds kAuditAgain{60'000};  // after a list that failed
constexpr std::chrono::milliseconds kLastAuditWaitMax{5'000};
constexpr int kLastAuditTries = 3;

// Giving up is a word in the ledger; all else that is asked for needs the network or the disk.
bool NeedsService(Action action) {
  return action != Action::kGiveUp && action != Action::kRepack && action != Action::kNone;
}

std::string_view OpenStateOf(const ShardTrack& track) {
  const bool is_known =
      track.state == ShardState::kSubmitted && track.job_state != JobState::kUnspecified;
  return is_known ? JobStateName(track.job_state) : ShardStateName(track.state);
}

template <typename T>
std::optional<ErrorCode> CodeOf(const Result<T>& result) {
  return result.has_value() ? std::nullopt : std::optional(result.error().code);
}

std::optional<ErrorCode> CodeOf(const CreateAnswer& answer) {
  return answer.error.has_value() ? std::optional(answer.error->code) : std::nullopt;
}

}  // namespace

size_t Tracker::ThreadCount(const TrackerOptions& options) {
  return static_cast<size_t>(options.uploads + kMergesMax) + kOtherCalls;
}

Tracker::Tracker(TrackerOptions options, const JobPlan& plan, TrackerEnvironment environment,
                 Ledger& ledger)
    : options_(std::move(options)), plan_(plan), environment_(environment), ledger_(ledger) {}

void Tracker::AddShard(const ShardEntry& entry) {
  environment_.loop.Post([this, entry] { TakeShard(entry); });
}

void Tracker::PackEnded(Result<void> result) {
  environment_.loop.Post([this, result = std::move(result)] {
    pack_ended_ = true;
    FatalUnless(result);
  });
}

Result<void> Tracker::Run(std::stop_token stop) {
  SLUICE_TRY(LoadTracks());
  bool is_through = false;
  FatalUnless(Caught([&]() -> Result<void> {
    Plan(stop);
    is_through = !stop.stop_requested() && !fatal_.has_value();
    if (is_through) {
      SLUICE_TRY(LastAudit(stop));
      Fatal(HeldError());
    }
    return {};
  }));
  WaitForWorkers();
  if (is_through && !fatal_.has_value()) {
    return {};
  }
  if (fatal_.has_value()) {
    return std::unexpected(*std::move(fatal_));
  }
  return Fail(ErrorCode::kUnfinished, "stopped; remote jobs keep running and nothing is lost");
}

void Tracker::Plan(const std::stop_token& stop) {
  while (GoesOn(stop)) {
    StartDueActions(environment_.clock.Now());
    ShowProgress();
    // What was decided without a call is over by now, and no event will come of it.
    if (GoesOn(stop)) {
      WaitForEvents(stop, NextDue());
    }
  }
}

bool Tracker::GoesOn(const std::stop_token& stop) const {
  return !stop.stop_requested() && !fatal_.has_value() &&
         !(pack_ended_ && AllAtRest() && calls_ == 0);
}

void Tracker::WaitForWorkers() {
  worker_stop_.request_stop();
  while (AnyBusy() || calls_ > 0) {
    FatalUnless(Caught([&]() -> Result<void> {
      WaitForEvents({}, environment_.clock.Now() + kIdleWait);
      return {};
    }));
  }
}

void Tracker::Fatal(std::optional<Error> error) {
  if (error.has_value() && !fatal_.has_value()) {
    fatal_ = std::move(error);
  }
}

void Tracker::FatalUnless(Result<void> saved) {
  if (!saved.has_value()) {
    Fatal(std::move(saved).error());
  }
}

std::optional<Error> Tracker::Save(const ShardTrack& track) {
  const Result<void> saved = ledger_.Save(track);
  return saved.has_value() ? std::nullopt : std::optional(saved.error());
}

Result<void> Tracker::LoadTracks() {
  SLUICE_ASSIGN(const auto tracks, ledger_.Tracks());
  const MonotonicTime now = environment_.clock.Now();
  for (const ShardTrack& loaded : tracks) {
    ShardTrack& track = tracks_[loaded.shard] = loaded;
    plan_.Resume(track, now);
    if (track.state == loaded.state) {
      continue;
    }
    // Where the last process stopped nobody knows what became of its request.
    SLUICE_TRY(track.state == ShardState::kUnknown
                   ? ledger_.SaveOutcome(track, AttemptOutcome::kUnknown)
                   : ledger_.Save(track));
  }
  if (CountIn({ShardState::kSubmitted}) > 0) {
    audit_due_ = now + plan_.policy().settle;
  }
  return {};
}

void Tracker::TakeShard(const ShardEntry& entry) {
  entries_[entry.shard] = entry;
  const auto [place, is_new] = tracks_.try_emplace(entry.shard);
  if (is_new) {
    ShardTrack& track = place->second;
    track.shard = entry.shard;
    track.rows = entry.range.count;
    track.rows_asked = entry.range.count;
    track.due = environment_.clock.Now();
    Fatal(Save(track));
  }
}

void Tracker::StartDueActions(MonotonicTime now) {
  if (AuditIsDue(now) && !outage_.is_on()) {
    StartAudit(now);
  }
  for (auto& [shard, track] : tracks_) {
    if (fatal_.has_value()) {
      return;
    }
    if (track.busy || track.due > now || !entries_.contains(shard)) {
      continue;
    }
    const Action action = plan_.Next(track);
    const bool waits = action == Action::kMerge && WaitsForDimension(track);
    if (action != Action::kNone && !waits && MayStart(action)) {
      Start(action, track, now);
    }
  }
}

// Rows that are given up are written as failed ones, for which the vectors' length must be known:
// some other shard's answers may still tell it.
bool Tracker::WaitsForDimension(const ShardTrack& track) const {
  if (options_.task != Task::kEmbed || !track.given_up.has_value() ||
      environment_.disk.dimension() != 0) {
    return false;
  }
  return !pack_ended_ || std::ranges::any_of(tracks_, [](const auto& entry) {
    const ShardTrack& other = entry.second;
    return other.state < ShardState::kEnded ||
           (other.state == ShardState::kEnded && !other.given_up.has_value());
  });
}

bool Tracker::MayStart(Action action) const {
  if (outage_.is_on() && NeedsService(action)) {
    const bool alone = !AnyBusy() && calls_ == 0;
    if (!alone || environment_.clock.Now() < outage_.quiet_until()) {
      return false;
    }
  }
  const int in_flight = CountIn(
      {ShardState::kIntent, ShardState::kUnknown, ShardState::kFenced, ShardState::kSubmitted});
  switch (action) {
    case Action::kStage: {
      // Files live only two days at the service: no more are uploaded than can soon be used.
      const int staging = CountBusyWith(Action::kStage);
      return !capped_.has_value() && staging < options_.uploads &&
             in_flight + CountIn({ShardState::kStaged}) + staging <
                 options_.jobs_in_flight + options_.uploads;
    }
    case Action::kCreate:
      return !capped_.has_value() && in_flight < options_.jobs_in_flight;
    case Action::kRepack:
      return !capped_.has_value();
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
    case Action::kCancel:
      return StartCancel(track);
    case Action::kMerge:
      return StartMerge(track);
    case Action::kCleanUp:
      return StartCleanUp(track);
    case Action::kRepack:
      return StartRepack(track);
    case Action::kGiveUp:
      return StartGiveUp(track);
    case Action::kNone:
      return;
  }
}

void Tracker::StartWork(std::function<WorkLoop::Event()> work, WorkLoop::Event otherwise) {
  environment_.loop.Start([this, work = std::move(work), otherwise = std::move(otherwise)] {
    const auto event = Caught([&]() -> Result<WorkLoop::Event> { return work(); });
    environment_.loop.Post(event.has_value() ? *event : [this, otherwise, error = event.error()] {
      otherwise();
      Fatal(error);
    });
  });
}

template <typename T>
void Tracker::Dispatch(ShardTrack& track, std::function<T(std::stop_token)> call,
                       std::function<std::optional<Error>(T)> apply) {
  const auto work = [this, &track, call = std::move(call), apply = std::move(apply)] {
    auto result = std::make_shared<T>(call(worker_stop_.get_token()));
    return [this, &track, apply, result] {
      track.busy = false;
      const auto code = CodeOf(*result);
      code.has_value() ? outage_.OnFailure(*code, environment_.clock.Now()) : outage_.OnSuccess();
      Fatal(apply(std::move(*result)));
      DeleteLeftFiles(track);
    };
  };
  StartWork(work, [&track] { track.busy = false; });
  track.busy = true;  // behind the start: of what found no memory to begin with no end is heard
}

void Tracker::StartCall(std::function<WorkLoop::Event()> call) {
  const auto work = [this, call = std::move(call)] {
    return [this, event = call()] {
      --calls_;
      event();
    };
  };
  StartWork(work, [this] { --calls_; });
  ++calls_;
}

void Tracker::StartUnwatched(std::function<void(std::stop_token)> call) {
  StartCall([this, call = std::move(call)] {
    call(worker_stop_.get_token());
    return [] {};
  });
}

void Tracker::StartListing(std::function<void(const JobList&)> apply) {
  StartCall([this, apply = std::move(apply)] {
    return [apply, jobs = std::make_shared<JobList>(ListAllJobs(worker_stop_.get_token()))] {
      apply(*jobs);
    };
  });
}

void Tracker::DeleteLeftFiles(ShardTrack& track) {
  for (const std::string& file : std::exchange(track.left_files, {})) {
    if (!options_.keep_remote && !fatal_.has_value()) {
      // What could not be deleted ends by itself after two days.
      StartUnwatched([this, file](std::stop_token stop) {
        (void)environment_.provider.DeleteFile(file, std::move(stop));
      });
    }
  }
}

void Tracker::StartStage(ShardTrack& track) {
  const ShardEntry entry = entries_.at(track.shard);
  const ShardTrack copy = track;
  const std::string file_id = plan_.FileId(track);
  Dispatch<Result<std::string>>(
      track,
      [=, this](std::stop_token stop) { return Stage(copy, entry, file_id, std::move(stop)); },
      [this, &track](Result<std::string> staged) -> std::optional<Error> {
        const MonotonicTime now = environment_.clock.Now();
        if (!staged.has_value()) {
          if (auto error = plan_.OnStageFailed(track, staged.error(), now)) {
            // A name that is used up must not be asked for by the next process.
            (void)Save(track);
            return error;
          }
        } else {
          plan_.OnStaged(track, *staged, now);
          ++environment_.progress.shards_staged;
        }
        return Save(track);
      });
}

void Tracker::StartCreate(ShardTrack& track) {
  ShardTrack intent = track;
  plan_.OnIntent(intent);
  if (Result<void> saved = ledger_.SaveIntent(intent, plan_.DisplayName(intent), options_.cap);
      !saved.has_value()) {
    const bool is_cap = saved.error().code == ErrorCode::kBudget;
    (is_cap ? capped_ : fatal_) = std::move(saved).error();
    return;
  }
  track = intent;
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
      [this, &track](const CreateAnswer& answer) -> std::optional<Error> {
        const MonotonicTime now = environment_.clock.Now();
        audit_due_ = now + plan_.policy().settle;
        const auto error = plan_.OnCreateAnswer(track, answer, now);
        if (track.state != ShardState::kSubmitted && track.state != ShardState::kUnknown) {
          capped_.reset();  // no job was made: there is room again
        }
        const Result<void> saved = ledger_.SaveOutcome(track, OutcomeOf(answer.outcome));
        return saved.has_value() ? error : std::optional(saved.error());
      });
}

void Tracker::StartLook(MonotonicTime now) {
  StartListing([this, now](const JobList& jobs) {
    looking_ = false;
    Fatal(ApplyLook(jobs, now));
  });
  looking_ = true;
}

std::optional<Error> Tracker::ApplyLook(JobList jobs, MonotonicTime started) {
  const MonotonicTime now = environment_.clock.Now();
  if (const auto fault = jobs.has_value() ? plan_.FaultOfList(*jobs, AllTracks()) : std::nullopt) {
    jobs = std::unexpected(*fault);
  }
  jobs.has_value() ? outage_.OnSuccess() : outage_.OnFailure(jobs.error().code, now);
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
    const ShardState before = track.state;
    const auto surplus = plan_.OnLook(track, *jobs, started, now);
    if (track.state == before) {
      continue;
    }
    const bool adopted = track.state == ShardState::kSubmitted;
    if (!adopted) {
      capped_.reset();  // the attempt is dead: there is room again
    }
    Result<void> saved =
        ledger_.SaveOutcome(track, adopted ? AttemptOutcome::kCreated : AttemptOutcome::kDead);
    if (saved.has_value()) {
      saved = NoteAndCancel(surplus);
    }
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
        return Save(track);
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
        if (track.state != ShardState::kUnknown) {
          return Save(track);
        }
        const Result<void> saved = ledger_.SaveOutcome(track, AttemptOutcome::kUnknown);
        return saved.has_value() ? std::nullopt : std::optional(saved.error());
      });
}

void Tracker::StartCancel(ShardTrack& track) {
  const std::string job = track.job;
  const std::string file = options_.delete_files ? track.staged_file : std::string();
  Dispatch<Result<void>>(
      track,
      [=, this](const std::stop_token& stop) -> Result<void> {
        const auto cancelled = environment_.provider.CancelJob(job, stop);
        const bool is_gone = CodeOf(cancelled) == ErrorCode::kNotFound;
        SLUICE_TRY(is_gone ? Result<void>() : cancelled);
        return file.empty() ? Result<void>() : environment_.provider.DeleteFile(file, stop);
      },
      [this, &track, job, file](Result<void> cancelled) -> std::optional<Error> {
        const MonotonicTime now = environment_.clock.Now();
        if (!cancelled.has_value()) {
          return plan_.OnFailed(track, cancelled.error(), now);
        }
        plan_.OnCancelAsked(track, now);
        cancelled_jobs_.push_back(job);
        if (!file.empty()) {
          deleted_files_.push_back(file);
        }
        return Save(track);
      });
}

void Tracker::StartMerge(ShardTrack& track) {
  const ShardEntry entry = entries_.at(track.shard);
  const ShardTrack copy = track;
  Dispatch<Result<Collected>>(
      track,
      [=, this](std::stop_token stop) {
        return environment_.disk.Collect(copy, entry, plan_.MayRetry(copy), std::move(stop));
      },
      [this, &track](Result<Collected> collected) { return ApplyMerge(track, collected); });
}

std::optional<Error> Tracker::ApplyMerge(ShardTrack& track, const Result<Collected>& collected) {
  const MonotonicTime now = environment_.clock.Now();
  if (!collected.has_value()) {
    const ShardState before = track.state;
    const bool was_given_up = track.given_up.has_value();
    if (auto error = plan_.OnFailed(track, collected.error(), now)) {
      return error;
    }
    const bool same = track.state == before && track.given_up.has_value() == was_given_up;
    return same ? std::nullopt : Save(track);
  }
  if (collected->unusable.has_value()) {
    const auto error = plan_.OnNothingUsable(track, *collected->unusable, now);
    return error.has_value() ? error : Save(track);
  }
  plan_.OnMerged(track, collected->retryable, now);
  const auto save = [&]() -> Result<void> {
    // The length of the vectors is fixed for good before the first rows that rely on it count.
    SLUICE_TRY(ledger_.Set(kDimensionKey, std::to_string(environment_.disk.dimension())));
    return ledger_.SaveMerged(track, collected->counts);
  };
  const Result<void> saved = save();
  return saved.has_value() ? std::nullopt : std::optional(saved.error());
}

void Tracker::StartCleanUp(ShardTrack& track) {
  const std::string file = options_.keep_remote ? std::string() : track.staged_file;
  const std::string job = options_.delete_remote_jobs ? track.job : std::string();
  const ShardTrack copy = track;
  Dispatch<Result<void>>(
      track,
      [=, this](const std::stop_token& stop) -> Result<void> {
        SLUICE_TRY(environment_.disk.DropRequests(copy));
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
        plan_.OnCleanedUp(track, environment_.clock.Now());
        return Save(track);
      });
}

void Tracker::StartRepack(ShardTrack& track) {
  const ShardEntry entry = entries_.at(track.shard);
  const ShardTrack copy = track;
  Dispatch<Result<Repacked>>(
      track,
      [=, this](std::stop_token stop) {
        return environment_.disk.Repack(copy, entry, std::move(stop));
      },
      [this, &track](Result<Repacked> repacked) -> std::optional<Error> {
        if (!repacked.has_value()) {
          return repacked.error();
        }
        plan_.OnRepacked(track, repacked->request, repacked->rows, environment_.clock.Now());
        return Save(track);
      });
}

void Tracker::StartGiveUp(ShardTrack& track) {
  const auto give_up = [this, &track]() -> std::optional<Error> {
    plan_.OnGivenUp(track, environment_.clock.Now());
    return Save(track);
  };
  if (track.state != ShardState::kStaged || !options_.delete_files) {
    Fatal(give_up());
    environment_.loop.Post([] {});  // what comes next is due at once
    return;
  }
  const std::string file = track.staged_file;
  Dispatch<Result<void>>(
      track,
      [=, this](std::stop_token stop) {
        return environment_.provider.DeleteFile(file, std::move(stop));
      },
      [this, &track, file, give_up](Result<void> deleted) -> std::optional<Error> {
        if (!deleted.has_value()) {
          return plan_.OnFailed(track, deleted.error(), environment_.clock.Now());
        }
        deleted_files_.push_back(file);
        return give_up();
      });
}

Result<std::string> Tracker::Stage(const ShardTrack& track, const ShardEntry& entry,
                                   const std::string& file_id, std::stop_token stop) {
  const StepTimer step(environment_.times, Step::kSend);
  const StageTimer stage(environment_.times, Stage::kStage);
  SLUICE_ASSIGN(const StageSource source, environment_.disk.Requests(track, entry, stop));
  uint64_t counted = 0;
  const ByteProgress progress = [&](uint64_t done) {
    environment_.progress.bytes_uploaded += done > counted ? done - counted : 0;
    counted = std::max(counted, done);
  };
  return environment_.provider.Stage(source, file_id, progress, std::move(stop));
}

// Somebody's inline job may have no name. But an entry that lacks what the job itself has could be
// one of ours, and whoever takes it for another's makes a job twice.
Result<BatchJob> Tracker::Identified(BatchJob listed, const std::stop_token& stop) {
  const auto is_nameless = [](const BatchJob& job) {
    return job.display_name.empty() && job.source_file.empty();
  };
  if (!is_nameless(listed)) {
    return listed;
  }
  {
    const std::scoped_lock lock(nameless_mutex_);
    if (nameless_.contains(listed.name)) {
      return listed;
    }
  }
  auto job = environment_.provider.GetJob(listed.name, stop);
  if (!job.has_value()) {
    return Fail(ErrorCode::kBadAnswer, fmt::format("the list does not tell whose job {} is: {}",
                                                   listed.name, job.error().message));
  }
  if (is_nameless(*job)) {
    const std::scoped_lock lock(nameless_mutex_);
    nameless_.insert(listed.name);
  }
  return job;
}

Result<std::vector<BatchJob>> Tracker::ListAllJobs(std::stop_token stop) {
  std::vector<BatchJob> ours;
  using Jobs = PagedList<BatchJob>;
  Jobs list([&](const std::string& token) -> Result<Jobs::Page> {
    SLUICE_ASSIGN(JobPage page, environment_.provider.ListJobs(token, stop));
    return Jobs::Page{.items = std::move(page.jobs),
                      .next_page_token = std::move(page.next_page_token)};
  });
  while (true) {
    SLUICE_ASSIGN(std::optional<BatchJob> job, list.Next());
    if (!job.has_value()) {
      return ours;
    }
    SLUICE_ASSIGN(job, Identified(*std::move(job), stop));
    if (plan_.IsOfThisRun(*job)) {
      ours.push_back(std::move(*job));
    }
  }
}

// Once all is submitted and had time to show in the list, one look at everything.
bool Tracker::AuditIsDue(MonotonicTime now) const {
  return audit_due_.has_value() && *audit_due_ <= now && pack_ended_ && calls_ == 0 &&
         CountIn({ShardState::kSealed, ShardState::kStaged, ShardState::kIntent,
                  ShardState::kUnknown, ShardState::kFenced, ShardState::kRepack}) == 0;
}

void Tracker::StartAudit(MonotonicTime now) {
  StartListing([this, now](const JobList& jobs) {
    if (jobs.has_value()) {
      FatalUnless(ApplyAudit(*jobs));
    } else {
      audit_due_ = now + kAuditAgain;
    }
  });
  audit_due_.reset();
}

// A job of ours that the ledger does not own was made by a request that something between us and
// the service sent twice.
Result<void> Tracker::ApplyAudit(const std::vector<BatchJob>& jobs) {
  SLUICE_ASSIGN(const auto names, ledger_.JobNames());
  return NoteAndCancel(plan_.FindSurplus(jobs, {names.begin(), names.end()}, AllTracks()));
}

std::vector<const ShardTrack*> Tracker::AllTracks() const {
  std::vector<const ShardTrack*> tracks;
  tracks.reserve(tracks_.size());
  for (const auto& [shard, track] : tracks_) {
    tracks.push_back(&track);
  }
  return tracks;
}

Result<void> Tracker::NoteAndCancel(const std::vector<BatchJob>& surplus) {
  for (const BatchJob& job : surplus) {
    SLUICE_TRY(ledger_.SaveSurplus({.job = job.name,
                                    .display_name = job.display_name,
                                    .state = std::string(JobStateName(job.state))}));
    if (!job.complete()) {
      // When this does not succeed, the audit at the end finds the job again.
      StartUnwatched([this, name = job.name](std::stop_token stop) {
        (void)environment_.provider.CancelJob(name, std::move(stop));
      });
    }
  }
  return {};
}

Result<void> Tracker::LastAudit(const std::stop_token& stop) {
  // A job that was made twice may show in the list only now. Jobs take minutes, so that the settle
  // time is over by far; who is through within seconds waits no longer than seconds.
  if (audit_due_.has_value() && !plan_.policy().cancels) {
    WaitUntil(std::min(*audit_due_, environment_.clock.Now() + kLastAuditWaitMax), stop);
  }
  auto jobs = ListAllJobs(stop);
  for (int tries = 1; !jobs.has_value() && tries < kLastAuditTries && !stop.stop_requested();
       ++tries) {
    WaitUntil(environment_.clock.Now() + kLastAuditWaitMax, stop);
    jobs = ListAllJobs(stop);
  }
  // The rows are safe, and a service that cannot list now does not undo that: it is told.
  SLUICE_TRY(ledger_.Set(kAuditKey, jobs.has_value() ? kAudited : jobs.error().message));
  if (!jobs.has_value()) {
    return {};
  }
  SLUICE_TRY(ApplyAudit(*jobs));
  while (calls_ > 0 && !stop.stop_requested()) {
    WaitForEvents(stop, environment_.clock.Now() + kIdleWait);
  }
  return {};
}

// Nothing is left that could be done for it without a person.
bool Tracker::IsAtRest(const ShardTrack& track) const {
  if (track.busy) {
    return false;
  }
  const Action next = plan_.Next(track);
  const bool buys = next == Action::kStage || next == Action::kCreate || next == Action::kRepack;
  return next == Action::kNone || (buys && capped_.has_value()) ||
         (next == Action::kMerge && WaitsForDimension(track));
}

bool Tracker::AllAtRest() const {
  return std::ranges::all_of(tracks_, [this](const auto& entry) { return IsAtRest(entry.second); });
}

std::optional<Error> Tracker::HeldError() const {
  for (const auto& [shard, track] : tracks_) {
    if (plan_.MustAsk(track)) {
      return Error{
          .code = ErrorCode::kUnfinished,
          .message = fmt::format(
              "shard {}: the answer to its create call was lost, and no list of the service's "
              "jobs shows '{}': nobody knows whether there is such a job",
              shard, plan_.DisplayName(track)),
          .hint =
              "look for it with `sluice jobs list`; the same command looks again, and with "
              "--on-unknown adopt it deletes the input file, so that no job can come of it "
              "any more, and asks anew"};
    }
  }
  return capped_;
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
  const auto consider = [&](MonotonicTime time) { due = time > now ? std::min(due, time) : due; };
  for (const auto& [shard, track] : tracks_) {
    if (!track.busy && plan_.Next(track) != Action::kNone) {
      consider(track.due);
    }
  }
  if (outage_.is_on()) {
    consider(outage_.quiet_until());
  }
  if (audit_due_.has_value()) {
    consider(*audit_due_);
  }
  return due;
}

void Tracker::WaitForEvents(std::stop_token stop, MonotonicTime deadline) {
  if (events_heard_ == events_.size()) {
    events_ = environment_.loop.Wait(deadline, std::move(stop));
    events_heard_ = 0;
  }
  // One that throws ends the run, whose end waits for what those behind it tell.
  while (events_heard_ < events_.size()) {
    const WorkLoop::Event event = std::move(events_[events_heard_++]);
    event();
  }
}

void Tracker::WaitUntil(MonotonicTime end, const std::stop_token& stop) {
  while (!stop.stop_requested() && environment_.clock.Now() < end) {
    WaitForEvents(stop, end);
  }
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
  progress.SetNote(Note());
}

std::string Tracker::WhatIsOpen() const {
  std::map<std::string_view, int> states;
  int open = 0;
  for (const auto& [shard, track] : tracks_) {
    if (track.state != ShardState::kMerged && track.state != ShardState::kDone) {
      ++states[OpenStateOf(track)];
      ++open;
    }
  }
  std::vector<std::string> counts;
  counts.reserve(states.size());
  for (const auto& [state, count] : states) {
    counts.push_back(fmt::format("{} {}", count, state));
  }
  const std::string note = Note();
  return fmt::format("{} of {} shards are open{}{}{}", open, tracks_.size(),
                     open == 0 ? "" : fmt::format(" ({})", fmt::join(counts, ", ")),
                     pack_ended_ ? "" : ", the corpus is not packed to its end",
                     note.empty() ? "" : "; " + note);
}

// Of the shards that wait, the first one's that says why.
std::string Tracker::Note() const {
  for (const auto& [shard, track] : tracks_) {
    if (track.state != ShardState::kDone && !track.note.empty()) {
      return fmt::format("shard {}: {}", shard, track.note);
    }
  }
  return "";
}

}  // namespace sluice
