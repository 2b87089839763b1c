#include "io/json/json_document.h"
#include "tools/emulator/model_routes.h"

#include "tests/tools/emulator/local_api.h"

namespace sluice {
namespace {

std::string MessageOf(const WireReply& reply) {
  return ParseOrderedJson(reply.body).at("error").at("message");
}

TEST(ModelRoutes, ListSaysWhatTheModelsAre) {
  LocalApi api;
  api.Start();
  const OrderedJson models = api.CallJson("GET", "/v1beta/models").at("models");
  EXPECT_EQ(models[0]["name"], "models/sluice-lexical-1");
  for (const OrderedJson& model : models) {
    EXPECT_NE(model["description"].get<std::string>().find("Not a neural model"),
              std::string::npos);
    EXPECT_EQ(api.CallJson("GET", "/v1beta/" + model["name"].get<std::string>()), model);
  }
}

TEST(ModelRoutes, ModelsThatAreUnknownOrShutDownAreNotFound) {
  LocalApi api;
  api.Start();
  for (const char* target : {"/v1beta/models/text-embedding-004", "/v1beta/models/nonsense"}) {
    EXPECT_EQ(api.Call("GET", target).status, 404);
    const WireReply reply = api.Call("POST", std::string(target) + ":embedContent",
                                     R"({"content":{"parts":[{"text":"x"}]}})");
    EXPECT_EQ(reply.status, 404);
    EXPECT_EQ(ParseOrderedJson(reply.body)["error"]["status"], "NOT_FOUND");
  }
  EXPECT_EQ(api.Call("POST", "/v1beta/models/gemini-2.5-flash:embedContent", "{}").status, 404);
  EXPECT_EQ(api.Call("POST", "/v1beta/models/gemini-embedding-2:generateContent", "{}").status,
            404);
}

TEST(ModelRoutes, EmbedsAtOnceInEveryVersion) {
  LocalApi api;
  api.Start();
  for (const char* version : {"v1beta", "v1alpha", "v1"}) {
    const OrderedJson answer =
        api.CallJson("POST", std::string("/") + version + "/models/gemini-embedding-2:embedContent",
                     R"({"content":{"parts":[{"text":"hello there"}]},"outputDimensionality":4})");
    EXPECT_EQ(answer["embedding"]["values"].size(), 4U);
    EXPECT_EQ(answer["usageMetadata"]["promptTokenCount"], 3);
  }
  EXPECT_EQ(api.Call("GET", "/v2/models").status, 404);
}

TEST(ModelRoutes, BatchKeepsOrderAndEqualsSingleCalls) {
  LocalApi api;
  api.Start();
  OrderedJson requests = OrderedJson::array();
  for (int i = 0; i < 100; ++i) {
    requests.push_back({{"model", "models/gemini-embedding-001"},
                        {"content", {{"parts", {{{"text", "number " + std::to_string(i)}}}}}},
                        {"outputDimensionality", 3}});
  }
  const std::string target = "/v1beta/models/gemini-embedding-001:batchEmbedContents";
  const OrderedJson answer =
      api.CallJson("POST", target, OrderedJson{{"requests", requests}}.dump());
  ASSERT_EQ(answer["embeddings"].size(), 100U);
  EXPECT_FALSE(answer.contains("usageMetadata"));
  const OrderedJson single =
      api.CallJson("POST", "/v1beta/models/gemini-embedding-001:embedContent", requests[37].dump());
  EXPECT_EQ(answer["embeddings"][37], single["embedding"]);

  requests.push_back(requests[0]);
  const WireReply refused = api.Call("POST", target, OrderedJson{{"requests", requests}}.dump());
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(MessageOf(refused),
            "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n");
}

TEST(ModelRoutes, CountsTokensOfEitherForm) {
  LocalApi api;
  api.Start();
  const std::string target = "/v1beta/models/gemini-2.5-flash:countTokens";
  const std::string contents = R"([{"parts":[{"text":"123456789"}]}])";
  EXPECT_EQ(api.CallJson("POST", target, R"({"contents":)" + contents + "}")["totalTokens"], 3);
  EXPECT_EQ(
      api.CallJson("POST", target,
                   R"({"generateContentRequest":{"model":"models/gemini-2.5-flash","contents":)" +
                       contents + "}}")["totalTokens"],
      3);
  EXPECT_EQ(api.Call("POST", target, "{}").status, 400);
}

TEST(ModelRoutes, KeyComesByHeaderOrQuery) {
  LocalApi api;
  api.options.required_key = "right";
  api.Start();
  const int port = api.emulator->port();
  const WireReply missing = CallOnce(port, "GET", "/v1beta/models");
  EXPECT_EQ(missing.status, 403);
  EXPECT_EQ(ParseOrderedJson(missing.body)["error"]["status"], "PERMISSION_DENIED");
  EXPECT_EQ(CallOnce(port, "GET", "/v1beta/models?upload_id=x").status, 403);
  const WireReply wrong = CallOnce(port, "GET", "/v1beta/models?key=wrong");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(ParseOrderedJson(wrong.body)["error"]["details"][0]["reason"], "API_KEY_INVALID");
  EXPECT_EQ(CallOnce(port, "GET", "/v1beta/models?key=right").status, 200);
  EXPECT_EQ(CallOnce(port, "GET", "/v1beta/models", {{"X-Goog-Api-Key", "right"}}).status, 200);
}

TEST(ModelRoutes, RefusesUnknownFieldsByName) {
  LocalApi api;
  api.Start();
  const WireReply reply = api.Call("POST", "/v1beta/models/gemini-embedding-2:embedContent",
                                   R"({"content":{"parts":[{"text":"x"}],"wrong":1}})");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(
      MessageOf(reply),
      "Invalid JSON payload received. Unknown name \"wrong\" at 'content': Cannot find field.");
}

TEST(ModelRoutes, PrintsPrettyUnlessAskedNotTo) {
  LocalApi api;
  api.Start();
  const WireReply pretty = api.Call("GET", "/v1beta/models/sluice-echo-1");
  EXPECT_TRUE(pretty.body.starts_with("{\n  \"name\": \"models/sluice-echo-1\",\n"));
  EXPECT_TRUE(pretty.body.ends_with("\n}\n"));
  EXPECT_EQ(pretty.Header("content-type"), "application/json; charset=UTF-8");
  const WireReply compact = api.Call("GET", "/v1beta/models/sluice-echo-1?prettyPrint=false");
  EXPECT_TRUE(compact.body.starts_with("{\"name\":\"models/sluice-echo-1\","));
}

TEST(ModelRoutes, RefusesBodiesBeyondTheLimit) {
  LocalApi api;
  api.options.body_bytes_max = 1000;
  api.Start();
  const WireReply reply = api.Call("POST", "/v1beta/models/gemini-embedding-2:embedContent",
                                   std::string(2'000'000, ' '));
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(MessageOf(reply), "Request payload size exceeds the limit: 1000 bytes.");
}

}  // namespace
}  // namespace sluice
