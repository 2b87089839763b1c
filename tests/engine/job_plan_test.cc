#include "engine/job_plan.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

JobPolicy TestPolicy() {
  JobPolicy policy;
  policy.run_id = "0123456789ab";
  policy.settle = seconds(120);
  return policy;
}

CreateAnswer Lost() {
  return {.outcome = CreateOutcome::kUnknown,
          .job = {},
          .error = Error{.code = ErrorCode::kTransport, .message = "reset"}};
}

CreateAnswer Refused(ErrorCode code) {
  return {
      .outcome = CreateOutcome::kRefused, .job = {}, .error = Error{.code = code, .message = "no"}};
}

BatchJob JobNamed(std::string name, std::string display_name, JobState state) {
  BatchJob job;
  job.name = std::move(name);
  job.display_name = std::move(display_name);
  job.state = state;
  job.raw_state = "BATCH_STATE_" + std::string(JobStateName(state));
  return job;
}

CreateAnswer Created() {
  return {.outcome = CreateOutcome::kCreated,
          .job = JobNamed("batches/a", "", JobState::kPending),
          .error = {}};
}

class JobPlanTest : public testing::Test {
 protected:
  // A track whose create request has just left.
  ShardTrack Sent() {
    ShardTrack track;
    track.shard = 7;
    plan_.OnStaged(track, "files/" + plan_.FileId(track), now_);
    plan_.OnIntent(track);
    return track;
  }

  // Makes the job of a SEALED track.
  void Submit(ShardTrack& track) {
    plan_.OnStaged(track, "files/" + plan_.FileId(track), now_);
    plan_.OnIntent(track);
    (void)plan_.OnCreateAnswer(track, Created(), now_);
  }

  // Looks at an ended job until that is believed.
  void PollToItsEnd(const JobPlan& plan, ShardTrack& track, const BatchJob& job) {
    for (int look = 0; look < 5 && track.state == ShardState::kSubmitted; ++look) {
      EXPECT_FALSE(plan.OnPoll(track, job, now_).has_value());
    }
  }

  ShardTrack Submitted() {
    ShardTrack track;
    track.shard = 7;
    Submit(track);
    return track;
  }

  JobPlan plan_{TestPolicy()};
  MonotonicTime now_{seconds(1000)};
};

TEST_F(JobPlanTest, AJobThatSucceededIsNotBoughtAgainThoughItShowsNothing) {
  ShardTrack track = Submitted();
  const BatchJob job = JobNamed("batches/a", "", JobState::kSucceeded);
  for (int look = 0; look < 100 && track.state == ShardState::kSubmitted; ++look) {
    EXPECT_FALSE(plan_.OnPoll(track, job, now_).has_value());
    EXPECT_TRUE(look >= 20 || track.state == ShardState::kSubmitted) << look;
  }
  EXPECT_EQ(track.state, ShardState::kEnded);
  ASSERT_TRUE(track.given_up.has_value());
  EXPECT_EQ(track.given_up->failure_class, FailureClass::kMissing);
  EXPECT_EQ(track.attempt, 1);
}

TEST_F(JobPlanTest, AJobFoundBehindTheFenceMayFailForWantOfItsFile) {
  ShardTrack track = Sent();
  (void)plan_.OnCreateAnswer(track, Lost(), now_);
  (void)plan_.OnLook(track, {}, now_ + seconds(121), now_);
  (void)plan_.OnLook(track, {}, now_ + seconds(122), now_);
  EXPECT_FALSE(plan_.OnFenced(track, {}, now_ + seconds(200)).has_value());
  BatchJob job = JobNamed("batches/late", plan_.DisplayName(track), JobState::kFailed);
  job.error = JobError{.code = 5, .message = "no such file"};
  (void)plan_.OnLook(track, {job}, now_ + seconds(201), now_ + seconds(201));
  ASSERT_EQ(track.state, ShardState::kSubmitted);
  PollToItsEnd(plan_, track, job);
  EXPECT_EQ(track.state, ShardState::kSealed);
  EXPECT_EQ(track.attempt, 2);
  // Of a job that was never fenced it says that asking again is of no use.
  ShardTrack other = Submitted();
  PollToItsEnd(plan_, other, job);
  EXPECT_EQ(other.state, ShardState::kEnded);
}

