#include "engine/job_plan.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <set>

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

class JobPlanTest : public testing::Test {
 protected:
  // A track whose create request has just left.
  ShardTrack Sent() {
    ShardTrack track;
    track.shard = 7;
    plan_.OnStaged(track, {.name = "files/" + plan_.FileId(track), .sha256 = {}}, now_);
    plan_.OnIntent(track);
    return track;
  }

  JobPlan plan_{TestPolicy()};
  MonotonicTime now_{seconds(1000)};
};

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
  EXPECT_EQ(plan_.OnLook(track, {newer, foreign, older}, now_, now_),
            std::vector<std::string>{"batches/b"});
  EXPECT_EQ(track.state, ShardState::kSubmitted);
  EXPECT_EQ(track.job, "batches/a");
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
      {JobState::kSucceeded, 0, false, ShardState::kSealed},  // no results at all
  };
  for (const EndCase& end : cases) {
    ShardTrack track = Sent();
    (void)plan_.OnCreateAnswer(track,
                               {.outcome = CreateOutcome::kCreated,
                                .job = JobNamed("batches/a", "", JobState::kPending),
                                .error = {}},
                               now_);
    BatchJob job = JobNamed("batches/a", plan_.DisplayName(track), end.state);
    job.result_file = end.results ? "files/batch-a" : "";
    if (end.code != 0) {
      job.error = JobError{.code = end.code, .message = "m"};
    }
    EXPECT_FALSE(plan_.OnPoll(track, job, now_).has_value());
    EXPECT_EQ(track.state, end.expected) << job.raw_state << " " << end.code;
    EXPECT_EQ(track.given_up.has_value(), end.expected == ShardState::kEnded && !end.results);
  }
}

TEST_F(JobPlanTest, GivesUpAfterTheAttemptLimit) {
  ShardTrack track = Sent();
  for (int job_number = 1; job_number <= 3; ++job_number) {
    (void)plan_.OnCreateAnswer(track,
                               {.outcome = CreateOutcome::kCreated,
                                .job = JobNamed("batches/a", "", JobState::kPending),
                                .error = {}},
                               now_);
    (void)plan_.OnPoll(track, JobNamed("batches/a", "", JobState::kExpired), now_);
    if (job_number < 3) {
      ASSERT_EQ(track.state, ShardState::kSealed);
      plan_.OnStaged(track, {.name = "files/x", .sha256 = {}}, now_);
      plan_.OnIntent(track);
    }
  }
  EXPECT_EQ(track.state, ShardState::kEnded);
  ASSERT_TRUE(track.given_up.has_value());
}

