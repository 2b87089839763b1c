#include "api/batches/vertex_job.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <limits>
#include <nlohmann/json.hpp>

#include "api/batches/vertex_answers.h"
#include "api/batches/vertex_place.h"
#include "io/json/json_document.h"
#include "tests/support/collected_bytes.h"
#include "tests/support/service_under_test.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr const char* kName = "projects/1234567890/locations/us-central1/batchPredictionJobs/5798";

std::string JobWith(const std::string& members) {
  return R"({"name":")" + std::string(kName) + "\"" + (members.empty() ? "" : ",") + members + "}";
}

CreateJobRequest FromStorage() {
  return {.task = Task::kGenerate,
          .model = "gemini-2.5-flash",
          .display_name = "my job",
          .gcs_uris = {"gs://my-bucket/in/shard.jsonl"},
          .output_gcs_uri = "gs://my-bucket/out",
          .labels = {{"sluice", "r-1-1"}}};
}

TEST(VertexJob, TheBodyOfACreateCallIsThatOfTheReference) {
  EXPECT_EQ(ParseJson(VertexCreateBody(FromStorage()).value()), ParseJson(R"({
    "displayName": "my job",
    "model": "publishers/google/models/gemini-2.5-flash",
    "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://my-bucket/in/shard.jsonl"]}},
    "outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": "gs://my-bucket/out"}},
    "labels": {"sluice": "r-1-1"}})"));
  CreateJobRequest tables{.task = Task::kGenerate,
                          .model = "projects/p/locations/l/models/123@2",
                          .bigquery_uri = "bq://example.com:p.d.t"};
  EXPECT_EQ(ParseJson(VertexCreateBody(tables).value()), ParseJson(R"({
    "displayName": "sluice",
    "model": "projects/p/locations/l/models/123@2",
    "inputConfig": {"instancesFormat": "bigquery", "bigquerySource": {"inputUri": "bq://example.com:p.d.t"}},
    "outputConfig": {"predictionsFormat": "bigquery", "bigqueryDestination": {"outputUri": "bq://example.com:p.d"}}})"));
  CreateJobRequest beside = FromStorage();
  beside.output_gcs_uri.clear();
  EXPECT_EQ(ParseJson(VertexCreateBody(beside).value())
                .at("/outputConfig/gcsDestination/outputUriPrefix"_json_pointer),
            "gs://my-bucket/in/shard/dest");
}

TEST(VertexJob, WhatTheServiceRefusesIsAUsageErrorThatSaysSo) {
  struct Case {
    std::function<void(CreateJobRequest&)> spoil;
    std::string word;
  };
  const std::vector<Case> cases = {
      {[](auto& r) { r.staged_file = "files/x"; }, "uploaded file"},
      {[](auto& r) { r.inline_requests = {{.key = "k", .request = "{}"}}; }, "inline requests"},
      {[](auto& r) { r.priority = 1; }, "priority"},
      {[](auto& r) { r.gcs_uris.clear(); }, "one source"},
      {[](auto& r) { r.bigquery_uri = "bq://p.d.t"; }, "one source"},
      {[](auto& r) { r.output_bigquery_uri = "bq://p.d"; }, "one destination"},
      {[](auto& r) { r.generation_config = "{}"; }, "each request"},
      {[](auto& r) { r.gcs_uris = {"gs://my-bucket"}; }, "gs://my-bucket"},
      {[](auto& r) { r.output_gcs_uri = "s3://x"; }, "s3://x"},
      {[](auto& r) { r.model = "../x"; }, "model"},
      {[](auto& r) { r.model = "publishers/google"; }, "model"},
      {[](auto& r) { r = {.model = "gemini-embedding-001", .bigquery_uri = "bq://p.d.t"}; },
       "BigQuery"},
      {[](auto& r) {
         r.task = Task::kEmbed;
         r.model = "gemini-embedding-2";
         r.output_gcs_uri.clear();
         r.output_bigquery_uri = "bq://p.d";
       },
       "BigQuery"},
  };
  for (const Case& wrong : cases) {
    CreateJobRequest request = FromStorage();
    wrong.spoil(request);
    const auto body = VertexCreateBody(request);
    ASSERT_FALSE(body.has_value()) << wrong.word;
    EXPECT_EQ(body.error().code, ErrorCode::kUsage);
    EXPECT_NE(body.error().message.find(wrong.word), std::string::npos) << body.error().message;
  }
  EXPECT_TRUE(VertexCreateBody({.model = "text-embedding-005", .bigquery_uri = "bq://p.d.t"}));
}