TEST_F(JobPlanTest, TheNextAttemptWaitsAsLongAsTheServiceAsked) {
  ShardTrack track = Sent();
  CreateAnswer answer = Lost();
  answer.error->retry_after = seconds(3600);
  (void)plan_.OnCreateAnswer(track, answer, now_);
  (void)plan_.OnLook(track, {}, now_ + seconds(121), now_);
  (void)plan_.OnLook(track, {}, now_ + seconds(122), now_);
  EXPECT_FALSE(plan_.OnFenced(track, {}, now_ + seconds(200)).has_value());
  (void)plan_.OnLook(track, {}, now_ + seconds(321), now_ + seconds(321));
  (void)plan_.OnLook(track, {}, now_ + seconds(322), now_ + seconds(322));
  EXPECT_EQ(track.state, ShardState::kSealed);
  EXPECT_EQ(track.due, now_ + seconds(3600));
}

TEST_F(JobPlanTest, FilesOfAttemptsThatAreOverAreLeftToBeDeleted) {
  ShardTrack track = Submitted();
  const std::string file = track.staged_file;
  PollToItsEnd(plan_, track, JobNamed("batches/a", "", JobState::kFailed));
  EXPECT_EQ(track.state, ShardState::kSealed);
  EXPECT_EQ(track.left_files, std::vector<std::string>{file});
}

TEST_F(JobPlanTest, NamesEveryAttemptApart) {
  ShardTrack track;
  track.shard = 12;
  track.attempt = 3;
  EXPECT_EQ(plan_.FileId(track), "sl-0123456789ab-12-3");
  EXPECT_EQ(plan_.DisplayName(track), "sluice/0123456789ab/12/3");
  EXPECT_LE(plan_.FileId(track).size(), 40u);
}

TEST_F(JobPlanTest, OnlyLooksWhileAJobMayExist) {
  ShardTrack track = Sent();
  EXPECT_EQ(plan_.Next(track), Action::kNone);
  EXPECT_FALSE(plan_.OnCreateAnswer(track, Lost(), now_).has_value());
  EXPECT_EQ(track.state, ShardState::kUnknown);
  EXPECT_EQ(plan_.Next(track), Action::kLook);
  // Listings that began before the settle time prove nothing.
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(plan_.OnLook(track, {}, now_ + seconds(i), now_ + seconds(i)).empty());
    EXPECT_EQ(plan_.Next(track), Action::kLook);
  }
  (void)plan_.OnLook(track, {}, now_ + seconds(120), now_ + seconds(121));
  EXPECT_EQ(plan_.Next(track), Action::kLook);
  (void)plan_.OnLook(track, {}, now_ + seconds(122), now_ + seconds(123));
  EXPECT_EQ(plan_.Next(track), Action::kFence);
}

TEST_F(JobPlanTest, TakesTheNextAttemptOnlyBehindTheFence) {
  ShardTrack track = Sent();
  (void)plan_.OnCreateAnswer(track, Lost(), now_);
  (void)plan_.OnLook(track, {}, now_ + seconds(121), now_);
  (void)plan_.OnLook(track, {}, now_ + seconds(122), now_);
  const MonotonicTime fenced = now_ + seconds(200);
  EXPECT_FALSE(plan_.OnFenced(track, {}, fenced).has_value());
  EXPECT_EQ(track.state, ShardState::kFenced);
  EXPECT_EQ(track.attempt, 1);
  (void)plan_.OnLook(track, {}, fenced + seconds(60), fenced);
  (void)plan_.OnLook(track, {}, fenced + seconds(121), fenced);
  EXPECT_EQ(track.state, ShardState::kFenced);
  (void)plan_.OnLook(track, {}, fenced + seconds(122), fenced);
  EXPECT_EQ(track.state, ShardState::kSealed);
  EXPECT_EQ(track.attempt, 2);
}

