#include "tools/emulator/batch_routes.h"

#include <algorithm>
#include <set>

#include "io/json/json_document.h"
#include "tests/tools/emulator/local_api.h"

namespace sluice {
namespace {

constexpr const char* kEmbedTarget = "/v1beta/models/gemini-embedding-2:asyncBatchEmbedContent";

std::string InlineBody(int count) {
  OrderedJson requests = OrderedJson::array();
  for (int i = 0; i < count; ++i) {
    requests.push_back({{"request",
                         {{"content", {{"parts", {{{"text", "inline " + std::to_string(i)}}}}}},
                          {"outputDimensionality", 2}}},
                        {"metadata", {{"key", "m" + std::to_string(i)}}}});
  }
  return OrderedJson{{"batch", {{"inputConfig", {{"requests", {{"requests", requests}}}}}}}}.dump();
}

std::vector<std::string> KeysOf(const std::string& results) {
  std::vector<std::string> keys;
  for (const OrderedJson& line : ParseLines(results)) {
    keys.push_back(line.value("key", ""));
  }
  return keys;
}

std::vector<std::string> InputKeys(int count) {
  std::vector<std::string> keys;
  for (int i = 0; i < count; ++i) {
    keys.push_back("k" + std::to_string(i));
  }
  return keys;
}

// The results of a job over so many request lines.
std::string RunJob(LocalApi& api, int count) {
  api.Start();
  return api.Download(api.WaitForEnd(api.Create(api.Upload(RequestLines(count)))));
}

TEST(BatchRoutes, JobGoesFromPendingToSucceeded) {
  HandClock clock;
  LocalApi api;
  api.options.clock = &clock;
  api.options.job_latency_min = api.options.job_latency_max = std::chrono::seconds(10);
  api.Start();
  const std::string file = api.Upload(RequestLines(3));
  const WireReply created = api.CreateFromFile(file, "my job");
  const OrderedJson pending = ParseOrderedJson(created.body);
  const std::string name = pending["name"];
  EXPECT_EQ(name.size(), std::string("batches/").size() + 36);
  EXPECT_FALSE(pending.contains("done"));
  EXPECT_FALSE(pending.contains("response"));
  EXPECT_EQ(pending["metadata"]["@type"],
            "type.googleapis.com/google.ai.generativelanguage.v1main.EmbedContentBatch");
  EXPECT_EQ(pending["metadata"]["state"], "BATCH_STATE_PENDING");
  EXPECT_EQ(pending["metadata"]["name"], name);
  EXPECT_EQ(pending["metadata"]["displayName"], "my job");
  EXPECT_EQ(pending["metadata"]["model"], "models/sluice-lexical-1");
  EXPECT_EQ(pending["metadata"]["inputConfig"]["fileName"], file);
  EXPECT_EQ(pending["metadata"]["batchStats"],
            ParseOrderedJson(R"({"requestCount":"3","pendingRequestCount":"3"})"));
  clock.Advance(std::chrono::seconds(9));
  EXPECT_EQ(api.CallJson("GET", "/v1beta/" + name), pending);
  clock.Advance(std::chrono::seconds(1));
  const OrderedJson ended = api.WaitForEnd(name);
  EXPECT_EQ(ended["done"], true);
  EXPECT_EQ(ended["metadata"]["state"], "BATCH_STATE_SUCCEEDED");
  EXPECT_EQ(ended["metadata"]["batchStats"],
            ParseOrderedJson(R"({"requestCount":"3","successfulRequestCount":"3"})"));
  EXPECT_EQ(ended["metadata"]["output"]["responsesFile"], "files/batch-" + name.substr(8));
  EXPECT_EQ(ended["response"]["responsesFile"], "files/batch-" + name.substr(8));
  EXPECT_TRUE(ended["metadata"].contains("endTime"));
}

TEST(BatchRoutes, ResultsAreCompleteAndShuffled) {
  LocalApi api;
  std::vector<std::string> keys = KeysOf(RunJob(api, 1000));
  EXPECT_NE(keys, InputKeys(1000));
  std::vector<std::string> expected = InputKeys(1000);
  std::ranges::sort(keys);
  std::ranges::sort(expected);
  EXPECT_EQ(keys, expected);
}

TEST(BatchRoutes, OrderFollowsTheSeedAndCanBeKept) {
  const auto keys_with = [](uint64_t seed, bool shuffle) {
    LocalApi api;
    api.options.seed = seed;
    api.options.shuffle = shuffle;
    return KeysOf(RunJob(api, 100));
  };
  EXPECT_EQ(keys_with(1, true), keys_with(1, true));
  EXPECT_NE(keys_with(1, true), keys_with(2, true));
  EXPECT_EQ(keys_with(1, false), InputKeys(100));
}

TEST(BatchRoutes, BadLinesCostThemselvesOnly) {
  LocalApi api;
  api.Start();
  const std::string deep(200'000, '[');
  const std::string file = api.Upload(
      "\n  \n" + RequestLines(2) + "{broken\n" + deep + "\n" + std::string(3'000'000, 'x') + "\n" +
      "{\"key\":\"\xFF\"}\n" + R"({"key":"last","request":{"content":{"parts":[{"text":"z"}]}}})");
  const OrderedJson ended = api.WaitForEnd(api.Create(file));
  EXPECT_EQ(ended["metadata"]["state"], "BATCH_STATE_SUCCEEDED");
  EXPECT_EQ(ended["metadata"]["batchStats"],
            ParseOrderedJson(R"({"requestCount":"7","successfulRequestCount":"3",
                            "failedRequestCount":"4"})"));
  const std::string results = api.Download(ended);
  EXPECT_EQ(ParseLines(results).size(), 7U);
  EXPECT_EQ(CountOf(results, "\"error\""), 4U);
  EXPECT_EQ(CountOf(results, "\"key\":\"last\""), 1U);
}

TEST(BatchRoutes, InlinedResultsStandTwiceAndTwoLevelsDeep) {
  LocalApi api;
  api.Start();
  const OrderedJson created = api.CallJson("POST", kEmbedTarget, InlineBody(5));
  EXPECT_FALSE(created["metadata"].contains("inputConfig"));
  const OrderedJson ended = api.WaitForEnd(created["name"]);
  const OrderedJson& items = ended["response"]["inlinedResponses"]["inlinedResponses"];
  EXPECT_EQ(ended["metadata"]["output"]["inlinedResponses"]["inlinedResponses"], items);
  ASSERT_EQ(items.size(), 5U);
  std::set<std::string> keys;
  for (const OrderedJson& item : items) {
    keys.insert(item["metadata"]["key"]);
    EXPECT_EQ(item["response"]["embedding"]["values"].size(), 2U);
    EXPECT_FALSE(item.contains("key"));
  }
  EXPECT_EQ(keys, (std::set<std::string>{"m0", "m1", "m2", "m3", "m4"}));
  // A list shows the job without its results.
  const OrderedJson listed = api.CallJson("GET", "/v1beta/batches")["operations"][0];
  EXPECT_EQ(listed["name"], created["name"]);
  EXPECT_EQ(listed["done"], true);
  EXPECT_FALSE(listed.contains("response"));
}

TEST(BatchRoutes, LongInlinedResultsArriveWhole) {
  LocalApi api;
  api.Start();
  const OrderedJson created = api.CallJson("POST", kEmbedTarget, InlineBody(20'000));
  const OrderedJson ended = api.WaitForEnd(created["name"]);
  EXPECT_EQ(ended["response"]["inlinedResponses"]["inlinedResponses"].size(), 20'000U);
}

TEST(BatchRoutes, GenerationEchoesFromAFile) {
  LocalApi api;
  api.Start();
  const std::string file =
      api.Upload(R"({"key":"g","request":{"contents":[{"parts":[{"text":"say hi"}]}]}})"
                 "\n");
  const OrderedJson created = api.CallJson(
      "POST", "/v1beta/models/gemini-2.5-flash:batchGenerateContent",
      R"({"batch":{"display_name":"g","input_config":{"file_name":")" + file + "\"}}}");
  EXPECT_EQ(created["metadata"]["@type"],
            "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch");
  const std::string results = api.Download(api.WaitForEnd(created["name"]));
  const OrderedJson line = ParseOrderedJson(results);
  EXPECT_EQ(line["key"], "g");
  EXPECT_EQ(line["response"]["candidates"][0]["content"]["parts"][0]["text"], "echo: say hi");
}

TEST(BatchRoutes, ListPagesNewestFirst) {
  LocalApi api;
  api.Start();
  EXPECT_EQ(api.CallJson("GET", "/v1beta/batches"), OrderedJson::object());
  const std::string file = api.Upload(RequestLines(1));
  std::vector<std::string> created;
  for (int i = 0; i < 5; ++i) {
    created.insert(created.begin(), api.Create(file));
  }
  std::vector<std::string> listed;
  std::string token;
  do {
    const OrderedJson page = api.CallJson("GET", "/v1beta/batches?pageSize=2&pageToken=" + token);
    for (const OrderedJson& operation : page["operations"]) {
      listed.push_back(operation["name"]);
    }
    token = page.value("nextPageToken", "");
    if (listed.size() == 2) {
      // A job that goes away between two pages shifts nothing.
      api.CallJson("DELETE", "/v1beta/" + created[1]);
    }
  } while (!token.empty());
  EXPECT_EQ(listed, created);
  EXPECT_EQ(api.Call("GET", "/v1beta/batches?returnPartialSuccess=true").status, 501);
}

TEST(BatchRoutes, CancelBeforeTheStartEndsTheJob) {
  LocalApi api({"stuck-pending"});
  api.Start();
  const std::string job = api.Create(api.Upload(RequestLines(2)));
  EXPECT_EQ(api.CallJson("POST", "/v1beta/" + job + ":cancel", "{}"), OrderedJson::object());
  const OrderedJson ended = api.CallJson("GET", "/v1beta/" + job);
  EXPECT_EQ(ended["metadata"]["state"], "BATCH_STATE_CANCELLED");
  EXPECT_EQ(ended["done"], true);
  EXPECT_EQ(ended["error"]["code"], 13);
  EXPECT_EQ(ended["metadata"]["batchStats"]["pendingRequestCount"], "2");
  EXPECT_EQ(api.CallJson("POST", "/v1beta/" + job + ":cancel", ""), OrderedJson::object());
  EXPECT_EQ(api.Call("POST", "/v1beta/batches/nonsense:cancel").status, 404);
}

TEST(BatchRoutes, CancelMayEndSucceededWithUnservedItems) {
  LocalApi api({"stuck-pending", "cancel-succeeds"});
  api.Start();
  const std::string job = api.Create(api.Upload(RequestLines(2)));
  api.CallJson("POST", "/v1beta/" + job + ":cancel");
  const OrderedJson ended = api.WaitForEnd(job);
  EXPECT_EQ(ended["metadata"]["state"], "BATCH_STATE_SUCCEEDED");
  EXPECT_EQ(CountOf(api.Download(ended), R"({"error":{"code":1},"key":)"), 2U);
}

TEST(BatchRoutes, DeleteTakesTheJobAndLeavesTheResults) {
  LocalApi api;
  api.Start();
  const OrderedJson ended = api.WaitForEnd(api.Create(api.Upload(RequestLines(2))));
  const std::string target = "/v1beta/" + ended["name"].get<std::string>();
  EXPECT_EQ(api.CallJson("DELETE", target), OrderedJson::object());
  EXPECT_EQ(api.Call("GET", target).status, 404);
  const WireReply second = api.Call("DELETE", target);
  EXPECT_EQ(second.status, 404);
  EXPECT_EQ(ParseOrderedJson(second.body)["error"]["status"], "NOT_FOUND");
  EXPECT_EQ(ParseLines(api.Download(ended)).size(), 2U);
}

TEST(BatchRoutes, DeleteFreesTheResultsWhenAskedTo) {
  LocalApi api;
  api.options.delete_results_with_job = true;
  api.Start();
  const OrderedJson ended = api.WaitForEnd(api.Create(api.Upload(RequestLines(2))));
  api.CallJson("DELETE", "/v1beta/" + ended["name"].get<std::string>());
  const std::string results = ended["response"]["responsesFile"];
  EXPECT_EQ(api.Call("GET", "/v1beta/" + results + ":download?alt=media").status, 403);
}

TEST(BatchRoutes, UpdateChangesNameAndPriority) {
  LocalApi api;
  api.Start();
  const std::string job = api.Create(api.Upload(RequestLines(1)));
  const std::string target = "/v1beta/" + job + ":updateEmbedContentBatch";
  const OrderedJson batch = api.CallJson("PATCH", target + "?updateMask=displayName,priority",
                                         R"({"displayName":"new","priority":"7"})");
  EXPECT_EQ(batch["displayName"], "new");
  EXPECT_EQ(batch["priority"], "7");
  EXPECT_EQ(batch["name"], job);
  EXPECT_EQ(api.CallJson("GET", "/v1beta/" + job)["metadata"]["displayName"], "new");
  EXPECT_EQ(api.Call("PATCH", "/v1beta/" + job + ":updateGenerateContentBatch", "{}").status, 404);
}

TEST(BatchRoutes, RefusesWhatIsNoBatch) {
  LocalApi api;
  api.Start();
  const std::string file = api.Upload(RequestLines(1));
  const std::string input = R"("inputConfig":{"fileName":")" + file + "\"}";
  for (const std::string& body : std::vector<std::string>{
           "", "[]", "{}", R"({"batch":{}})", R"({"batch":{"inputConfig":{}}})",
           R"({"batch":{"inputConfig":{"requests":{"requests":[]}}}})",
           R"({"batch":{"inputConfig":{"requests":{"requests":[{"metadata":{}}]}}}})",
           R"({"batch":{"src":{},)" + input + "}}", R"({"model":"x","batch":{)" + input + "}}"}) {
    const WireReply reply = api.Call("POST", kEmbedTarget, body);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_EQ(ParseOrderedJson(reply.body)["error"]["status"], "INVALID_ARGUMENT") << body;
  }
  EXPECT_EQ(api.Call("POST", "/v1beta/models/text-embedding-004:asyncBatchEmbedContent",
                     "{\"batch\":{" + input + "}}")
                .status,
            404);
  EXPECT_EQ(api.emulator->counters().jobs_created, 0U);
}

TEST(BatchRoutes, RefusesAFileThatIsNotThere) {
  LocalApi api;
  api.Start();
  const WireReply reply = api.CreateFromFile("files/nonsense");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(ParseOrderedJson(reply.body)["error"]["status"], "FAILED_PRECONDITION");
}

TEST(BatchRoutes, RefusesMoreActiveJobsThanAllowed) {
  LocalApi api({"stuck-pending"});
  api.options.active_jobs_max = 2;
  api.Start();
  const std::string file = api.Upload(RequestLines(1));
  const std::string first = api.Create(file);
  (void)api.Create(file);
  const WireReply refused = api.CreateFromFile(file);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(ParseOrderedJson(refused.body)["error"]["status"], "RESOURCE_EXHAUSTED");
  api.CallJson("POST", "/v1beta/" + first + ":cancel");
  EXPECT_EQ(api.CreateFromFile(file).status, 200);
}

TEST(BatchRoutes, RefusesMoreTokensOfAModelThanMayWait) {
  LocalApi api({"stuck-pending", "enqueued-tokens=100"});
  api.Start();
  const std::string file = api.Upload(RequestLines(3));
  ASSERT_LT(RequestLines(3).size(), 400U);
  ASSERT_GT(RequestLines(3).size(), 200U);
  const std::string first = api.Create(file);
  EXPECT_EQ(api.CreateFromFile(file).status, 429);
  EXPECT_EQ(api.Call("POST", kEmbedTarget, InlineBody(1)).status, 200);  // Of another model.
  api.CallJson("POST", "/v1beta/" + first + ":cancel");
  EXPECT_EQ(api.CreateFromFile(file).status, 200);
}

TEST(BatchRoutes, RefusesInlinedRequestsWithUnknownFieldsAtOnce) {
  LocalApi api;
  api.Start();
  const auto create = [&](const std::string& request) {
    return api.Call(
        "POST", "/v1beta/models/gemini-2.5-flash:batchGenerateContent",
        R"({"batch":{"inputConfig":{"requests":{"requests":[{"request":)" + request + "}]}}}}");
  };
  const WireReply flat = create(R"({"contents":[],"temperature":1})");
  EXPECT_EQ(flat.status, 400);
  EXPECT_NE(flat.body.find("Unknown name \\\"temperature\\\""), std::string::npos) << flat.body;
  EXPECT_EQ(create(R"({"contents":[],"generation_config":{"temp":1}})").status, 400);
  EXPECT_EQ(create("7").status, 400);
  EXPECT_EQ(create(R"({"contents":[],"generation_config":{"top_k":1}})").status, 200);
}

TEST(BatchRoutes, ListMayShowStaleCounters) {
  LocalApi api({"list-stale-stats"});
  api.Start();
  const OrderedJson ended = api.WaitForEnd(api.Create(api.Upload(RequestLines(2))));
  EXPECT_EQ(ended["metadata"]["batchStats"]["successfulRequestCount"], "2");
  const OrderedJson listed = api.CallJson("GET", "/v1beta/batches")["operations"][0]["metadata"];
  EXPECT_EQ(listed["state"], "BATCH_STATE_SUCCEEDED");
  EXPECT_EQ(listed["batchStats"],
            ParseOrderedJson(R"({"requestCount":"2","pendingRequestCount":"2"})"));
}

TEST(BatchRoutes, TheClockCanBeMovedFromOutside) {
  LocalApi api({"stuck-pending"});
  api.Start();
  const std::string file = api.Upload(RequestLines(1));
  const std::string job = api.Create(file);
  const auto advance = [&](const std::string& query) {
    return CallOnce(api.emulator->port(), "POST", "/_sluice/clock" + query).status;
  };
  EXPECT_EQ(advance("?advance=172740"), 200);  // A minute less than 48 hours.
  EXPECT_EQ(api.CallJson("GET", "/v1beta/" + job)["metadata"]["state"], "BATCH_STATE_PENDING");
  EXPECT_EQ(api.Call("GET", "/v1beta/" + file).status, 200);
  EXPECT_EQ(advance("?advance=60"), 200);
  EXPECT_EQ(api.CallJson("GET", "/v1beta/" + job)["metadata"]["state"], "BATCH_STATE_EXPIRED");
  EXPECT_EQ(api.Call("GET", "/v1beta/" + file).status, 403);
  for (const char* wrong : {"", "?advance=", "?advance=-1", "?advance=1h"}) {
    EXPECT_EQ(advance(wrong), 400) << wrong;
  }
}

TEST(BatchRoutes, OldJobsExpire) {
  HandClock clock;
  LocalApi api({"stuck-pending"});
  api.options.clock = &clock;
  api.Start();
  const std::string job = api.Create(api.Upload(RequestLines(1)));
  clock.Advance(std::chrono::hours(48));
  const OrderedJson ended = api.CallJson("GET", "/v1beta/" + job);
  EXPECT_EQ(ended["metadata"]["state"], "BATCH_STATE_EXPIRED");
  EXPECT_FALSE(ended.contains("response"));
}

TEST(BatchRoutes, JobFaultsHappen) {
  LocalApi api({"expire=1", "fail-job=2"});
  api.Start();
  const std::string file = api.Upload(RequestLines(1));
  EXPECT_EQ(api.WaitForEnd(api.Create(file))["metadata"]["state"], "BATCH_STATE_EXPIRED");
  const OrderedJson failed = api.WaitForEnd(api.Create(file));
  EXPECT_EQ(failed["metadata"]["state"], "BATCH_STATE_FAILED");
  EXPECT_EQ(failed["error"]["code"], 8);
}

TEST(BatchRoutes, LineFaultsHappen) {
  LocalApi dropped({"drop-line=3"});
  EXPECT_EQ(ParseLines(RunJob(dropped, 20)).size(), 17U);
  LocalApi doubled({"duplicate-line=2"});
  EXPECT_EQ(ParseLines(RunJob(doubled, 20)).size(), 22U);
  LocalApi keyless({"no-key=4"});
  EXPECT_EQ(CountOf(RunJob(keyless, 20), "\"key\""), 16U);
  LocalApi coded({"item-error=2"});
  EXPECT_EQ(CountOf(RunJob(coded, 20), R"({"error":{"code":13},"key")"), 2U);
  LocalApi internal({"item-error-13=50%"});
  EXPECT_NEAR(static_cast<double>(CountOf(RunJob(internal, 1000), R"("code":13,"message")")), 500,
              80);
  LocalApi cut({"cut-last-line"});
  const std::string results = RunJob(cut, 20);
  EXPECT_NE(results.back(), '\n');
  EXPECT_TRUE(ParseLines(results).back().is_discarded());
  LocalApi ordered({"no-shuffle"});
  EXPECT_EQ(KeysOf(RunJob(ordered, 50)), InputKeys(50));
}

TEST(BatchRoutes, ACreatedJobWhoseAnswerIsLostIsListed) {
  for (const auto& [fault, status] :
       {std::pair("create-lost=503@1", 503), std::pair("create-lost=reset@1", 0)}) {
    LocalApi api({fault});
    api.Start();
    EXPECT_EQ(api.CreateFromFile(api.Upload(RequestLines(1)), "token").status, status);
    const OrderedJson list = api.CallJson("GET", "/v1beta/batches")["operations"];
    ASSERT_EQ(list.size(), 1U) << fault;
    EXPECT_EQ(list[0]["metadata"]["displayName"], "token");
    EXPECT_EQ(CountOf(api.Journal(), "\"event\":\"create\""), 1U);
  }
}

TEST(BatchRoutes, AnAnswerThatNeverComesLeavesAJob) {
  LocalApi api({"create-lost=timeout@1"});
  api.Start();
  const std::string file = api.Upload(RequestLines(1));
  WireClient client(api.emulator->port());
  client.Send(RequestText("POST", kEmbedTarget, {{"x-goog-api-key", "k"}},
                          R"({"batch":{"inputConfig":{"fileName":")" + file + "\"}}}"));
  while (api.emulator->counters().jobs_created == 0) {
    std::this_thread::yield();
  }
  EXPECT_EQ(api.CallJson("GET", "/v1beta/batches")["operations"].size(), 1U);
}

TEST(BatchRoutes, AJobMayBeCreatedAfterTheConnectionBroke) {
  HandClock clock;
  LocalApi api({"create-late=5000@1"});
  api.options.clock = &clock;
  api.Start();
  EXPECT_EQ(api.CreateFromFile(api.Upload(RequestLines(1))).status, 0);
  EXPECT_EQ(api.CallJson("GET", "/v1beta/batches"), OrderedJson::object());
  // The sleep may begin after the first of these steps, and the file must not have expired by then.
  while (api.emulator->counters().jobs_created == 0) {
    clock.Advance(std::chrono::seconds(5));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(api.CallJson("GET", "/v1beta/batches")["operations"].size(), 1U);
}

TEST(BatchRoutes, CreateRefusalsHaveTheirDetails) {
  LocalApi api({"create-429=retryinfo@1", "quota-per-day=1"});
  api.Start();
  const std::string file = api.Upload(RequestLines(1));
  const WireReply quota = api.CreateFromFile(file);
  EXPECT_EQ(quota.status, 429);
  EXPECT_NE(quota.body.find("PerDay"), std::string::npos);
  const WireReply pause = api.CreateFromFile(file);
  EXPECT_EQ(pause.status, 429);
  EXPECT_EQ(ParseOrderedJson(pause.body)["error"]["details"][1]["retryDelay"], "1s");
  EXPECT_EQ(api.CreateFromFile(file).status, 200);
}

TEST(BatchRoutes, ListFaultsHappen) {
  HandClock clock;
  LocalApi api({"list-empty-page=1", "list-lag=2000"});
  api.options.clock = &clock;
  api.Start();
  const std::string job = api.Create(api.Upload(RequestLines(1)));
  clock.Advance(std::chrono::seconds(3));
  (void)api.Create(api.Upload(RequestLines(1)));
  const OrderedJson empty = api.CallJson("GET", "/v1beta/batches");
  EXPECT_FALSE(empty.contains("operations"));
  const OrderedJson page =
      api.CallJson("GET", "/v1beta/batches?pageToken=" + empty["nextPageToken"].get<std::string>());
  ASSERT_EQ(page["operations"].size(), 1U);
  EXPECT_EQ(page["operations"][0]["name"], job);
}

TEST(BatchRoutes, ShapeFaultsHappen) {
  LocalApi api({"job-state-prefix", "inline-single-level"});
  api.Start();
  const OrderedJson created = api.CallJson("POST", kEmbedTarget, InlineBody(2));
  EXPECT_EQ(created["metadata"]["state"], "JOB_STATE_PENDING");
  const OrderedJson ended = api.WaitForEnd(created["name"]);
  EXPECT_EQ(ended["response"]["inlinedResponses"].size(), 2U);
}

TEST(BatchRoutes, ErrorBodyFaultsHappen) {
  LocalApi api({"error-empty=1", "error-html=1", "error-array=1"});
  api.Start();
  EXPECT_EQ(api.Call("GET", "/v1beta/batches/x").body, "");
  EXPECT_TRUE(api.Call("GET", "/v1beta/batches/x").body.starts_with("<!DOCTYPE html>"));
  EXPECT_EQ(ParseOrderedJson(api.Call("GET", "/v1beta/batches/x").body)[0]["error"]["code"], 404);
  EXPECT_EQ(ParseOrderedJson(api.Call("GET", "/v1beta/batches/x").body)["error"]["code"], 404);
}

TEST(BatchRoutes, AnyRouteMayBeUnavailableOrStall) {
  LocalApi api({"stall=1", "http-503=1"});
  api.Start();
  {
    WireClient client(api.emulator->port());
    client.Send(RequestText("GET", "/v1beta/files", {{"x-goog-api-key", "k"}}, ""));
    while (!api.emulator->counters().requests.contains("files.list")) {
      std::this_thread::yield();
    }
  }
  EXPECT_EQ(api.Call("GET", "/v1beta/files").status, 503);
  EXPECT_EQ(api.Call("GET", "/v1beta/files").status, 200);
}

}  // namespace
}  // namespace sluice
