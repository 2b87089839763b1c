#include "api/batches/batches_client.h"

#include <future>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "io/json/json_document.h"
#include "tests/support/service_under_test.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

const CreateJobRequest kCreate{.task = Task::kEmbed,
                               .model = "gemini-embedding-001",
                               .staged_file = "files/sl-1-2-3",
                               .display_name = "sluice/1/2/3"};

constexpr const char* kPending =
    R"({"name":"batches/abc","metadata":{"displayName":"sluice/1/2/3","state":"BATCH_STATE_PENDING"}})";
constexpr const char* kRefusal =
    R"({"error":{"code":400,"message":"no","status":"INVALID_ARGUMENT"}})";

struct BatchesUnderTest : ServiceUnderTest {
  using ServiceUnderTest::ServiceUnderTest;
  Batches batches{*service};
};

TEST(BatchesCreate, SendsAnEmbeddingJobFromAFileAsTheProtocolPageShows) {
  BatchesUnderTest test({JsonPlay(200, kPending)});
  const CreateAnswer answer = test.batches.Create(kCreate, {});
  EXPECT_EQ(answer.outcome, CreateOutcome::kCreated);
  EXPECT_EQ(answer.job.name, "batches/abc");
  const ReceivedRequest sent = test.server.requests().at(0);
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.target, "/v1beta/models/gemini-embedding-001:asyncBatchEmbedContent");
  EXPECT_EQ(sent.Header("x-goog-api-key"), kTestKey);
  EXPECT_EQ(sent.Header("content-type"), "application/json");
  EXPECT_EQ(ParseJson(sent.body), ParseJson(R"(
      {"batch":{"inputConfig":{"file_name":"files/sl-1-2-3"},"displayName":"sluice/1/2/3"}})"));
}

