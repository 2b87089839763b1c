#include "api/batches/batch_job.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(BatchJob, StatesAreKnownByTheirSuffix) {
  for (const char* prefix : {"BATCH_STATE_", "JOB_STATE_", ""}) {
    for (const char* word : {"QUEUED", "PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLING",
                             "CANCELLED", "PAUSED", "EXPIRED", "PARTIALLY_SUCCEEDED"}) {
      const JobState state = ParseJobState(std::string(prefix) + word);
      EXPECT_NE(state, JobState::kUnspecified) << prefix << word;
      EXPECT_EQ(JobStateName(state), word);
    }
  }
  for (const char* word : {"", "BATCH_STATE_", "BATCH_STATE_DREAMING", "running",
                           "JOB_STATE_BATCH_STATE_RUNNING", "BATCH_STATE_UNSPECIFIED"}) {
    EXPECT_EQ(ParseJobState(word), JobState::kUnspecified) << word;
  }
}

TEST(BatchJob, HelpersFollowTheState) {
  struct Case {
    JobState state;
    bool complete, running;
  };
  for (const Case& c :
       {Case{JobState::kUnspecified, false, false}, Case{JobState::kQueued, false, true},
        Case{JobState::kPending, false, true}, Case{JobState::kRunning, false, true},
        Case{JobState::kSucceeded, true, false}, Case{JobState::kFailed, true, false},
        Case{JobState::kCancelling, false, false}, Case{JobState::kCancelled, true, false},
        Case{JobState::kPaused, false, false}, Case{JobState::kExpired, true, false},
        Case{JobState::kPartiallySucceeded, true, false}}) {
    BatchJob job;
    job.state = c.state;
    EXPECT_EQ(job.complete(), c.complete) << JobStateName(c.state);
    EXPECT_EQ(job.running(), c.running) << JobStateName(c.state);
    EXPECT_EQ(job.succeeded(), c.state == JobState::kSucceeded);
    EXPECT_EQ(job.failed(), c.state == JobState::kFailed);
    EXPECT_EQ(job.cancelled(), c.state == JobState::kCancelled);
  }
}

TEST(BatchJob, ProgressIsAnsweredRequestsInPerCent) {
  BatchJob job;
  EXPECT_EQ(job.progress(), std::nullopt);
  job.stats = JobStats{};
  EXPECT_EQ(job.progress(), std::nullopt);
  job.stats = JobStats{.total_count = 8, .success_count = 1, .failure_count = 1};
  EXPECT_EQ(job.progress(), 25.0);
}

TEST(BatchJob, IdIsTheNameWithoutItsKind) {
  BatchJob job;
  EXPECT_EQ(job.id(), "");
  job.name = "batches/abc";
  EXPECT_EQ(job.id(), "abc");
  job.name = "abc";
  EXPECT_EQ(job.id(), "abc");
}

}  // namespace
}  // namespace sluice
