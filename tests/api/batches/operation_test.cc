#include "api/batches/operation.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Operation, ReadsAJobThatWasJustCreated) {
  const BatchJob job = ParseOperation(R"({
    "name": "batches/31u18uq6dr4ods3957z38i1mbfa581k01xcq",
    "metadata": {
      "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
      "model": "models/gemini-2.5-flash",
      "displayName": "my job",
      "inputConfig": {"fileName": "files/frh6ua11nk3o"},
      "createTime": "2026-08-19T14:34:12.267870162Z",
      "updateTime": "2026-08-19T14:34:12.267870163Z",
      "batchStats": {"requestCount": "2", "pendingRequestCount": "2"},
      "state": "BATCH_STATE_PENDING",
      "name": "batches/31u18uq6dr4ods3957z38i1mbfa581k01xcq"
    }
  })")
                           .value();
  EXPECT_EQ(job.name, "batches/31u18uq6dr4ods3957z38i1mbfa581k01xcq");
  EXPECT_EQ(job.display_name, "my job");
  EXPECT_EQ(job.model, "models/gemini-2.5-flash");
  EXPECT_EQ(job.state, JobState::kPending);
  EXPECT_EQ(job.raw_state, "BATCH_STATE_PENDING");
  EXPECT_EQ(job.source_file, "files/frh6ua11nk3o");
  EXPECT_EQ(job.create_time, "2026-08-19T14:34:12.267870162Z");
  EXPECT_EQ(job.update_time, "2026-08-19T14:34:12.267870163Z");
  EXPECT_EQ(job.stats->total_count, 2);
  EXPECT_EQ(job.stats->pending_count, 2);
  EXPECT_EQ(job.stats->success_count, 0);
  EXPECT_FALSE(job.done);
  EXPECT_FALSE(job.error);
  EXPECT_EQ(job.result_file, "");
}

TEST(Operation, ReadsTimesAndCountsOfAJobThatHasEnded) {
  const BatchJob job = ParseOperation(R"({
    "name": "batches/a",
    "metadata": {
      "createTime": "2026-01-06T11:09:11Z",
      "startTime": "2026-01-06T11:09:20Z",
      "endTime": "2026-01-06T11:10:19Z",
      "updateTime": "2026-01-06T11:10:20Z",
      "batchStats": {"requestCount": "7", "successfulRequestCount": "5", "failedRequestCount": "2"},
      "state": "BATCH_STATE_SUCCEEDED"
    },
    "done": true
  })")
                           .value();
  EXPECT_EQ(job.create_time, "2026-01-06T11:09:11Z");
  EXPECT_EQ(job.start_time, "2026-01-06T11:09:20Z");
  EXPECT_EQ(job.end_time, "2026-01-06T11:10:19Z");
  EXPECT_EQ(job.update_time, "2026-01-06T11:10:20Z");
  EXPECT_EQ(job.stats->total_count, 7);
  EXPECT_EQ(job.stats->success_count, 5);
  EXPECT_EQ(job.stats->failure_count, 2);
  EXPECT_EQ(job.stats->pending_count, 0);
}

TEST(Operation, FindsTheResultFileWhereverItStands) {
  for (
      const char* json :
      {R"({"name":"batches/a","metadata":{"output":{"responsesFile":"files/batch-a"}}})",
       R"({"name":"batches/a","response":{"responsesFile":"files/batch-a"}})",
       R"({"name":"batches/a","response":{"output":{"responsesFile":"files/batch-a"}}})",
       R"({"name":"batches/a","metadata":{"output":{}},"response":{"responses_file":"files/batch-a"}})"}) {
    EXPECT_EQ(ParseOperation(json).value().result_file, "files/batch-a") << json;
  }
}

TEST(Operation, FindsInlineResponsesOnOneLevelAndOnTwo) {
  for (
      const char* json :
      {R"({"name":"batches/a","response":{"inlinedResponses":{"inlinedResponses":[{"x":1}]}}})",
       R"({"name":"batches/a","response":{"inlinedResponses":[{"x":1}]}})",
       R"({"name":"batches/a","metadata":{"output":{"inlined_responses":{"inlined_responses":[{"x":1}]}}}})",
       R"({"name":"batches/a","response":{"inlinedEmbedContentResponses":{"inlinedEmbedContentResponses":[{"x":1}]}}})"}) {
    EXPECT_EQ(ParseOperation(json).value().inline_responses, R"([{"x":1}])") << json;
  }
}