TEST_F(JobPlanTest, AdoptsTheOldestJobFoundAndNamesTheSurplus) {
  ShardTrack track = Sent();
  (void)plan_.OnCreateAnswer(track, Lost(), now_);
  BatchJob newer = JobNamed("batches/b", plan_.DisplayName(track), JobState::kPending);
  newer.create_time = "2026-11-22T10:00:05Z";
  BatchJob older = JobNamed("batches/a", plan_.DisplayName(track), JobState::kPending);
  older.create_time = "2026-11-22T10:00:01Z";
  const BatchJob foreign = JobNamed("batches/c", "sluice/0123456789ab/8/1", JobState::kPending);
  const auto surplus = plan_.OnLook(track, {newer, foreign, older}, now_, now_);
  ASSERT_EQ(surplus.size(), 1u);
  EXPECT_EQ(surplus[0].name, "batches/b");
  EXPECT_EQ(track.state, ShardState::kSubmitted);
  EXPECT_EQ(track.job, "batches/a");
}

TEST_F(JobPlanTest, AJobThatIsListedTwiceIsOneJob) {
  ShardTrack track = Sent();
  (void)plan_.OnCreateAnswer(track, Lost(), now_);
  const BatchJob job = JobNamed("batches/a", plan_.DisplayName(track), JobState::kPending);
  EXPECT_TRUE(plan_.OnLook(track, {job, job}, now_, now_).empty());
  EXPECT_EQ(track.state, ShardState::kSubmitted);
}

TEST_F(JobPlanTest, AJobThatReadsTheFileOfAnAttemptIsItsJobHoweverItIsCalled) {
  for (const char* name : {"", "sluice-0123456789ab-7-1"}) {
    ShardTrack track = Sent();
    (void)plan_.OnCreateAnswer(track, Lost(), now_);
    BatchJob job = JobNamed("batches/a", name, JobState::kPending);
    job.source_file = track.staged_file;
    EXPECT_TRUE(plan_.IsOfThisRun(job));
    (void)plan_.OnLook(track, {job}, now_, now_);
    EXPECT_EQ(track.state, ShardState::kSubmitted) << name;
  }
}

TEST_F(JobPlanTest, AListThatLacksAJobThatIsThereIsNoList) {
  ShardTrack track = Submitted();
  const BatchJob other = JobNamed("batches/b", "sluice/0123456789ab/8/1", JobState::kPending);
  const BatchJob own = JobNamed("batches/a", plan_.DisplayName(track), JobState::kRunning);
  EXPECT_FALSE(plan_.FaultOfList({other}, {&track}).has_value()) << "it may never have been";
  (void)plan_.OnPoll(track, own, now_);
  ASSERT_TRUE(plan_.FaultOfList({other}, {&track}).has_value());
  EXPECT_EQ(plan_.FaultOfList({other}, {&track})->code, ErrorCode::kBadAnswer);
  EXPECT_FALSE(plan_.FaultOfList({other, own}, {&track}).has_value());
  (void)plan_.OnPoll(track, Fail(ErrorCode::kNotFound, "gone"), now_);
  EXPECT_FALSE(plan_.FaultOfList({other}, {&track}).has_value()) << "somebody deleted it";
}

TEST_F(JobPlanTest, AJobThatWasNamedAndNeverSeenIsLookedFor) {
  ShardTrack track = Submitted();
  const BatchJob real = JobNamed("batches/real", plan_.DisplayName(track), JobState::kRunning);
  EXPECT_TRUE(plan_.FindSurplus({real}, {"batches/a"}, {&track}).empty());
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(plan_.OnPoll(track, Fail(ErrorCode::kNotFound, "gone"), now_).has_value());
  }
  EXPECT_EQ(track.state, ShardState::kUnknown);
  (void)plan_.OnLook(track, {real}, now_, now_);
  EXPECT_EQ(track.state, ShardState::kSubmitted);
  EXPECT_EQ(track.job, "batches/real");
  (void)plan_.OnPoll(track, Fail(ErrorCode::kNotFound, "gone"), now_);
  EXPECT_EQ(track.state, ShardState::kSubmitted) << "once is no more than it is for any other job";
}

