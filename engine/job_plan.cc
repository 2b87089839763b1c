#include "engine/job_plan.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "api/batches/job_id.h"
#include "api/protocol/row_status.h"

namespace sluice {
namespace {

// Looking more often than this tells nothing new.
constexpr std::chrono::milliseconds kLookPauseMax{15'000};
constexpr int kLooksNeeded = 2;
// A young job may not be readable yet; one that stays unknown over so many growing pauses is gone.
constexpr int kTimesNotFoundMax = 10;
constexpr int kTimesRefusedMax = 3;
// A bucket or a dataset that is not there does not come by waiting.
constexpr int kTimesNoPlaceMax = 5;

void Expect(bool holds, const ShardTrack& track, std::string_view event) {
  SLUICE_CHECK(holds, fmt::format("shard {} is {} at event {}", track.shard,
                                  ShardStateName(track.state), event));
}

// A job that ended may show its results a little later; after so many looks it has none. One that
// succeeded has some somewhere, and was paid for: it is waited for much longer.
constexpr int kTimesEmptyMax = 5;
constexpr int kTimesEmptyThoughSucceededMax = 30;

// Failures of a whole job that asking again cannot mend (google.rpc codes).
bool CanNeverWork(int code) {
  constexpr std::array kHopeless = {3, 5, 7, 9, 11, 12, 16};
  return std::ranges::find(kHopeless, code) != kHopeless.end();
}

RowFailure FailureOfJob(const BatchJob& job) {
  const int code = job.error.has_value() ? job.error->code : 0;
  // Each row that the job failed bears it.
  const std::string message = BoundedMessage(fmt::format(
      "the job ended {}{}", job.raw_state.empty() ? JobStateName(job.state) : job.raw_state,
      job.error.has_value() ? ": " + job.error->message : std::string()));
  FailureClass failure_class = FailureClass::kTransient;
  if (job.succeeded()) {
    failure_class = FailureClass::kMissing;
  } else if (job.cancelled()) {
    failure_class = FailureClass::kCancelled;
  } else if (code == 8) {
    failure_class = FailureClass::kQuota;
  } else if (CanNeverWork(code)) {
    failure_class = FailureClass::kInvalid;
  }
  return {.failure_class = failure_class, .code = code, .message = message};
}

// The answer to its creation named the job, and nobody has seen it yet: it may be another.
bool IsOnlyNamed(const ShardTrack& track) {
  return track.state == ShardState::kSubmitted && !track.was_seen && !track.is_resumed;
}

}  // namespace

std::string JobPlan::FileId(const ShardTrack& track) const {
  return fmt::format("sl-{}-{}-{}", policy_.run_id, track.shard, track.attempt);
}

std::string JobPlan::DisplayName(const ShardTrack& track) const {
  return fmt::format("{}{}/{}", DisplayPrefix(), track.shard, track.attempt);
}

bool JobPlan::IsOfThisRun(const BatchJob& job) const {
  return job.display_name.starts_with(DisplayPrefix()) ||
         job.source_file.find(policy_.run_id) != std::string::npos;
}

std::optional<Error> JobPlan::FaultOfList(const std::vector<BatchJob>& jobs,
                                          const std::vector<const ShardTrack*>& tracks) const {
  std::set<std::string_view> listed;
  for (const BatchJob& job : jobs) {
    listed.insert(JobIdOf(job.name));
  }
  for (const ShardTrack* track : tracks) {
    const bool is_there =
        track->state == ShardState::kSubmitted && track->was_seen && track->times_not_found == 0;
    if (is_there && !listed.contains(JobIdOf(track->job))) {
      return Error{.code = ErrorCode::kBadAnswer,
                   .message = fmt::format("the list of jobs lacks {}, which is there", track->job)};
    }
  }
  return std::nullopt;
}

std::string JobPlan::DisplayPrefix() const { return fmt::format("sluice/{}/", policy_.run_id); }

void JobPlan::Resume(ShardTrack& track, MonotonicTime now) const {
  if (track.state == ShardState::kIntent || track.state == ShardState::kUnknown) {
    EnterUnknown(track, ShardState::kUnknown, now);
  } else if (track.state == ShardState::kFenced) {
    EnterUnknown(track, ShardState::kFenced, now);
  } else if (track.state == ShardState::kStaged && !policy_.cancels) {
    // Files live two days at the service. Staging anew under the same name adopts what is there.
    track.state = ShardState::kSealed;
    track.staged_file.clear();
  }
  track.is_resumed = true;
  track.due = now;
}

Action JobPlan::Next(const ShardTrack& track) const {
  switch (track.state) {
    case ShardState::kSealed:
      return policy_.is_cancelled ? Action::kGiveUp : Action::kStage;
    case ShardState::kStaged:
      return policy_.is_cancelled ? Action::kGiveUp : Action::kCreate;
    case ShardState::kIntent:
      return Action::kNone;
    case ShardState::kUnknown:
      if (track.looks < kLooksNeeded) {
        return Action::kLook;
      }
      return MustAsk(track) ? Action::kNone : Action::kFence;
    case ShardState::kFenced:
      return Action::kLook;
    case ShardState::kSubmitted:
      if (policy_.cancels) {
        return track.cancel_asked ? Action::kNone : Action::kCancel;
      }
      return Action::kPoll;
    case ShardState::kEnded:
      return policy_.cancels ? Action::kNone : Action::kMerge;
    case ShardState::kMerged:
      return policy_.cancels ? Action::kNone : Action::kCleanUp;
    case ShardState::kRepack:
      return policy_.is_cancelled ? Action::kGiveUp : Action::kRepack;
    case ShardState::kDone:
      return Action::kNone;
  }
  return Action::kNone;
}

bool JobPlan::MustAsk(const ShardTrack& track) const {
  return track.state == ShardState::kUnknown && track.looks >= kLooksNeeded &&
         policy_.on_unknown == OnUnknown::kAsk;
}

bool JobPlan::MayRetry(const ShardTrack& track) const {
  // What was given up was given up for a reason: only somebody's word buys it again.
  return !policy_.is_cancelled && !track.given_up.has_value() &&
         track.jobs_ended < policy_.attempts_max;
}

void JobPlan::OnStaged(ShardTrack& track, const std::string& file, MonotonicTime now) const {
  Expect(track.state == ShardState::kSealed, track, "staged");
  track.state = ShardState::kStaged;
  track.staged_file = file;
  track.times_refused = 0;
  track.times_not_found = 0;
  track.note.clear();
  track.pause = {};
  track.due = now;
}

std::optional<Error> JobPlan::OnStageFailed(ShardTrack& track, const Error& error,
                                            MonotonicTime now) const {
  Expect(track.state == ShardState::kSealed, track, "stage failed");
  const bool is_refused = error.code == ErrorCode::kRemoteFailed;
  if (error.code != ErrorCode::kConflict && !is_refused) {
    return OnFailed(track, error, now);
  }
  // The name is taken by other bytes, or the file went bad: it is never used, take the next name.
  // Pauses grow from name to name.
  const auto pause = track.pause;
  NextAttempt(track, now);
  track.pause = pause;
  track.note = error.message;
  WaitLonger(track, now);
  // Bytes that arrived otherwise than they were sent are refused, too, so one refusal is not
  // believed.
  track.times_refused = is_refused ? track.times_refused + 1 : 0;
  return track.times_refused >= kTimesRefusedMax ? std::optional(error) : std::nullopt;
}

void JobPlan::OnIntent(ShardTrack& track) const {
  Expect(track.state == ShardState::kStaged, track, "intent");
  track.state = ShardState::kIntent;
}

std::optional<Error> JobPlan::OnCreateAnswer(ShardTrack& track, const CreateAnswer& answer,
                                             MonotonicTime now) const {
  Expect(track.state == ShardState::kIntent, track, "create answered");
  if (answer.error.has_value()) {
    track.note = answer.error->message;
  }
  switch (answer.outcome) {
    case CreateOutcome::kCreated:
      track.state = ShardState::kSubmitted;
      track.job = answer.job.name;
      track.job_state = answer.job.state;
      track.note.clear();
      track.pause = policy_.poll_first;
      track.due = now + track.pause;
      return std::nullopt;
    case CreateOutcome::kNotSent:
      track.state = ShardState::kStaged;
      WaitLonger(track, now);
      return std::nullopt;
    case CreateOutcome::kRefused:
      // A definite no. A file that is not ready becomes ready, or is uploaded anew; anything else
      // would be refused for every shard.
      if (answer.error.has_value() && answer.error->code == ErrorCode::kConflict) {
        LeaveFile(track);
        NextAttempt(track, now);
        WaitLonger(track, now);
        return std::nullopt;
      }
      track.state = ShardState::kStaged;
      return answer.error;
    case CreateOutcome::kUnknown:
      EnterUnknown(track, ShardState::kUnknown, now);
      if (answer.error.has_value() && answer.error->retry_after.has_value()) {
        track.not_before = now + *answer.error->retry_after;
      }
      return std::nullopt;
  }
  return std::nullopt;
}

std::vector<BatchJob> JobPlan::OnLook(ShardTrack& track, const std::vector<BatchJob>& jobs,
                                      MonotonicTime started, MonotonicTime now) const {
  Expect(track.state == ShardState::kUnknown || track.state == ShardState::kFenced, track, "look");
  std::vector<const BatchJob*> found;
  for (const BatchJob& job : jobs) {
    // The file is read by this attempt alone, and proves more than a name; a list that does not say
    // which file a job reads must not hide it.
    if (job.source_file.empty() ? job.display_name == DisplayName(track)
                                : job.source_file == track.staged_file) {
      found.push_back(&job);
    }
  }
  if (found.empty()) {
    track.looks += started >= track.since + policy_.settle ? 1 : 0;
    if (track.state == ShardState::kFenced && track.looks >= kLooksNeeded) {
      NextAttempt(track, now);
    } else {
      track.due = now + (track.looks >= kLooksNeeded ? std::chrono::milliseconds(0)
                                                     : std::min(kLookPauseMax, policy_.settle / 2));
    }
    return {};
  }
  std::ranges::sort(found, {},
                    [](const BatchJob* job) { return std::pair(job->create_time, job->name); });
  // Pages shift while they are read, and show one job twice.
  const auto same =
      std::ranges::unique(found, {}, [](const BatchJob* job) { return JobIdOf(job->name); });
  found.erase(same.begin(), same.end());
  // A job that was found behind the fence has no file to read any more.
  track.is_fenced = track.state == ShardState::kFenced;
  track.state = ShardState::kSubmitted;
  track.was_seen = true;
  track.times_not_found = 0;
  track.job = found.front()->name;
  track.job_state = found.front()->state;
  track.note = "found again after its creation was not answered";
  track.pause = policy_.poll_first;
  track.due = now;
  std::vector<BatchJob> surplus;
  for (size_t i = 1; i < found.size(); ++i) {
    surplus.push_back(*found[i]);
  }
  return surplus;
}

std::optional<Error> JobPlan::OnFenced(ShardTrack& track, const Result<void>& deleted,
                                       MonotonicTime now) const {
  Expect(track.state == ShardState::kUnknown, track, "fenced");
  if (!deleted.has_value()) {
    return OnFailed(track, deleted.error(), now);
  }
  EnterUnknown(track, ShardState::kFenced, now);
  return std::nullopt;
}

std::optional<Error> JobPlan::OnPoll(ShardTrack& track, const Result<BatchJob>& job,
                                     MonotonicTime now) const {
  Expect(track.state == ShardState::kSubmitted, track, "poll");
  if (!job.has_value()) {
    return OnFailed(track, job.error(), now);
  }
  track.job_state = job->state;
  track.was_seen = true;
  track.times_not_found = 0;
  track.note.clear();
  if (job->complete() || job->done) {
    // Paid work is not given up because one answer lacks its result.
    const int looks_max = job->succeeded() ? kTimesEmptyThoughSucceededMax : kTimesEmptyMax;
    if (job->has_results() || ++track.times_empty >= looks_max) {
      OnJobEnded(track, *job, now);
      return std::nullopt;
    }
    track.note = "it ended and shows no results yet";
  }
  track.pause = std::clamp(track.pause * 3 / 2, policy_.poll_first, policy_.poll_max);
  track.due = now + track.pause;
  return std::nullopt;
}

void JobPlan::OnCancelAsked(ShardTrack& track, MonotonicTime now) const {
  Expect(track.state == ShardState::kSubmitted, track, "cancel asked");
  track.cancel_asked = true;
  track.note = "asked to cancel";
  track.due = now;
}

void JobPlan::OnMerged(ShardTrack& track, uint64_t retryable, MonotonicTime now) const {
  Expect(track.state == ShardState::kEnded, track, "merged");
  const bool again = retryable > 0 && MayRetry(track);
  track.state = ShardState::kMerged;
  track.retry_classes = again ? policy_.retry_classes : FailureClasses();
  track.pause = {};
  track.due = now;
}

std::optional<Error> JobPlan::OnNothingUsable(ShardTrack& track, const Error& error,
                                              MonotonicTime now) const {
  Expect(track.state == ShardState::kEnded, track, "nothing usable");
  if (!MayRetry(track)) {
    return error;
  }
  ++track.jobs_ended_empty;
  track.note = error.message;
  LeaveFile(track);
  NextAttempt(track, now + policy_.poll_first);
  return std::nullopt;
}

std::optional<Error> JobPlan::OnFailed(ShardTrack& track, const Error& error,
                                       MonotonicTime now) const {
  if (error.code != ErrorCode::kUnfinished) {  // which tells of us, and hides why we were waiting
    track.note = error.message;
  }
  const bool not_found = error.code == ErrorCode::kNotFound;
  track.times_not_found = not_found ? track.times_not_found + 1 : 0;
  if (!IsTransient(error.code) && !not_found) {
    return error;
  }
  if (track.state == ShardState::kSealed && track.times_not_found >= kTimesNoPlaceMax) {
    return error;
  }
  const bool has_job = track.state == ShardState::kSubmitted || track.state == ShardState::kEnded;
  if (IsOnlyNamed(track) && track.times_not_found >= kTimesNotFoundMax) {
    // Such an answer is none.
    track.job.clear();
    EnterUnknown(track, ShardState::kUnknown, now);
    return std::nullopt;
  }
  if (has_job && track.times_not_found >= kTimesNotFoundMax) {
    // Deleted by somebody, or expired. It may have been paid for, so it is not bought again.
    track.jobs_ended += track.state == ShardState::kSubmitted ? 1 : 0;
    track.state = ShardState::kEnded;
    track.given_up = RowFailure{.failure_class = FailureClass::kMissing,
                                .code = 0,
                                .message = "the job or its results are gone: " + error.message};
  }
  WaitLonger(track, now);
  if (error.retry_after.has_value()) {
    track.due = std::max(track.due, now + *error.retry_after);
  }
  return std::nullopt;
}

void JobPlan::OnCleanedUp(ShardTrack& track, MonotonicTime now) const {
  Expect(track.state == ShardState::kMerged, track, "cleaned up");
  track.state = track.retry_classes.empty() ? ShardState::kDone : ShardState::kRepack;
  // What failed for want of room or luck is not asked again in the same breath.
  track.due = now + policy_.poll_first;
}

void JobPlan::OnRepacked(ShardTrack& track, RequestFile request, uint64_t rows_asked,
                         MonotonicTime now) const {
  Expect(track.state == ShardState::kRepack, track, "repacked");
  NextAttempt(track, now);
  ++track.round;
  track.rows_asked = rows_asked;
  track.request = std::move(request);
}

void JobPlan::OnGivenUp(ShardTrack& track, MonotonicTime now) const {
  Expect(policy_.is_cancelled, track, "given up");
  track.due = now;
  if (track.state == ShardState::kRepack) {
    track.state = ShardState::kDone;  // its failed rows stay what they are
    track.retry_classes = {};
    return;
  }
  Expect(track.state == ShardState::kSealed || track.state == ShardState::kStaged, track,
         "given up");
  track.state = ShardState::kEnded;
  track.given_up = RowFailure{.failure_class = FailureClass::kCancelled,
                              .code = 0,
                              .message = "the run was cancelled before this row was sent"};
  track.note = track.given_up->message;
}

bool JobPlan::OnRetryAsked(ShardTrack& track, FailureClasses classes) const {
  track.jobs_ended = 0;
  if (track.state == ShardState::kDone || track.state == ShardState::kMerged) {
    track.state = track.state == ShardState::kDone ? ShardState::kRepack : track.state;
    track.retry_classes = classes;
    return true;
  }
  if (track.state == ShardState::kEnded && track.given_up.has_value() &&
      classes.contains(track.given_up->failure_class)) {
    NextAttempt(track, {});
    return true;
  }
  return false;
}

std::vector<BatchJob> JobPlan::FindSurplus(const std::vector<BatchJob>& jobs,
                                           const std::set<std::string>& owned,
                                           const std::vector<const ShardTrack*>& tracks) const {
  std::set<std::string> looked_for;
  for (const ShardTrack* track : tracks) {
    if (track->state == ShardState::kIntent || track->state == ShardState::kUnknown ||
        track->state == ShardState::kFenced || IsOnlyNamed(*track)) {
      looked_for.insert(DisplayName(*track));
    }
  }
  std::set<std::string, std::less<>> owned_ids;
  for (const std::string& name : owned) {
    owned_ids.emplace(JobIdOf(name));
  }
  std::vector<BatchJob> surplus;
  for (const BatchJob& job : jobs) {
    if (job.display_name.starts_with(DisplayPrefix()) && !owned_ids.contains(JobIdOf(job.name)) &&
        !looked_for.contains(job.display_name)) {
      surplus.push_back(job);
    }
  }
  return surplus;
}

void JobPlan::EnterUnknown(ShardTrack& track, ShardState state, MonotonicTime now) const {
  track.state = state;
  track.since = now;
  track.looks = 0;
  track.times_not_found = 0;
  track.due = now;
}

void JobPlan::NextAttempt(ShardTrack& track, MonotonicTime now) const {
  track.state = ShardState::kSealed;
  ++track.attempt;
  track.staged_file.clear();
  track.job.clear();
  track.job_state = JobState::kUnspecified;
  track.was_seen = false;
  track.is_resumed = false;
  track.cancel_asked = false;
  track.is_fenced = false;
  track.given_up.reset();
  track.times_not_found = 0;
  track.times_empty = 0;
  track.pause = {};
  track.due = std::max(now, track.not_before);
}

void JobPlan::OnJobEnded(ShardTrack& track, const BatchJob& job, MonotonicTime now) const {
  track.due = now;
  ++track.jobs_ended;
  if (job.has_results()) {
    track.state = ShardState::kEnded;
    return;
  }
  ++track.jobs_ended_empty;
  const RowFailure failure = FailureOfJob(job);
  track.note = failure.message;
  // A job that someone cancelled was not wanted; it is not bought again behind their back.
  const bool unwanted =
      job.cancelled() && !policy_.retry_classes.contains(FailureClass::kCancelled);
  // One that succeeded was paid for, though it shows nothing.
  const bool is_paid = job.succeeded();
  // What failed for want of the file that we deleted fails for no other reason, and cost nothing.
  const bool is_hopeless = CanNeverWork(failure.code) && !track.is_fenced;
  if (!MayRetry(track) || unwanted || is_paid || is_hopeless) {
    track.state = ShardState::kEnded;
    track.given_up = failure;
    return;
  }
  LeaveFile(track);
  NextAttempt(track, now + policy_.poll_first);
}

void JobPlan::LeaveFile(ShardTrack& track) {
  if (!track.staged_file.empty()) {
    track.left_files.push_back(track.staged_file);
  }
}

void JobPlan::WaitLonger(ShardTrack& track, MonotonicTime now) const {
  track.pause = std::clamp(track.pause * 2, policy_.retry_first, policy_.retry_max);
  track.due = now + track.pause;
}

}  // namespace sluice
