#include <future>
#include <gtest/gtest.h>

#include "api/batches/batches_client.h"
#include "tests/support/local_client.h"
#include "tests/support/service_under_test.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

Play State(const std::string& state) {
  return JsonPlay(200, R"({"name":"batches/abc","metadata":{"state":")" + state + R"("}})");
}

const Play kBusy = JsonPlay(503, "busy");
const Play kCut{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
                .end = Play::End::kClose};

struct Waiting : ServiceUnderTest {
  using ServiceUnderTest::ServiceUnderTest;

  Result<BatchJob> Wait(WaitOptions options = {}, std::stop_token stop = {}) {
    options.progress = [this](const BatchJob& job) { seen.push_back(job.raw_state); };
    return batches.Wait("batches/abc", options, stop);
  }

  Batches batches{*service};
  std::vector<std::string> seen;
};

TEST(BatchesWait, EndsRightAndShowsEveryStateThoughMostPollsFail) {
  Waiting test({kBusy, State("BATCH_STATE_PENDING"), kBusy, kCut, State("BATCH_STATE_RUNNING"),
                kBusy, JsonPlay(200, "no json"), kBusy, kBusy, State("BATCH_STATE_NEW_WORD"), kBusy,
                kBusy, State("BATCH_STATE_SUCCEEDED")});
  const auto job = test.Wait();
  ASSERT_TRUE(job.has_value()) << job.error().message;
  EXPECT_TRUE(job->succeeded());
  EXPECT_EQ(test.seen, (std::vector<std::string>{"BATCH_STATE_PENDING", "BATCH_STATE_RUNNING",
                                                 "BATCH_STATE_NEW_WORD", "BATCH_STATE_SUCCEEDED"}));
}

// The job stands still half done and goes on only when that was seen, so the callback cannot miss a
// state by luck, and half of the answers are always there. A cancel that fails ten times in a row
// (one in 165 does) is sent again at the next poll; one that never gets there fails the wait below.
TEST(BatchesWait, ShowsEveryStateAtAServiceThatFailsSixtyPerCentOfAllCalls) {
  LocalClient local({"http-503=0.6", "stuck-running"}, milliseconds(500));
  auto created = local.batches().CreateEmbeddings(
      {.model = "gemini-embedding-001", .inline_requests = LocalClient::Requests(4)});
  while (created.outcome != CreateOutcome::kCreated) {
    created = local.batches().CreateEmbeddings(
        {.model = "gemini-embedding-001", .inline_requests = LocalClient::Requests(4)});
  }
  std::vector<JobState> seen;
  const auto take = [&](const BatchJob& polled) {
    if (seen.empty() || seen.back() != polled.state) {
      seen.push_back(polled.state);
    }
    if (polled.state == JobState::kRunning && polled.stats && polled.stats->success_count == 2) {
      static_cast<void>(local.batches().Cancel(polled.name));
    }
  };
  const auto job = local.batches().Wait(
      created.job.name,
      {.poll_interval = milliseconds(1), .timeout = seconds(60), .progress = take});
  ASSERT_TRUE(job.has_value()) << job.error().message;
  EXPECT_TRUE(job->succeeded());
  EXPECT_EQ(seen,
            (std::vector<JobState>{JobState::kPending, JobState::kRunning, JobState::kSucceeded}));
  EXPECT_EQ(job->stats->success_count, 2);
}

TEST(BatchesWait, DefaultsAreHalfAMinuteAndAnHour) {
  Waiting test(std::vector<Play>(200, State("BATCH_STATE_RUNNING")));
  EXPECT_EQ(test.Wait().error().code, ErrorCode::kUnfinished);
  EXPECT_EQ(test.seen.size(), 121U);
}

TEST(BatchesWait, PausesForTheIntervalAfterAnAnswer) {
  Waiting test(
      {State("BATCH_STATE_PENDING"), State("BATCH_STATE_RUNNING"), State("BATCH_STATE_FAILED")});
  EXPECT_TRUE(test.Wait().value().failed());
  EXPECT_EQ(test.clock.sleeps(), (std::vector<milliseconds>(2, seconds(30))));
}

