#include "tools/emulator/jobs.h"

#include <future>
#include <thread>

#include "tests/tools/emulator/local_api.h"

namespace sluice {
namespace {

struct JobsUnderTest {
  explicit JobsUnderTest(std::chrono::milliseconds latency = std::chrono::milliseconds(0))
      : jobs(Jobs::Open(*files, folder.path(), clock,
                        {.latency_min = latency, .latency_max = latency})
                 .value()) {}

  std::string Create(int64_t priority = 0) {
    Job job;
    job.model = "sluice-lexical-1";
    job.request_count = 3;
    job.priority = priority;
    return jobs->Create(job, "{}\n{}\n{}\n").value().id;
  }
  std::string TakeDue() { return jobs->TakeDue(stop.get_token())->id; }

  TempFolder folder;
  HandClock clock;
  std::unique_ptr<FileSystem> files = MakePosixFileSystem();
  std::unique_ptr<Jobs> jobs;
  std::stop_source stop;
};

TEST(Jobs, RunnerGetsTheHighestPriorityThenTheOldest) {
  JobsUnderTest test;
  const std::string first = test.Create();
  const std::string second = test.Create();
  const std::string urgent = test.Create(5);
  const std::string idle = test.Create(-1);
  EXPECT_EQ(test.TakeDue(), urgent);
  EXPECT_EQ(test.TakeDue(), first);
  EXPECT_EQ(test.TakeDue(), second);
  EXPECT_EQ(test.TakeDue(), idle);
}

TEST(Jobs, RunnerWaitsUntilAJobIsDue) {
  JobsUnderTest test(std::chrono::seconds(10));
  auto taken = std::async(std::launch::async, [&] { return test.TakeDue(); });
  const std::string id = test.Create();
  test.clock.Advance(std::chrono::seconds(9));
  EXPECT_EQ(test.jobs->Find(id)->state, EmulatedState::kPending);
  test.clock.Advance(std::chrono::seconds(1));
  EXPECT_EQ(taken.get(), id);
  EXPECT_EQ(test.jobs->Find(id)->state, EmulatedState::kRunning);
}

TEST(Jobs, StopEndsTheWaitOfARunner) {
  JobsUnderTest test;
  auto taken =
      std::async(std::launch::async, [&] { return test.jobs->TakeDue(test.stop.get_token()); });
  test.stop.request_stop();
  EXPECT_FALSE(taken.get().has_value());
}

TEST(Jobs, CancelOfARunningJobServesNoMore) {
  JobsUnderTest test;
  const std::string id = test.Create();
  (void)test.TakeDue();
  EXPECT_EQ(test.jobs->NoteProgress(id, 1, 0), JobOrder::kGoOn);
  EXPECT_TRUE(test.jobs->Cancel(id, false).value());
  EXPECT_EQ(test.jobs->NoteProgress(id, 1, 0), JobOrder::kServeNoMore);
  EXPECT_EQ(test.jobs->Find(id)->state, EmulatedState::kRunning);
}

TEST(Jobs, DeleteOfARunningJobGivesItUp) {
  JobsUnderTest test;
  const std::string id = test.Create();
  Job job = *test.jobs->TakeDue(test.stop.get_token());
  EXPECT_TRUE(test.jobs->Remove(id).value().has_value());
  EXPECT_EQ(test.jobs->NoteProgress(id, 1, 0), JobOrder::kGiveUp);
  job.state = EmulatedState::kSucceeded;
  EXPECT_TRUE(test.jobs->End(job).has_value());
  EXPECT_FALSE(test.jobs->Find(id).has_value());
  EXPECT_TRUE(test.files->List(test.folder.path()).value().empty());
}

TEST(Jobs, AnExpiredJobStaysExpiredWhateverItsRunnerSays) {
  JobsUnderTest test;
  const std::string id = test.Create();
  Job job = *test.jobs->TakeDue(test.stop.get_token());
  test.clock.Advance(std::chrono::hours(48));
  EXPECT_EQ(test.jobs->Find(id)->state, EmulatedState::kExpired);
  EXPECT_EQ(test.jobs->NoteProgress(id, 3, 0), JobOrder::kGiveUp);
  job.state = EmulatedState::kSucceeded;
  EXPECT_TRUE(test.jobs->End(job).has_value());
  EXPECT_EQ(test.jobs->Find(id)->state, EmulatedState::kExpired);
}

TEST(Jobs, CreationTimesNeverRepeat) {
  JobsUnderTest test;
  const std::string first = test.Create();
  const std::string second = test.Create();
  EXPECT_LT(test.jobs->Find(first)->create_ns, test.jobs->Find(second)->create_ns);
}

TEST(Jobs, ADocumentThatIsNoneIsNamed) {
  JobsUnderTest test;
  (void)test.folder.Write("x.json", "torn");
  const auto opened = Jobs::Open(*test.files, test.folder.path(), test.clock, {});
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().message.find("x.json"), std::string::npos);
}

}  // namespace
}  // namespace sluice