TEST(BatchesCreate, SendsAGenerationJobFromAFileAsTheProtocolPageShows) {
  BatchesUnderTest test({JsonPlay(200, kPending)});
  CreateJobRequest request = kCreate;
  request.task = Task::kGenerate;
  request.model = "gemini-2.5-flash";
  EXPECT_EQ(test.batches.Create(request, {}).outcome, CreateOutcome::kCreated);
  const ReceivedRequest sent = test.server.requests().at(0);
  EXPECT_EQ(sent.target, "/v1beta/models/gemini-2.5-flash:batchGenerateContent");
  EXPECT_EQ(ParseJson(sent.body), ParseJson(R"(
      {"batch":{"inputConfig":{"fileName":"files/sl-1-2-3"},"displayName":"sluice/1/2/3"}})"));
}

TEST(BatchesCreate, SendsInlineRequestsWithTheirKeys) {
  BatchesUnderTest test({JsonPlay(200, kPending)});
  CreateJobRequest request = kCreate;
  request.staged_file.clear();
  request.inline_requests = {{.key = "k1", .request = R"({"content":{"parts":[{"text":"a"}]}})"},
                             {.key = "k2", .request = R"({"content":{"parts":[{"text":"b"}]}})"}};
  EXPECT_EQ(test.batches.Create(request, {}).outcome, CreateOutcome::kCreated);
  EXPECT_EQ(ParseJson(test.server.requests().at(0).body), ParseJson(R"(
      {"batch":{"displayName":"sluice/1/2/3","inputConfig":{"requests":{"requests":[
        {"request":{"content":{"parts":[{"text":"a"}]}},"metadata":{"key":"k1"}},
        {"request":{"content":{"parts":[{"text":"b"}]}},"metadata":{"key":"k2"}}]}}}})"));
}

TEST(BatchesCreate, PutsWhatIsForAllIntoEachGenerationRequest) {
  BatchesUnderTest test({JsonPlay(200, R"({"name":"batches/abc"})")});
  const CreateJobRequest request{
      .task = Task::kGenerate,
      .model = "gemini-2.5-flash",
      .inline_requests = {{.key = "k1", .request = R"({"contents":[]})"},
                          {.key = "k2",
                           .request = R"({"contents":[],"generation_config":{"temperature":1},
                                          "systemInstruction":{"parts":[{"text":"own"}]}})"}},
      .generation_config = R"({"temperature":0.5,"maxOutputTokens":10})",
      .system_instruction = "be brief"};
  EXPECT_EQ(test.batches.Create(request).outcome, CreateOutcome::kCreated);
  EXPECT_EQ(ParseJson(test.server.requests().at(0).body), ParseJson(R"(
      {"batch":{"inputConfig":{"requests":{"requests":[
        {"request":{"contents":[],"generationConfig":{"temperature":0.5,"maxOutputTokens":10},
                    "systemInstruction":{"parts":[{"text":"be brief"}]}},"metadata":{"key":"k1"}},
        {"request":{"contents":[],"generation_config":{"temperature":1,"maxOutputTokens":10},
                    "systemInstruction":{"parts":[{"text":"own"}]}},"metadata":{"key":"k2"}}]}}}})"));
}

TEST(BatchesCreate, PutsWhatIsForAllIntoEachEmbeddingRequest) {
  BatchesUnderTest test({JsonPlay(200, kPending)});
  const CreateJobRequest request{
      .task = Task::kGenerate,  // CreateEmbeddings() knows better.
      .model = "gemini-embedding-001",
      .inline_requests = {{.key = "k1", .request = R"({"content":{}})"},
                          {.key = "k2", .request = R"({"content":{},"outputDimensionality":8})"}},
      .display_name = "sluice/1/2/3",
      .generation_config = R"({"outputDimensionality":256,"taskType":"CLUSTERING"})"};
  EXPECT_EQ(test.batches.CreateEmbeddings(request).result().value().name, "batches/abc");
  const ReceivedRequest sent = test.server.requests().at(0);
  EXPECT_EQ(sent.target, "/v1beta/models/gemini-embedding-001:asyncBatchEmbedContent");
  EXPECT_EQ(ParseJson(sent.body), ParseJson(R"(
      {"batch":{"displayName":"sluice/1/2/3","inputConfig":{"requests":{"requests":[
        {"request":{"content":{},"outputDimensionality":256,"taskType":"CLUSTERING"},
         "metadata":{"key":"k1"}},
        {"request":{"content":{},"outputDimensionality":8,"taskType":"CLUSTERING"},
         "metadata":{"key":"k2"}}]}}}})"));
}

TEST(BatchesCreate, EmbeddingsHaveAModelOfTheirOwn) {
  BatchesUnderTest test({JsonPlay(200, R"({"name":"batches/abc"})")});
  EXPECT_EQ(test.batches.CreateEmbeddings({.staged_file = "files/x"}).outcome,
            CreateOutcome::kCreated);
  EXPECT_EQ(test.server.requests().at(0).target,
            "/v1beta/models/gemini-embedding-001:asyncBatchEmbedContent");
  EXPECT_EQ(test.batches.Create({.staged_file = "files/x"}).result().error().code,
            ErrorCode::kUsage);
}

TEST(BatchesCreate, WhatTheServiceCannotDoIsAUsageErrorThatSaysSo) {
  struct Case {
    CreateJobRequest request;
    std::string word;
  };
  std::vector<Case> cases(6, {kCreate, ""});
  cases[0].request.generation_config = "{}";
  cases[0].word = "each request";
  cases[1].request.system_instruction = "be brief";
  cases[1].word = "each request";
  cases[2].request.gcs_uris = {"gs://bucket/x.jsonl"};
  cases[2].word = "goes with Vertex AI only";
  cases[3].request.bigquery_uri = "bq://p.d.t";
  cases[3].word = "goes with Vertex AI only";
  cases[4].request.staged_file.clear();
  cases[4].request.inline_requests = {{.key = "k", .request = "{}"}};
  cases[4].request.system_instruction = "be brief";
  cases[4].word = "no system instruction";
  cases[5].request = cases[4].request;
  cases[5].request.system_instruction.clear();
  cases[5].request.generation_config = "[]";
  cases[5].word = "not a JSON object";
  BatchesUnderTest test(std::vector<Play>{});
  for (const Case& wrong : cases) {
    const auto created = test.batches.Create(wrong.request).result();
    EXPECT_EQ(created.error().code, ErrorCode::kUsage);
    EXPECT_NE(created.error().message.find(wrong.word), std::string::npos)
        << created.error().message;
  }
  EXPECT_EQ(test.server.connection_count(), 0);
}

TEST(BatchesCreate, AnUnknownOutcomeAsksToLookFirst) {
  BatchesUnderTest test({JsonPlay(500, "")});
  const auto created = test.batches.Create(kCreate).result();
  EXPECT_NE(created.error().hint.find("may exist"), std::string::npos);
}

TEST(BatchesCreate, WhatCannotBeARequestIsRefusedBeforeItIsSent) {
  BatchesUnderTest test({JsonPlay(200, kPending)});
  std::vector<CreateJobRequest> wrong(5, kCreate);
  wrong[0].model = "../files";
  wrong[1].staged_file = "files/../x";
  wrong[2].staged_file.clear();
  wrong[3].inline_requests = {{.key = "k", .request = "{}"}};
  wrong[4].staged_file.clear();
  wrong[4].inline_requests = {{.key = "k", .request = "[1]"}};
  for (const CreateJobRequest& request : wrong) {
    const CreateAnswer answer = test.batches.Create(request, {});
    EXPECT_EQ(answer.outcome, CreateOutcome::kRefused);
    EXPECT_EQ(answer.error->code, ErrorCode::kUsage);
  }
  EXPECT_EQ(test.server.connection_count(), 0);
}

TEST(BatchesCreate, AnswersDecideTheOutcome) {
  struct Case {
    Play play;
    CreateOutcome outcome;
    ErrorCode code;
  };
  const std::string not_active =
      R"({"error":{"code":400,"message":"File is not ACTIVE","status":"FAILED_PRECONDITION"}})";
  const std::string no_right =
      R"({"error":{"code":403,"message":"no right","status":"PERMISSION_DENIED"}})";
  const std::string no_model = R"([{"error":{"code":404,"message":"x","status":"NOT_FOUND"}}])";
  const std::string quota = R"({"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED"}})";
  const std::string other_job =
      R"({"name":"batches/abc","metadata":{"displayName":"sluice/9/9/9"}})";
  const std::vector<Case> cases = {
      {JsonPlay(400, kRefusal), CreateOutcome::kRefused, ErrorCode::kRefused},
      {JsonPlay(400, not_active), CreateOutcome::kRefused, ErrorCode::kConflict},
      {JsonPlay(403, no_right), CreateOutcome::kRefused, ErrorCode::kAuth},
      {JsonPlay(404, no_model), CreateOutcome::kRefused, ErrorCode::kNotFound},
      // Refusals that are not in the service's own form may be a middlebox's.
      {JsonPlay(400, "<html>"), CreateOutcome::kUnknown, ErrorCode::kBadAnswer},
      {JsonPlay(403, ""), CreateOutcome::kUnknown, ErrorCode::kBadAnswer},
      {JsonPlay(404, "{}"), CreateOutcome::kUnknown, ErrorCode::kBadAnswer},
      {JsonPlay(200, R"({"name":"batches/abc","done":true,"response":{"inlinedResponses":)" +
                         std::string(400'000, '[') + std::string(400'000, ']') + "}}"),
       CreateOutcome::kUnknown, ErrorCode::kBadAnswer},
      {JsonPlay(409, kRefusal), CreateOutcome::kUnknown, ErrorCode::kConflict},
      {JsonPlay(408, kRefusal), CreateOutcome::kUnknown, ErrorCode::kUnavailable},
      {JsonPlay(429, quota), CreateOutcome::kUnknown, ErrorCode::kUnavailable},
      {JsonPlay(500, kRefusal), CreateOutcome::kUnknown, ErrorCode::kUnavailable},
      {JsonPlay(503, ""), CreateOutcome::kUnknown, ErrorCode::kUnavailable},
      {JsonPlay(307, ""), CreateOutcome::kUnknown, ErrorCode::kBadAnswer},
      {JsonPlay(200, "{}"), CreateOutcome::kUnknown, ErrorCode::kBadAnswer},
      {JsonPlay(200, R"({"name":"batches/ab)"), CreateOutcome::kUnknown, ErrorCode::kBadAnswer},
      {JsonPlay(200, R"({"name":"files/abc"})"), CreateOutcome::kUnknown, ErrorCode::kBadAnswer},
      {JsonPlay(200, other_job), CreateOutcome::kUnknown, ErrorCode::kBadAnswer},
      {{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", .end = Play::End::kClose},
       CreateOutcome::kUnknown,
       ErrorCode::kTransport},
      {{.answer = "HTTP/1.1 200 OK\r\n\r\n", .end = Play::End::kEndless},
       CreateOutcome::kUnknown,
       ErrorCode::kTransport},
      {{.answer = {}, .end = Play::End::kClose}, CreateOutcome::kUnknown, ErrorCode::kTransport},
      {{.answer = {}, .end = Play::End::kReset}, CreateOutcome::kUnknown, ErrorCode::kTransport}};
  for (size_t i = 0; i < cases.size(); ++i) {
    BatchesUnderTest test({cases[i].play, JsonPlay(200, kPending), JsonPlay(200, kPending)});
    const CreateAnswer answer = test.batches.Create(kCreate, {});
    EXPECT_EQ(answer.outcome, cases[i].outcome) << i;
    EXPECT_EQ(ErrorClass(answer.error->code), ErrorClass(cases[i].code)) << i;
    EXPECT_EQ(test.server.requests().size(), 1U) << i;
  }
}

TEST(BatchesCreate, NeverUsesAConnectionThatCarriedSomething) {
  BatchesUnderTest test({JsonPlay(200, kPending), {.answer = {}, .end = Play::End::kClose}});
  ASSERT_TRUE(test.batches.Get("batches/abc", {}).has_value());
  EXPECT_EQ(test.batches.Create(kCreate, {}).outcome, CreateOutcome::kUnknown);
  ASSERT_EQ(test.server.requests().size(), 2U);
  EXPECT_EQ(test.server.requests().at(1).connection, 2);
}

TEST(BatchesCreate, AHostThatCannotBeReachedWasSentNothing) {
  auto test = std::make_unique<BatchesUnderTest>(std::vector<Play>{});
  const std::string url = test->server.url();
  test.reset();  // The port is free again.
  ManualClock clock;
  const auto transport = MakeCurlTransport({});
  const auto service = GoogleService::Make({.base_url = url}, *transport, clock).value();
  EXPECT_EQ(Batches(*service).Create(kCreate, {}).outcome, CreateOutcome::kNotSent);
}

TEST(BatchesCreate, AStopBeforeItIsNotSentAndOneInTheMiddleIsUnknown) {
  std::stop_source source;
  BatchesUnderTest test({{.answer = {}, .end = Play::End::kHang}});
  auto answer = std::async(std::launch::async,
                           [&] { return test.batches.Create(kCreate, source.get_token()); });
  test.server.AwaitRequests(1);
  source.request_stop();
  EXPECT_EQ(answer.get().outcome, CreateOutcome::kUnknown);
  EXPECT_EQ(test.batches.Create(kCreate, source.get_token()).outcome, CreateOutcome::kNotSent);
  EXPECT_EQ(test.server.connection_count(), 1);
}

TEST(Batches, GetAsksForTheJobAndBelievesNoOther) {
  BatchesUnderTest test({JsonPlay(200, kPending)});
  EXPECT_EQ(test.batches.Get("batches/abc", {}).value().state, JobState::kPending);
  const ReceivedRequest sent = test.server.requests().at(0);
  EXPECT_EQ(sent.method, "GET");
  EXPECT_EQ(sent.target, "/v1beta/batches/abc");
  EXPECT_EQ(sent.Header("x-goog-api-key"), kTestKey);
  EXPECT_EQ(sent.body, "");

  BatchesUnderTest other(std::vector<Play>(5, JsonPlay(200, kPending)));
  const auto wrong = other.batches.Get("batches/xyz", {});
  EXPECT_EQ(wrong.error().code, ErrorCode::kBadAnswer);
  EXPECT_EQ(wrong.error().message, "GET batches/xyz: the answer is about batches/abc");
}

TEST(Batches, GetGivesUpOnWhatStaysBadAndSaysWhy) {
  for (const Play& play : {JsonPlay(200, "<html>sign in</html>"), JsonPlay(200, ""),
                           JsonPlay(200, R"({"error":{"code":500}})"), JsonPlay(503, "")}) {
    BatchesUnderTest test(std::vector<Play>(9, play));
    EXPECT_TRUE(IsTransient(test.batches.Get("batches/abc", {}).error().code));
    EXPECT_EQ(test.server.requests().size(), 5U);
  }
}

TEST(Batches, UnknownAndMalformedNames) {
  BatchesUnderTest test(
      {JsonPlay(404, R"({"error":{"code":404,"message":"x","status":"NOT_FOUND"}})")});
  EXPECT_EQ(test.batches.Get("batches/none", {}).error().code, ErrorCode::kNotFound);
  for (const char* name :
       {"", "files/abc", "batchPredictionJobs/1", "batches/../files/x", "batches/a?b"}) {
    EXPECT_EQ(test.batches.Get(name, {}).error().code, ErrorCode::kUsage);
    EXPECT_EQ(test.batches.Cancel(name, {}).error().code, ErrorCode::kUsage);
    EXPECT_EQ(test.batches.Delete(name, {}).error().code, ErrorCode::kUsage);
  }
  EXPECT_EQ(test.server.requests().size(), 1U);
}

TEST(Batches, ListSendsPageSizeAndAnEncodedToken) {
  BatchesUnderTest test({JsonPlay(200, R"({"operations":[{"name":"batches/a"}],
                                           "nextPageToken":"a=/+b"})"),
                         JsonPlay(200, R"({"nextPageToken":"c"})"), JsonPlay(200, "{}")});
  EXPECT_EQ(test.batches.List({}, {}).value().next_page_token, "a=/+b");
  EXPECT_EQ(test.batches.List({.page_token = "a=/+b"}, {}).value().next_page_token, "c");
  EXPECT_EQ(test.batches.List({.page_size = 7, .page_token = "c"}, {}).value().next_page_token, "");
  const auto sent = test.server.requests();
  EXPECT_EQ(sent.at(0).method, "GET");
  EXPECT_EQ(sent.at(0).target, "/v1beta/batches?pageSize=100");
  EXPECT_EQ(sent.at(1).target, "/v1beta/batches?pageSize=100&pageToken=a%3D%2F%2Bb");
  EXPECT_EQ(sent.at(2).target, "/v1beta/batches?pageSize=7&pageToken=c");
}

TEST(Batches, ListSendsAFilterOnlyWhenThereIsOne) {
  BatchesUnderTest test({JsonPlay(200, "{}")});
  EXPECT_FALSE(test.batches.List({.filter = "state=\"X\" AND a"}).value().has_more_pages());
  EXPECT_EQ(test.server.requests().at(0).target,
            "/v1beta/batches?pageSize=100&filter=state%3D%22X%22%20AND%20a");
}

TEST(Batches, ListAllFollowsThePagesWithTheOptionsOfTheFirst) {
  BatchesUnderTest test(
      {JsonPlay(200, R"({"operations":[{"name":"batches/a"}],"nextPageToken":"2"})"),
       JsonPlay(200, R"({"nextPageToken":"3"})"),
       JsonPlay(200, R"({"operations":[{"name":"batches/b"}]})")});
  auto jobs = test.batches.ListAll({.page_size = 1, .filter = "f"});
  EXPECT_EQ(jobs.Next().value()->name, "batches/a");
  EXPECT_EQ(test.server.requests().size(), 1U);
  EXPECT_EQ(jobs.Next().value()->name, "batches/b");
  EXPECT_FALSE(jobs.Next().value().has_value());
  EXPECT_EQ(test.server.requests().at(2).target, "/v1beta/batches?pageSize=1&pageToken=3&filter=f");
}

TEST(Batches, ABareIdIsTheNameOfAJob) {
  BatchesUnderTest test({JsonPlay(200, kPending)});
  EXPECT_EQ(test.batches.Get("abc").value().name, "batches/abc");
  EXPECT_EQ(test.server.requests().at(0).target, "/v1beta/batches/abc");
}

TEST(Batches, ListRefusesATokenThatLeadsBack) {
  BatchesUnderTest test(std::vector<Play>(5, JsonPlay(200, R"({"nextPageToken":"t"})")));
  EXPECT_EQ(test.batches.List({.page_token = "t"}, {}).error().code, ErrorCode::kBadAnswer);
}

// The fence of an attempt stands on this: what says nothing of the kind has cancelled nothing.
TEST(Batches, OnlyTheServiceSaysThatAJobIsCancelledOrDeleted) {
  for (const Play& play :
       {JsonPlay(200, "<html>sign in</html>"), JsonPlay(200, ""), JsonPlay(200, "[]"),
        JsonPlay(200, R"({"error":{"code":503}})"), JsonPlay(409, "<html>"), JsonPlay(404, "")}) {
    BatchesUnderTest cancelling(std::vector<Play>(5, play));
    EXPECT_EQ(cancelling.batches.Cancel("batches/a", {}).error().code, ErrorCode::kBadAnswer);
    BatchesUnderTest deleting({play, JsonPlay(200, "{}")});
    EXPECT_TRUE(deleting.batches.Delete("batches/a", {}).has_value());
    EXPECT_EQ(deleting.server.requests().size(), 2U);
  }
  BatchesUnderTest done({{.answer = "HTTP/1.1 204 No Content\r\n\r\n"}});
  EXPECT_TRUE(done.batches.Delete("batches/a", {}).has_value());
}

TEST(Batches, CancelAndDelete) {
  BatchesUnderTest test(
      {JsonPlay(200, "{}"),
       JsonPlay(400, R"({"error":{"code":400,"message":"ended","status":"FAILED_PRECONDITION"}})"),
       JsonPlay(200, "{}"),
       JsonPlay(404, R"({"error":{"code":404,"message":"x","status":"NOT_FOUND"}})")});
  EXPECT_TRUE(test.batches.Cancel("batches/abc", {}).has_value());
  EXPECT_TRUE(test.batches.Cancel("batches/abc", {}).has_value());
  EXPECT_TRUE(test.batches.Delete("batches/abc", {}).has_value());
  EXPECT_EQ(test.batches.Delete("batches/abc", {}).error().code, ErrorCode::kNotFound);
  const auto sent = test.server.requests();
  EXPECT_EQ(sent.at(0).method, "POST");
  EXPECT_EQ(sent.at(0).target, "/v1beta/batches/abc:cancel");
  EXPECT_EQ(sent.at(0).body, "{}");
  EXPECT_EQ(sent.at(2).method, "DELETE");
  EXPECT_EQ(sent.at(2).target, "/v1beta/batches/abc");
}

}  // namespace
}  // namespace sluice