TEST(BatchesWait, EveryEndIsAnEnd) {
  for (const char* state : {"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED", "PARTIALLY_SUCCEEDED"}) {
    Waiting test({State(std::string("JOB_STATE_") + state)});
    EXPECT_TRUE(test.Wait().has_value()) << state;
  }
}

TEST(BatchesWait, GivesUpAfterTheTimeoutAndSaysWhatItSawLast) {
  Waiting test(std::vector<Play>(10, State("BATCH_STATE_RUNNING")));
  const auto job = test.Wait({.timeout = minutes(2)});
  EXPECT_EQ(job.error().code, ErrorCode::kUnfinished);
  EXPECT_NE(job.error().message.find("BATCH_STATE_RUNNING"), std::string::npos);
  EXPECT_EQ(test.seen.size(), 5U);  // At 0, 30, 60, 90 and 120 seconds.
  Waiting never(std::vector<Play>(1000, kBusy));
  EXPECT_EQ(never.Wait({.timeout = minutes(2)}).error().code, ErrorCode::kUnfinished);
}

TEST(BatchesWait, WhatDoesNotPassEndsIt) {
  Waiting gone({JsonPlay(404, R"({"error":{"code":404,"message":"x","status":"NOT_FOUND"}})")});
  EXPECT_EQ(gone.Wait().error().code, ErrorCode::kNotFound);
  Waiting denied({JsonPlay(401, R"({"error":{"code":401,"message":"x"}})")});
  EXPECT_EQ(denied.Wait().error().code, ErrorCode::kAuth);
  EXPECT_EQ(denied.server.requests().size(), 1U);
}

// The system's clock, which tells when somebody goes to sleep.
class TellingClock final : public Clock {
 public:
  MonotonicTime Now() const override { return system_.Now(); }
  WallTime WallNow() const override { return system_.WallNow(); }
  bool SleepUntil(MonotonicTime deadline, std::stop_token stop) override {
    asleep.set_value();
    return system_.SleepUntil(deadline, std::move(stop));
  }

  std::promise<void> asleep;

 private:
  SystemClock system_;
};

TEST(BatchesWait, StopsWithinASecondInAPause) {
  ScriptedServer server({State("BATCH_STATE_PENDING")});
  TellingClock clock;
  const auto transport = MakeCurlTransport({});
  const auto service = GoogleService::Make({.base_url = server.url()}, *transport, clock).value();
  std::stop_source source;
  auto ended = std::async(std::launch::async, [&] {
    return Batches(*service).Wait("batches/abc", {}, source.get_token());
  });
  clock.asleep.get_future().wait();
  const auto asked = std::chrono::steady_clock::now();
  source.request_stop();
  EXPECT_EQ(ended.get().error().code, ErrorCode::kUnfinished);
  EXPECT_LT(std::chrono::steady_clock::now() - asked, seconds(1));
}

TEST(BatchesWait, StopsWithinASecondAmidPollsThatFail) {
  ScriptedServer server(std::vector<Play>(1000, kBusy));
  SystemClock clock;
  const auto transport = MakeCurlTransport({});
  const auto service =
      GoogleService::Make({.base_url = server.url(), .retry = {.first_wait = milliseconds(20)}},
                          *transport, clock)
          .value();
  std::stop_source source;
  auto ended = std::async(std::launch::async, [&] {
    return Batches(*service).Wait("batches/abc", {}, source.get_token());
  });
  server.AwaitRequests(3);
  const auto asked = std::chrono::steady_clock::now();
  source.request_stop();
  EXPECT_EQ(ended.get().error().code, ErrorCode::kUnfinished);
  EXPECT_LT(std::chrono::steady_clock::now() - asked, seconds(1));
}

TEST(BatchesWait, StopsWithinASecondInAPoll) {
  Waiting test({{.answer = {}, .end = Play::End::kHang}});
  std::stop_source source;
  auto ended = std::async(std::launch::async, [&] { return test.Wait({}, source.get_token()); });
  test.server.AwaitRequests(1);
  const auto asked = std::chrono::steady_clock::now();
  source.request_stop();
  EXPECT_EQ(ended.get().error().code, ErrorCode::kUnfinished);
  EXPECT_LT(std::chrono::steady_clock::now() - asked, seconds(1));
}

}  // namespace
}  // namespace sluice