TEST(Operation, TheStateMayStandAtTheTopOrNowhere) {
  const auto state = [](const std::string& rest) {
    return ParseOperation(R"({"name":"batches/a")" + rest + "}").value().state;
  };
  EXPECT_EQ(state(R"(,"state":"JOB_STATE_RUNNING")"), JobState::kRunning);
  EXPECT_EQ(state(R"(,"metadata":{"state":"BATCH_STATE_RUNNING"},"state":"x")"),
            JobState::kRunning);
  EXPECT_EQ(state(""), JobState::kUnspecified);
  EXPECT_EQ(state(R"(,"done":true)"), JobState::kSucceeded);
  EXPECT_EQ(state(R"(,"done":true,"error":{"code":8})"), JobState::kFailed);
  EXPECT_EQ(state(R"(,"done":false,"error":{"code":8})"), JobState::kUnspecified);
  EXPECT_EQ(state(R"(,"metadata":{"state":"BATCH_STATE_DREAMING"})"), JobState::kUnspecified);
  EXPECT_EQ(state(R"(,"metadata":{"state":"BATCH_STATE_DREAMING"},"done":true)"),
            JobState::kSucceeded);
  EXPECT_EQ(
      state(R"(,"metadata":{"state":"BATCH_STATE_CANCELLED"},"done":true,"error":{"code":13})"),
      JobState::kCancelled);
}

TEST(Operation, KeepsAnUnknownStateAndToleratesWrongTypes) {
  const BatchJob job = ParseOperation(R"({"name":"batches/a","done":"yes","error":[],"response":7,
    "metadata":{"state":"BATCH_STATE_DREAMING","displayName":5,"batchStats":{"requestCount":3,
    "successfulRequestCount":"x","failedRequestCount":null},"inputConfig":"none","output":[1]}})")
                           .value();
  EXPECT_EQ(job.raw_state, "BATCH_STATE_DREAMING");
  EXPECT_FALSE(job.complete());
  EXPECT_EQ(job.stats->total_count, 3);
  EXPECT_EQ(job.stats->success_count, 0);
  EXPECT_FALSE(job.done);
  EXPECT_EQ(job.display_name, "");
}

TEST(Operation, ReadsItsError) {
  const BatchJob job =
      ParseOperation(R"({"name":"batches/a","error":{"code":13,"message":"Batch was cancelled."}})")
          .value();
  EXPECT_EQ(job.error->code, 13);
  EXPECT_EQ(job.error->message, "Batch was cancelled.");
}

TEST(Operation, RefusesNamesThatCouldLeadElsewhere) {
  for (const std::string& name :
       {std::string(), std::string("batches/"), std::string("batches/../files/x"),
        std::string("files/a"), std::string("batches/a b"), std::string("batches/a?x=y"),
        std::string("batches/a\\n"), std::string("batches/a/b"), std::string("xbatches/a"),
        "batches/" + std::string(129, 'a')}) {
    EXPECT_EQ(ParseOperation(R"({"name":")" + name + R"("})").error().code, ErrorCode::kBadAnswer)
        << name;
  }
  EXPECT_TRUE(ParseOperation(R"({"name":"batches/)" + std::string(128, 'a') + R"("})"));
  EXPECT_EQ(
      ParseOperation(R"({"name":"batches/a","response":{"responsesFile":"../x"}})").error().code,
      ErrorCode::kBadAnswer);
}

TEST(Operation, RefusesWhatIsNoOperation) {
  for (const char* json :
       {"", "null", "[]", "{}", "<html>", R"({"name":"batches/a")", "\"x\"",
        R"({"error":{"code":503,"message":"x"}})", R"({"name":["batches/a"]})"}) {
    EXPECT_EQ(ParseOperation(json).error().code, ErrorCode::kBadAnswer) << json;
  }
}

TEST(OperationPage, ReadsJobsAndToken) {
  const JobPage page = ParseOperationPage(R"({"operations":[{"name":"batches/a","metadata":
      {"displayName":"sluice/1"}},{"name":"batches/b","response":{"responsesFile":"bad name"}}],
      "nextPageToken":"t="})")
                           .value();
  ASSERT_EQ(page.jobs.size(), 2U);
  EXPECT_EQ(page.jobs[0].display_name, "sluice/1");
  EXPECT_EQ(page.jobs[1].result_file, "");
  EXPECT_EQ(page.next_page_token, "t=");
}

TEST(OperationPage, AnEmptyProjectIsAnEmptyObject) {
  EXPECT_TRUE(ParseOperationPage("{}").value().jobs.empty());
  EXPECT_EQ(ParseOperationPage(R"({"nextPageToken":"x"})").value().next_page_token, "x");
}

TEST(OperationPage, WhatCannotBeReadIsNoListing) {
  for (const char* json :
       {"", "[]", "null", R"({"operations":{}})", R"({"operations":[1]})", R"({"operations":[{}]})",
        R"({"operations":[{"name":"batches/a"},{"name":"x"}]})", R"({"error":{"code":500}})",
        R"({"operations":[{"name":"batches/a"}])", R"({"operations":[],"nextPageToken":[5]})",
        R"({"operations":[],"unreachable":["locations/x"]})"}) {
    EXPECT_EQ(ParseOperationPage(json).error().code, ErrorCode::kBadAnswer) << json;
  }
}

}  // namespace
}  // namespace sluice
