#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/provider/provider.h"
#include "io/json/json_document.h"
#include "tests/support/collected_bytes.h"
#include "tests/support/service_under_test.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

struct GeminiUnderTest {
  explicit GeminiUnderTest(std::vector<Play> plays) : server(std::move(plays)) {
    provider = MakeProvider("gemini", Options(), *transport, clock).value();
  }
  ProviderOptions Options() const {
    ProviderOptions options;
    options.base_url = server.url();
    options.api_key = kTestKey;
    return options;
  }

  ScriptedServer server;
  ManualClock clock;
  std::unique_ptr<Transport> transport = MakeCurlTransport({});
  std::unique_ptr<Provider> provider;
};

Result<std::string> Fetch(Provider& provider, const BatchJob& job) {
  CollectedBytes bytes;
  SLUICE_TRY(provider.FetchAnswers(job, bytes.writer(), bytes.restart(), {}));
  return bytes.text;
}

BatchJob JobNamed(const char* name) {
  BatchJob job;
  job.name = name;
  return job;
}

TEST(GeminiProvider, FetchesInlineAnswersAsLines) {
  GeminiUnderTest test({JsonPlay(200, R"({"name":"batches/a","done":true,"response":
      {"inlinedResponses":{"inlinedResponses":[
        {"response":{"embedding":{"values":[0.5]}},"metadata":{"key":"7"}},
        {"error":{"code":3},"metadata":{"key":"8"}}]}}})")});
  const std::string lines = Fetch(*test.provider, JobNamed("batches/a")).value();
  const size_t middle = lines.find('\n');
  EXPECT_EQ(ParseJson(lines.substr(0, middle))["key"], "7");
  EXPECT_EQ(ParseJson(lines.substr(0, middle))["response"]["embedding"]["values"][0], 0.5);
  EXPECT_EQ(ParseJson(lines.substr(middle + 1))["key"], "8");
}

TEST(GeminiProvider, FetchesAFileWithoutLookingAtItFirst) {
  GeminiUnderTest test({JsonPlay(200, "{\"key\":\"1\"}\n")});
  BatchJob job = JobNamed("batches/a");
  job.result_file = "files/batch-a";
  EXPECT_EQ(Fetch(*test.provider, job).value(), "{\"key\":\"1\"}\n");
  EXPECT_EQ(test.server.requests().at(0).target, "/v1beta/files/batch-a:download?alt=media");
}

TEST(GeminiProvider, AJobWithoutAnswersIsNotFound) {
  GeminiUnderTest test(
      {JsonPlay(200, R"({"name":"batches/a","metadata":{"state":"BATCH_STATE_EXPIRED"}})")});
  const auto fetched = Fetch(*test.provider, JobNamed("batches/a"));
  EXPECT_EQ(fetched.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(fetched.error().message, "batches/a (EXPIRED) has no responses");
}

TEST(GeminiProvider, EmbedsOneText) {
  GeminiUnderTest test({JsonPlay(200, R"({"embedding":{"values":[0.25,-1]}})"),
                        JsonPlay(200, R"({"embedding":{"values":[1]}})")});
  EXPECT_EQ(test.provider->EmbedText("gemini-embedding-001", "a \"text\"", 2, {}).value(),
            (std::vector<float>{0.25F, -1.0F}));
  EXPECT_EQ(test.provider->EmbedText("gemini-embedding-001", "b", 0, {}).value().size(), 1U);
  const auto sent = test.server.requests();
  EXPECT_EQ(sent.at(0).method, "POST");
  EXPECT_EQ(sent.at(0).target, "/v1beta/models/gemini-embedding-001:embedContent");
  EXPECT_EQ(ParseJson(sent.at(0).body),
            ParseJson(R"({"content":{"parts":[{"text":"a \"text\""}]},"outputDimensionality":2})"));
  EXPECT_EQ(ParseJson(sent.at(1).body), ParseJson(R"({"content":{"parts":[{"text":"b"}]}})"));
}

TEST(GeminiProvider, RefusesVectorsThatAreNone) {
  for (const char* body :
       {"{}", R"({"embedding":{"values":[]}})", R"({"embedding":{"values":[1]}})",
        R"({"embedding":{"values":[1,"2"]}})", R"({"embedding":{"values":[1,null]}})",
        R"({"embedding":{"values":[1,1e99]}})", R"({"embedding":[1,2]})"}) {
    GeminiUnderTest test(std::vector<Play>(5, JsonPlay(200, body)));
    EXPECT_EQ(test.provider->EmbedText("m", "t", 2, {}).error().code, ErrorCode::kBadAnswer)
        << body;
  }
}

TEST(GeminiProvider, DeletingAFileThatIsGoneIsASuccessButAWrongKeyIsNot) {
  GeminiUnderTest test({
      JsonPlay(
          403,
          R"({"error":{"code":403,"message":"You do not have permission to access the File x or it may not exist.","status":"PERMISSION_DENIED"}})"),
      JsonPlay(404, R"({"error":{"code":404,"message":"x","status":"NOT_FOUND"}})"),
      JsonPlay(
          403,
          R"({"error":{"code":403,"message":"Your API key was reported as leaked.","status":"PERMISSION_DENIED"}})"),
  });
  EXPECT_TRUE(test.provider->DeleteFile("files/x", {}).has_value());
  EXPECT_TRUE(test.provider->DeleteFile("files/x", {}).has_value());
  EXPECT_EQ(test.provider->DeleteFile("files/x", {}).error().code, ErrorCode::kAuth);
}

TEST(GeminiProvider, TheFingerprintTellsAccountsApartAndNothingElse) {
  GeminiUnderTest test({});
  const std::string first = test.provider->account_fingerprint();
  EXPECT_EQ(first.size(), 16U);
  EXPECT_EQ(first, MakeProvider("gemini", test.Options(), *test.transport, test.clock)
                       .value()
                       ->account_fingerprint());
  ProviderOptions other_key = test.Options();
  other_key.api_key += "x";
  ProviderOptions other_place = test.Options();
  other_place.base_url = "https://example.com";
  for (const ProviderOptions& options : {other_key, other_place}) {
    EXPECT_NE(first, MakeProvider("gemini", options, *test.transport, test.clock)
                         .value()
                         ->account_fingerprint());
  }
}

TEST(MakeProvider, KnowsItsProviders) {
  GeminiUnderTest test({});
  EXPECT_EQ(MakeProvider("nobody", {}, *test.transport, test.clock).error().code,
            ErrorCode::kUsage);
  EXPECT_EQ(ProviderNames(), (std::vector<std::string>{"gemini", "vertex"}));
}

}  // namespace
}  // namespace sluice