TEST(VertexJob, ReadsAJobThatHasEnded) {
  const BatchJob job = ParseVertexJob(JobWith(R"(
    "displayName": "my job",
    "model": "publishers/google/models/gemini-2.5-flash",
    "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://my-b/in.jsonl"]}},
    "outputConfig": {"gcsDestination": {"outputUriPrefix": "gs://my-b/out"}},
    "outputInfo": {"gcsOutputDirectory": "gs://my-b/out/prediction-model-2026-08-22T10:00:00.153782Z"},
    "completionStats": {"successfulCount": "98", "failedCount": "2"},
    "labels": {"sluice": "r-1-1"},
    "state": "JOB_STATE_SUCCEEDED", "createTime": "2026-08-22T10:00:00.153782Z")"))
                           .value();
  EXPECT_EQ(job.name, kName);
  EXPECT_EQ(job.id(), "5798");
  EXPECT_TRUE(job.succeeded() && job.done && job.has_results());
  EXPECT_EQ(job.source_file, "gs://my-b/in.jsonl");
  EXPECT_EQ(job.destination, "gs://my-b/out");
  EXPECT_EQ(job.result_file, "gs://my-b/out/prediction-model-2026-08-22T10:00:00.153782Z");
  EXPECT_EQ(job.stats->total_count, 100);
  EXPECT_EQ(job.labels.at("sluice"), "r-1-1");
}