TEST_F(JobPlanTest, WhatWasNotFoundIsCountedForEachStepAnew) {
  const Error gone{.code = ErrorCode::kNotFound, .message = "gone"};
  ShardTrack track;
  const auto expect_that_four_are_borne = [&] {
    for (int i = 0; i < 4; ++i) {
      EXPECT_FALSE(plan_.OnStageFailed(track, gone, now_).has_value());
    }
  };
  expect_that_four_are_borne();
  Submit(track);
  (void)plan_.OnPoll(track, JobNamed("batches/a", "", JobState::kRunning), now_);
  for (int i = 0; i < 9; ++i) {
    (void)plan_.OnPoll(track, std::unexpected(gone), now_);
  }
  EXPECT_EQ(track.state, ShardState::kSubmitted);
  track.state = ShardState::kEnded;
  EXPECT_FALSE(plan_.OnNothingUsable(track, gone, now_).has_value());
  ASSERT_EQ(track.state, ShardState::kSealed) << "the next attempt";
  expect_that_four_are_borne();
}

TEST_F(JobPlanTest, DoesNotKnowAfterACrashBetweenIntentAndAnswer) {
  ShardTrack track = Sent();
  plan_.Resume(track, now_);
  EXPECT_EQ(track.state, ShardState::kUnknown);
  EXPECT_EQ(plan_.Next(track), Action::kLook);
}

TEST_F(JobPlanTest, SendsTheSameAttemptAgainWhenNothingLeft) {
  ShardTrack track = Sent();
  const CreateAnswer answer{.outcome = CreateOutcome::kNotSent,
                            .job = {},
                            .error = Error{.code = ErrorCode::kNotSent, .message = "no route"}};
  EXPECT_FALSE(plan_.OnCreateAnswer(track, answer, now_).has_value());
  EXPECT_EQ(track.state, ShardState::kStaged);
  EXPECT_EQ(track.attempt, 1);
  EXPECT_GT(track.due, now_);
}

TEST_F(JobPlanTest, EndsTheRunOnARefusalThatHoldsForEveryShard) {
  ShardTrack track = Sent();
  const auto error = plan_.OnCreateAnswer(track, Refused(ErrorCode::kAuth), now_);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, ErrorCode::kAuth);
}

TEST_F(JobPlanTest, UploadsAnewWhenTheFileCannotBeUsed) {
  ShardTrack track = Sent();
  EXPECT_FALSE(plan_.OnCreateAnswer(track, Refused(ErrorCode::kConflict), now_).has_value());
  EXPECT_EQ(track.state, ShardState::kSealed);
  EXPECT_EQ(track.attempt, 2);
}

struct EndCase {
  JobState state;
  int code;
  bool results;
  ShardState expected;
};

TEST_F(JobPlanTest, DecidesEveryEndOfAJob) {
  const EndCase cases[] = {
      {JobState::kSucceeded, 0, true, ShardState::kEnded},
      {JobState::kPartiallySucceeded, 0, true, ShardState::kEnded},
      {JobState::kCancelled, 13, true, ShardState::kEnded},
      {JobState::kExpired, 0, false, ShardState::kSealed},    // bought again
      {JobState::kFailed, 8, false, ShardState::kSealed},     // quota: bought again
      {JobState::kFailed, 3, false, ShardState::kEnded},      // invalid: rows given up
      {JobState::kCancelled, 13, false, ShardState::kEnded},  // somebody did not want it
  };
  for (const EndCase& end : cases) {
    ShardTrack track = Sent();
    (void)plan_.OnCreateAnswer(track, Created(), now_);
    BatchJob job = JobNamed("batches/a", plan_.DisplayName(track), end.state);
    job.result_file = end.results ? "files/batch-a" : "";
    if (end.code != 0) {
      job.error = JobError{.code = end.code, .message = "m"};
    }
    PollToItsEnd(plan_, track, job);
    EXPECT_EQ(track.state, end.expected) << job.raw_state << " " << end.code;
    EXPECT_EQ(track.given_up.has_value(), end.expected == ShardState::kEnded && !end.results);
  }
}