TEST_F(JobPlanTest, KeepsPollingThroughFailuresAndUnknownStates) {
  ShardTrack track = Sent();
  (void)plan_.OnCreateAnswer(track,
                             {.outcome = CreateOutcome::kCreated,
                              .job = JobNamed("batches/a", "", JobState::kPending),
                              .error = {}},
                             now_);
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
  (void)plan_.OnCreateAnswer(track,
                             {.outcome = CreateOutcome::kCreated,
                              .job = JobNamed("batches/a", "", JobState::kPending),
                              .error = {}},
                             now_);
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
  (void)plan_.OnCreateAnswer(track,
                             {.outcome = CreateOutcome::kCreated,
                              .job = JobNamed("batches/a", "", JobState::kPending),
                              .error = {}},
                             now_);
  milliseconds before{0};
  for (int i = 0; i < 20; ++i) {
    (void)plan_.OnPoll(track, JobNamed("batches/a", "", JobState::kRunning), now_);
    EXPECT_GE(track.pause, before);
    EXPECT_LE(track.pause, milliseconds(300'000));
    before = track.pause;
  }
  EXPECT_EQ(before, milliseconds(300'000));
}

// A service whose create answers get lost, whose effects may come late and whose listing lags, and
// a process that is killed at any moment: whatever happens, no shard has two jobs.
class SimulatedService {
 public:
  explicit SimulatedService(std::mt19937_64& random) : random_(random) {}

  void Upload(const std::string& file) { files_.insert(file); }
  void Delete(const std::string& file) { files_.erase(file); }

  CreateAnswer Create(const std::string& file, const std::string& display_name, MonotonicTime now) {
    const auto fate = random_() % 10;
    if (fate < 3) {
      return Lost();  // never arrived
    }
    const MonotonicTime effect = fate < 6 ? now + seconds(random_() % 60) : now;
    pending_.push_back({file, display_name, effect});
    Advance(now);
    if (fate < 8) {
      return Lost();  // arrives, or will, but nobody hears of it
    }
    return {.outcome = CreateOutcome::kCreated,
            .job = JobNamed(jobs_.back().name, display_name, JobState::kPending),
            .error = {}};
  }

  // Jobs appear in the list up to 90 seconds after they were made.
  std::vector<BatchJob> List(MonotonicTime now) {
    Advance(now);
    std::vector<BatchJob> visible;
    for (const Job& job : jobs_) {
      if (job.visible <= now) {
        visible.push_back(JobNamed(job.name, job.display_name, JobState::kPending));
      }
    }
    return visible;
  }

  [[nodiscard]] std::map<std::string, int> JobsByShard() const {
    std::map<std::string, int> counts;
    for (const Job& job : jobs_) {
      ++counts[job.display_name.substr(0, job.display_name.rfind('/'))];
    }
    return counts;
  }

 private:
  struct Request {
    std::string file, display_name;
    MonotonicTime effect;
  };
  struct Job {
    std::string name, display_name;
    MonotonicTime visible;
  };

  // Requests that arrive make a job only while their file exists.
  void Advance(MonotonicTime now) {
    std::erase_if(pending_, [&](const Request& request) {
      if (request.effect > now) {
        return false;
      }
      if (files_.contains(request.file)) {
        jobs_.push_back({"batches/" + std::to_string(jobs_.size()), request.display_name,
                         request.effect + seconds(random_() % 90)});
      }
      return true;
    });
  }

  std::mt19937_64& random_;
  std::set<std::string> files_;
  std::vector<Request> pending_;
  std::vector<Job> jobs_;
};

TEST(JobPlanSimulation, NeverMakesTwoJobsForOneShard) {
  constexpr uint64_t kSeeds = 2'000;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    std::mt19937_64 random(seed);
    SimulatedService service(random);
    const JobPlan plan(TestPolicy());
    std::vector<ShardTrack> tracks(3);
    for (uint32_t i = 0; i < tracks.size(); ++i) {
      tracks[i].shard = i;
    }
    MonotonicTime now{seconds(1000)};
    const auto done = [](const ShardTrack& track) { return track.state == ShardState::kSubmitted; };
    for (int step = 0; step < 20'000 && !std::ranges::all_of(tracks, done); ++step) {
      now += milliseconds(random() % 4'000);
      ShardTrack& track = tracks[random() % tracks.size()];
      if (random() % 200 == 0) {
        plan.Resume(track, now);  // killed and started again
      }
      if (track.due > now || done(track)) {
        continue;
      }
      switch (plan.Next(track)) {
        case Action::kStage:
          service.Upload(plan.FileId(track));
          plan.OnStaged(track, {.name = plan.FileId(track), .sha256 = {}}, now);
          break;
        case Action::kCreate: {
          plan.OnIntent(track);
          const CreateAnswer answer =
              service.Create(track.staged_file, plan.DisplayName(track), now);
          if (random() % 10 == 0) {
            plan.Resume(track, now);  // killed between the answer and the note of it
          } else {
            ASSERT_FALSE(plan.OnCreateAnswer(track, answer, now).has_value());
          }
          break;
        }
        case Action::kLook: {
          const MonotonicTime started = now;
          const auto jobs = service.List(now);
          now += milliseconds(random() % 2'000);
          if (random() % 5 == 0) {
            (void)plan.OnFailed(track, {.code = ErrorCode::kUnavailable, .message = "x"}, now);
          } else {
            (void)plan.OnLook(track, jobs, started, now);
          }
          break;
        }
        case Action::kFence:
          service.Delete(track.staged_file);
          ASSERT_FALSE(plan.OnFenced(track, {}, now).has_value());
          break;
        default:
          FAIL() << "seed " << seed;
      }
    }
    ASSERT_TRUE(std::ranges::all_of(tracks, done)) << "seed " << seed << " did not end";
    (void)service.List(now + seconds(3600));
    for (const auto& [shard, count] : service.JobsByShard()) {
      ASSERT_EQ(count, 1) << "seed " << seed << " bought " << shard << " twice";
    }
  }
}

}  // namespace
}  // namespace sluice
