#include "engine/job_plan.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace sluice {
namespace {

constexpr std::array<std::string_view, 9> kStateNames = {
    "SEALED", "STAGED", "INTENT", "UNKNOWN", "FENCED", "SUBMITTED", "ENDED", "MERGED", "DONE"};

// Looking more often than this tells nothing new.
constexpr std::chrono::milliseconds kLookPauseMax{15'000};
constexpr int kLooksNeeded = 2;
// A young job may not be readable yet; one that stays unknown over so many growing pauses is gone.
constexpr int kTimesNotFoundMax = 10;

void Expect(bool holds, const ShardTrack& track, std::string_view event) {
  SLUICE_CHECK(holds, fmt::format("shard {} is {} at event {}", track.shard,
                                  ShardStateName(track.state), event));
}

// Failures of a whole job that asking again cannot mend (google.rpc codes).
bool CanNeverWork(int code) {
  constexpr std::array kHopeless = {3, 5, 7, 9, 11, 12, 16};
  return std::ranges::find(kHopeless, code) != kHopeless.end();
}

RowFailure FailureOfJob(const BatchJob& job) {
  const int code = job.error.has_value() ? job.error->code : 0;
  const std::string message = fmt::format(
      "the job ended {}{}", job.raw_state.empty() ? JobStateName(job.state) : job.raw_state,
      job.error.has_value() ? ": " + job.error->message : std::string());
  FailureClass failure_class = FailureClass::kTransient;
  if (code == 8) {
    failure_class = FailureClass::kQuota;
  } else if (CanNeverWork(code)) {
    failure_class = FailureClass::kInvalid;
  }
  return {.failure_class = failure_class, .code = code, .message = message};
}

}  // namespace

std::string_view ShardStateName(ShardState state) {
  return kStateNames[static_cast<size_t>(state)];
}

std::optional<ShardState> ParseShardState(std::string_view name) {
  const auto place = std::ranges::find(kStateNames, name);
  if (place == kStateNames.end()) {
    return std::nullopt;
  }
  return static_cast<ShardState>(place - kStateNames.begin());
}

std::string JobPlan::FileId(const ShardTrack& track) const {
  return fmt::format("sl-{}-{}-{}", policy_.run_id, track.shard, track.attempt);
}

std::string JobPlan::DisplayName(const ShardTrack& track) const {
  return fmt::format("{}{}/{}", DisplayPrefix(), track.shard, track.attempt);
}

std::string JobPlan::DisplayPrefix() const { return fmt::format("sluice/{}/", policy_.run_id); }

void JobPlan::Resume(ShardTrack& track, MonotonicTime now) const {
  if (track.state == ShardState::kIntent || track.state == ShardState::kUnknown) {
    EnterUnknown(track, ShardState::kUnknown, now);
  } else if (track.state == ShardState::kFenced) {
    EnterUnknown(track, ShardState::kFenced, now);
  }
  track.due = now;
}

Action JobPlan::Next(const ShardTrack& track) const {
  switch (track.state) {
    case ShardState::kSealed:
      return Action::kStage;
    case ShardState::kStaged:
      return Action::kCreate;
    case ShardState::kIntent:
      return Action::kNone;
    case ShardState::kUnknown:
      return track.looks >= kLooksNeeded ? Action::kFence : Action::kLook;
    case ShardState::kFenced:
      return Action::kLook;
    case ShardState::kSubmitted:
      return Action::kPoll;
    case ShardState::kEnded:
      return Action::kMerge;
    case ShardState::kMerged:
      return Action::kCleanUp;
    case ShardState::kDone:
      return Action::kNone;
  }
  return Action::kNone;
}

void JobPlan::OnStaged(ShardTrack& track, const StagedFile& file, MonotonicTime now) const {
  Expect(track.state == ShardState::kSealed, track, "staged");
  track.state = ShardState::kStaged;
  track.staged_file = file.name;
  track.note.clear();
  track.pause = {};
  track.due = now;
}

std::optional<Error> JobPlan::OnStageFailed(ShardTrack& track, const Error& error,
                                            MonotonicTime now) const {
  Expect(track.state == ShardState::kSealed, track, "stage failed");
  if (error.code == ErrorCode::kConflict) {
    // The name is taken by other bytes, or the file went bad: it is never used, take the next name.
    NextAttempt(track, now);
    WaitLonger(track, now);
    return std::nullopt;
  }
  return OnFailed(track, error, now);
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
        NextAttempt(track, now);
        WaitLonger(track, now);
        return std::nullopt;
      }
      track.state = ShardState::kStaged;
      return answer.error;
    case CreateOutcome::kUnknown:
      EnterUnknown(track, ShardState::kUnknown, now);
      return std::nullopt;
  }
  return std::nullopt;
}