// Each of its rows bears it.
TEST_F(JobPlanTest, KeepsABoundedPartOfWhatAFailedJobSays) {
  ShardTrack track = Sent();
  (void)plan_.OnCreateAnswer(track, Created(), now_);
  BatchJob job = JobNamed("batches/a", plan_.DisplayName(track), JobState::kFailed);
  job.error = JobError{.code = 3, .message = std::string(1 << 20, 'm')};
  PollToItsEnd(plan_, track, job);
  ASSERT_TRUE(track.given_up.has_value());
  EXPECT_LT(track.given_up->message.size(), 1'100U);
  EXPECT_LT(track.note.size(), 1'100U);
}

TEST_F(JobPlanTest, TakesNoJobForItsOwnThatReadsAnotherFile) {
  ShardTrack track = Sent();
  (void)plan_.OnCreateAnswer(track, Lost(), now_);
  BatchJob job = JobNamed("batches/a", plan_.DisplayName(track), JobState::kPending);
  job.source_file = "files/another";
  (void)plan_.OnLook(track, {job}, now_, now_);
  EXPECT_EQ(track.state, ShardState::kUnknown);
  job.source_file = track.staged_file;
  (void)plan_.OnLook(track, {job}, now_, now_);
  EXPECT_EQ(track.state, ShardState::kSubmitted);
}

TEST_F(JobPlanTest, LooksAgainBeforeItBelievesThatAJobHasNoResults) {
  ShardTrack track = Submitted();
  const BatchJob bare = JobNamed("batches/a", plan_.DisplayName(track), JobState::kFailed);
  for (int look = 1; look < 5; ++look) {
    (void)plan_.OnPoll(track, bare, now_);
    EXPECT_EQ(track.state, ShardState::kSubmitted) << look;
  }
  (void)plan_.OnPoll(track, bare, now_);
  EXPECT_EQ(track.state, ShardState::kSealed);
  EXPECT_EQ(track.attempt, 2);
}

TEST_F(JobPlanTest, AsksFailedRowsAgainUpToTheLimitOfJobs) {
  ShardTrack track = Submitted();
  BatchJob job = JobNamed("batches/a", plan_.DisplayName(track), JobState::kSucceeded);
  job.result_file = "files/batch-a";
  for (int round = 0; round < 3; ++round) {
    (void)plan_.OnPoll(track, job, now_);
    plan_.OnMerged(track, 2, now_);
    plan_.OnCleanedUp(track, now_);
    if (round == 2) {
      break;
    }
    ASSERT_EQ(track.state, ShardState::kRepack);
    plan_.OnRepacked(track, {.name = "00007.r1.jsonl.zst", .plain_bytes = 1, .checksum = "x"}, 2,
                     now_);
    EXPECT_EQ(track.state, ShardState::kSealed);
    EXPECT_EQ(track.round, round + 1);
    EXPECT_EQ(track.attempt, round + 2) << "a file and a job of its own";
    Submit(track);
  }
  EXPECT_EQ(track.state, ShardState::kDone);
  EXPECT_TRUE(plan_.OnRetryAsked(track, FailureClasses::All()));
  EXPECT_EQ(track.state, ShardState::kRepack) << "somebody asked";
}

TEST_F(JobPlanTest, AskingIsLeftToAPersonWhenThePolicySaysSo) {
  JobPolicy policy = TestPolicy();
  policy.on_unknown = OnUnknown::kAsk;
  const JobPlan plan(policy);
  ShardTrack track = Sent();
  (void)plan.OnCreateAnswer(track, Lost(), now_);
  EXPECT_FALSE(plan.MustAsk(track));
  (void)plan.OnLook(track, {}, now_ + seconds(121), now_);
  (void)plan.OnLook(track, {}, now_ + seconds(122), now_);
  EXPECT_TRUE(plan.MustAsk(track));
  EXPECT_EQ(plan.Next(track), Action::kNone) << "no fence";
}

TEST_F(JobPlanTest, BuysNothingMoreForACancelledRun) {
  JobPolicy policy = TestPolicy();
  policy.is_cancelled = true;
  const JobPlan plan(policy);
  ShardTrack track;
  EXPECT_EQ(plan.Next(track), Action::kGiveUp);
  plan.OnGivenUp(track, now_);
  EXPECT_EQ(track.state, ShardState::kEnded);
  ASSERT_TRUE(track.given_up.has_value());
  EXPECT_EQ(track.given_up->failure_class, FailureClass::kCancelled);
  track = Submitted();
  BatchJob job = JobNamed("batches/a", plan.DisplayName(track), JobState::kExpired);
  PollToItsEnd(plan, track, job);
  EXPECT_EQ(track.state, ShardState::kEnded);
}

TEST_F(JobPlanTest, FindsJobsThatNobodyAskedFor) {
  const ShardTrack looked_for = Sent();
  const BatchJob own = JobNamed("batches/own", "sluice/0123456789ab/1/1", JobState::kRunning);
  const BatchJob twin = JobNamed("batches/twin", "sluice/0123456789ab/1/1", JobState::kRunning);
  const BatchJob foreign = JobNamed("batches/f", "sluice/ffffffffffff/1/1", JobState::kRunning);
  const BatchJob lost = JobNamed("batches/lost", plan_.DisplayName(looked_for), JobState::kRunning);
  const auto surplus =
      plan_.FindSurplus({own, twin, foreign, lost}, {"batches/own"}, {&looked_for});
  ASSERT_EQ(surplus.size(), 1u);
  EXPECT_EQ(surplus[0].name, "batches/twin");
}

// Vertex AI may write the id of a project in one answer and its number in another.
TEST_F(JobPlanTest, TakesItsOwnJobForNoSurplusHoweverItsProjectIsCalled) {
  const BatchJob own = JobNamed("projects/123/locations/us/batchPredictionJobs/5",
                                "sluice/0123456789ab/1/1", JobState::kRunning);
  const std::set<std::string> owned = {"projects/p/locations/us/batchPredictionJobs/5"};
  EXPECT_TRUE(plan_.FindSurplus({own}, owned, {}).empty());
  BatchJob twin = own;
  twin.name = "projects/123/locations/us/batchPredictionJobs/6";
  EXPECT_EQ(plan_.FindSurplus({twin}, owned, {}).size(), 1U);
}

TEST_F(JobPlanTest, TakesNameAfterNameWithGrowingPauses) {
  ShardTrack track;
  auto pause = milliseconds(0);
  for (int i = 1; i <= 5; ++i) {
    const Error taken{.code = ErrorCode::kConflict, .message = "taken"};
    EXPECT_FALSE(plan_.OnStageFailed(track, taken, now_).has_value());
    EXPECT_EQ(track.attempt, 1 + i);
    EXPECT_EQ(track.note, "taken");
    EXPECT_GT(track.pause, pause);
    pause = track.pause;
  }
}

TEST_F(JobPlanTest, WhatIsRefusedThreeTimesEndsTheRunAndEachNameIsUsedUp) {
  ShardTrack track;
  const Error refused{.code = ErrorCode::kRemoteFailed, .message = "accessDenied"};
  for (int round = 0; round < 2; ++round) {
    EXPECT_FALSE(plan_.OnStageFailed(track, refused, now_).has_value());
    EXPECT_FALSE(plan_.OnStageFailed(track, refused, now_).has_value());
    if (round == 0) {
      plan_.OnStaged(track, "files/x", now_);
      track.state = ShardState::kSealed;
    }
  }
  EXPECT_EQ(plan_.OnStageFailed(track, refused, now_)->code, ErrorCode::kRemoteFailed);
  EXPECT_EQ(track.attempt, 6);
  EXPECT_EQ(track.state, ShardState::kSealed);
}

TEST_F(JobPlanTest, APlaceThatIsNotThereIsNotWaitedForLong) {
  ShardTrack track;
  const Error missing{.code = ErrorCode::kNotFound, .message = "no such bucket"};
  int tries = 1;
  while (!plan_.OnStageFailed(track, missing, now_).has_value() && tries < 20) {
    ++tries;
  }
  EXPECT_EQ(tries, 5);
}

TEST_F(JobPlanTest, GivesUpAfterTheAttemptLimit) {
  ShardTrack track = Sent();
  for (int job_number = 1; job_number <= 3; ++job_number) {
    (void)plan_.OnCreateAnswer(track, Created(), now_);
    PollToItsEnd(plan_, track, JobNamed("batches/a", "", JobState::kExpired));
    if (job_number < 3) {
      ASSERT_EQ(track.state, ShardState::kSealed);
      plan_.OnStaged(track, "files/x", now_);
      plan_.OnIntent(track);
    }
  }
  EXPECT_EQ(track.state, ShardState::kEnded);
  ASSERT_TRUE(track.given_up.has_value());
}

TEST_F(JobPlanTest, KeepsPollingThroughFailuresAndUnknownStates) {
  ShardTrack track = Sent();
  (void)plan_.OnCreateAnswer(track, Created(), now_);
  for (const ErrorCode code : {ErrorCode::kTransport, ErrorCode::kUnavailable,
                               ErrorCode::kBadAnswer, ErrorCode::kNotSent, ErrorCode::kNotFound}) {
    EXPECT_FALSE(plan_.OnPoll(track, Fail(code, "x"), now_).has_value());
    EXPECT_EQ(track.state, ShardState::kSubmitted);
  }
  EXPECT_FALSE(
      plan_.OnPoll(track, JobNamed("batches/a", "", JobState::kUnspecified), now_).has_value());
  EXPECT_EQ(track.state, ShardState::kSubmitted);
  EXPECT_TRUE(plan_.OnPoll(track, Fail(ErrorCode::kAuth, "key"), now_).has_value());
}

TEST_F(JobPlanTest, GivesUpRowsOfAJobThatIsGoneButDoesNotBuyItAgain) {
  ShardTrack track = Sent();
  (void)plan_.OnCreateAnswer(track, Created(), now_);
  const auto gone = [&] { return plan_.OnPoll(track, Fail(ErrorCode::kNotFound, "gone"), now_); };
  for (int i = 0; i < 9; ++i) {
    EXPECT_FALSE(gone().has_value());
  }
  (void)plan_.OnPoll(track, JobNamed("batches/a", "", JobState::kRunning), now_);
  for (int i = 0; i < 9; ++i) {
    EXPECT_FALSE(gone().has_value());
    EXPECT_EQ(track.state, ShardState::kSubmitted) << "it was seen in between";
  }
  EXPECT_FALSE(gone().has_value());
  EXPECT_EQ(track.state, ShardState::kEnded);
  EXPECT_EQ(track.attempt, 1);
  ASSERT_TRUE(track.given_up.has_value());
  EXPECT_EQ(track.given_up->failure_class, FailureClass::kMissing);
}

TEST_F(JobPlanTest, PollsWithGrowingPausesUpToTheLimit) {
  ShardTrack track = Sent();
  (void)plan_.OnCreateAnswer(track, Created(), now_);
  milliseconds before{0};
  for (int i = 0; i < 20; ++i) {
    (void)plan_.OnPoll(track, JobNamed("batches/a", "", JobState::kRunning), now_);
    EXPECT_GE(track.pause, before);
    EXPECT_LE(track.pause, milliseconds(300'000));
    before = track.pause;
  }
  EXPECT_EQ(before, milliseconds(300'000));
}

}  // namespace
}  // namespace sluice