TEST(VertexJob, ReadsWhereATableIs) {
  const std::string in =
      R"("outputConfig":{"bigqueryDestination":{"outputUri":"bq://p.d.t"}},"outputInfo":)";
  const auto result = [&](const std::string& info) {
    return ParseVertexJob(JobWith(in + info)).value().result_file;
  };
  EXPECT_EQ(result(R"({"bigqueryOutputDataset":"bq://p.d","bigqueryOutputTable":"x"})"),
            "bq://p.d.x");
  EXPECT_EQ(result(R"({"bigqueryOutputDataset":"bq://p.d"})"), "bq://p.d.t");
  EXPECT_EQ(result("{}"), "");
}

TEST(VertexJob, StatesAndStatsAreReadLeniently) {
  const auto read = [](const std::string& members) {
    return ParseVertexJob(JobWith(members)).value();
  };
  EXPECT_TRUE(read(R"("state":"JOB_STATE_PAUSED")").done);
  EXPECT_FALSE(read(R"("state":"JOB_STATE_UPDATING")").done);
  EXPECT_EQ(read(R"("state":"JOB_STATE_UPDATING")").raw_state, "JOB_STATE_UPDATING");
  EXPECT_TRUE(read(R"("state":"JOB_STATE_PARTIALLY_SUCCEEDED")").complete());
  EXPECT_EQ(read(R"("completionStats":{"incompleteCount":"-1"})").stats->total_count, 0);
  const std::string most = std::to_string(std::numeric_limits<int64_t>::max());
  EXPECT_GT(read(R"("completionStats":{"successfulCount":")" + most + R"(","failedCount":")" +
                 most + R"(","incompleteCount":")" + most + R"("})")
                .stats->total_count,
            int64_t{1} << 60);
  EXPECT_FALSE(read(R"("completionStats":7,"error":{},"labels":[1])").error.has_value());
  EXPECT_EQ(read(R"("error":{"code":3,"message":"Failed to import data."})").error->code, 3);
  EXPECT_EQ(read(R"("inputConfig":{"gcsSource":{"uris":"gs://my-b/x"}})").source_file,
            "gs://my-b/x");
}

TEST(VertexJob, BelievesNoNameThatDoesNotFitIntoAnAddress) {
  for (const char* text : {"{}", "[]", "", R"({"name":"batches/x"})", R"({"name":7})",
                           R"({"name":"projects/../locations/l/batchPredictionJobs/1"})"}) {
    EXPECT_EQ(ParseVertexJob(text).error().code, ErrorCode::kBadAnswer) << text;
  }
  EXPECT_FALSE(ParseVertexJob(JobWith(R"("outputInfo":{"gcsOutputDirectory":"https://evil/x"})")));
  EXPECT_FALSE(ParseVertexJobPage(R"({"batchPredictionJobs":[{"name":"x"}]})").has_value());
  EXPECT_FALSE(ParseVertexJobPage(R"({"error":{"code":1}})").has_value());
  EXPECT_TRUE(ParseVertexJobPage("{}").value().jobs.empty());
  EXPECT_EQ(
      ParseVertexJobPage(R"({"batchPredictionJobs":[)" + JobWith("") + R"(],"nextPageToken":"t"})")
          .value()
          .next_page_token,
      "t");
}

TEST(VertexPlace, NamesOfJobs) {
  EXPECT_TRUE(IsVertexJobName(kName));
  EXPECT_TRUE(IsVertexJobName("projects/example.com:p/locations/global/batchPredictionJobs/1"));
  for (const char* name :
       {"batchPredictionJobs/1", "projects/p/locations/l/batchPredictionJobs/",
        "projects/p/locations/l/batchPredictionJobs/1/2", "projects/p/locations/l/batches/1",
        "projects//locations/l/batchPredictionJobs/1",
        "projects/p/locations/l?/batchPredictionJobs/1"}) {
    EXPECT_FALSE(IsVertexJobName(name)) << name;
  }
}

TEST(VertexPlace, HostsFollowTheLocation) {
  const auto host = [](std::string location) {
    return VertexPlace{"p", std::move(location)}.base_url();
  };
  EXPECT_EQ(host("us-central1"), "https://us-central1-aiplatform.googleapis.com");
  EXPECT_EQ(host("global"), "https://aiplatform.googleapis.com");
  EXPECT_EQ(host("eu"), "https://aiplatform.eu.rep.googleapis.com");
  EXPECT_FALSE(CheckVertexPlace({"p", "evil.com/"}).has_value());
  EXPECT_FALSE(CheckVertexPlace({"", "us"}).has_value());
}

TEST(VertexAnswers, TheFinalObjectAloneIsReadWhenItIsThere) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(ChooseAnswerObjects({"incremental_predictions/predictions.jsonl", "predictions.jsonl"}),
            Names{"predictions.jsonl"});
  EXPECT_EQ(ChooseAnswerObjects({"errors_0001.jsonl", "incremental_predictions/1.jsonl",
                                 "prediction.errors_stats-00000-of-00001",
                                 "prediction.results-00000-of-00002", "readme.txt"}),
            (Names{"errors_0001.jsonl", "incremental_predictions/1.jsonl",
                   "prediction.errors_stats-00000-of-00001", "prediction.results-00000-of-00002"}));
  EXPECT_TRUE(ChooseAnswerObjects({}).empty());
}

// Each time that the second of two objects comes from zero, the first must come again; what never
// stays whole is not fetched for ever.
TEST(VertexAnswers, AFolderIsBegunAgainFiveTimesAtMost) {
  const auto object = [](const char* name) {
    return fmt::format(
        R"({{"bucket":"b-1","name":"out/{}.jsonl","size":"9","generation":"7","crc32c":"4waSgw=="}})",
        name);
  };
  const Play whole = JsonPlay(200, "123456789");
  const Play wrong = JsonPlay(200, "abcabcabc");
  std::vector<Play> plays = {
      JsonPlay(200, fmt::format(R"({{"items":[{},{}]}})", object("1"), object("2")))};
  constexpr size_t kRoundsMax = 20;
  for (size_t round = 0; round < kRoundsMax; ++round) {
    for (const Play& play :
         {JsonPlay(200, object("1")), whole, JsonPlay(200, object("2")), wrong, whole}) {
      plays.push_back(play);
    }
  }
  ServiceUnderTest test(std::move(plays));
  const StorageClient storage(*test.service);
  const BigQueryClient tables(*test.service, "p", "us");
  CollectedBytes bytes;
  const auto fetched = VertexAnswers(storage, tables)
                           .Fetch("gs://b-1/out", 1000, bytes.writer(), bytes.restart(), {});
  ASSERT_FALSE(fetched.has_value());
  EXPECT_EQ(fetched.error().code, ErrorCode::kTransport);
  // Five whole rounds, and a sixth that ends at the bytes that would begin it again.
  EXPECT_EQ(test.server.requests().size(), 1 + 5 * 5 + 4U);
}

}  // namespace
}  // namespace sluice