std::vector<std::string> JobPlan::OnLook(ShardTrack& track, const std::vector<BatchJob>& jobs,
                                         MonotonicTime started, MonotonicTime now) const {
  Expect(track.state == ShardState::kUnknown || track.state == ShardState::kFenced, track, "look");
  std::vector<const BatchJob*> found;
  for (const BatchJob& job : jobs) {
    if (job.display_name == DisplayName(track)) {
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
  track.state = ShardState::kSubmitted;
  track.job = found.front()->name;
  track.job_state = found.front()->state;
  track.note = "found again after its creation was not answered";
  track.pause = policy_.poll_first;
  track.due = now;
  std::vector<std::string> surplus;
  for (size_t i = 1; i < found.size(); ++i) {
    surplus.push_back(found[i]->name);
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
  track.times_not_found = 0;
  track.note.clear();
  if (job->complete() || job->done) {
    OnJobEnded(track, *job, now);
    return std::nullopt;
  }
  track.pause = std::clamp(track.pause * 3 / 2, policy_.poll_first, policy_.poll_max);
  track.due = now + track.pause;
  return std::nullopt;
}

void JobPlan::OnMerged(ShardTrack& track, MonotonicTime now) const {
  Expect(track.state == ShardState::kEnded, track, "merged");
  track.state = ShardState::kMerged;
  track.pause = {};
  track.due = now;
}

std::optional<Error> JobPlan::OnFailed(ShardTrack& track, const Error& error,
                                       MonotonicTime now) const {
  track.note = error.message;
  const bool not_found = error.code == ErrorCode::kNotFound;
  track.times_not_found = not_found ? track.times_not_found + 1 : 0;
  if (!IsTransient(error.code) && !not_found) {
    return error;
  }
  const bool has_job = track.state == ShardState::kSubmitted || track.state == ShardState::kEnded;
  if (has_job && track.times_not_found >= kTimesNotFoundMax) {
    // Deleted by somebody, or expired. It may have been paid for, so it is not bought again.
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

void JobPlan::OnCleanedUp(ShardTrack& track) const {
  Expect(track.state == ShardState::kMerged, track, "cleaned up");
  track.state = ShardState::kDone;
}

void JobPlan::EnterUnknown(ShardTrack& track, ShardState state, MonotonicTime now) const {
  track.state = state;
  track.since = now;
  track.looks = 0;
  track.due = now;
}

void JobPlan::NextAttempt(ShardTrack& track, MonotonicTime now) const {
  track.state = ShardState::kSealed;
  ++track.attempt;
  track.staged_file.clear();
  track.job.clear();
  track.job_state = JobState::kUnspecified;
  track.pause = {};
  track.due = now;
}

void JobPlan::OnJobEnded(ShardTrack& track, const BatchJob& job, MonotonicTime now) const {
  track.due = now;
  if (!job.result_file.empty() || !job.inline_responses.empty()) {
    track.state = ShardState::kEnded;
    return;
  }
  ++track.jobs_ended_empty;
  const RowFailure failure = FailureOfJob(job);
  track.note = failure.message;
  // A job that someone cancelled was not wanted; it is not bought again behind their back.
  if (track.jobs_ended_empty >= policy_.attempts_max || job.cancelled() ||
      CanNeverWork(failure.code)) {
    track.state = ShardState::kEnded;
    track.given_up = failure;
    return;
  }
  NextAttempt(track, now);
}

void JobPlan::WaitLonger(ShardTrack& track, MonotonicTime now) const {
  track.pause = std::clamp(track.pause * 2, policy_.retry_first, policy_.retry_max);
  track.due = now + track.pause;
}

}  // namespace sluice
