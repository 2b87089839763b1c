// What is Vertex AI's own: how its provider reads what the conformance suite cannot make a service
// say.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "api/provider/provider.h"
#include "api/provider/providers.h"
#include "tests/support/service_under_test.h"

namespace sluice {
namespace {

constexpr const char* kJob = "projects/123456/locations/us-central1/batchPredictionJobs/5798";

ProviderOptions ByTables() {
  ProviderOptions options;
  options.model = "gemini-2.5-flash";
  options.task = Task::kGenerate;
  options.project = "my-project";
  options.location = "us-central1";
  options.bigquery_dataset = "d";
  return options;
}

struct VertexUnderTest : ServiceUnderTest {
  explicit VertexUnderTest(std::vector<Play> plays, ProviderOptions options = ByTables())
      : ServiceUnderTest(std::move(plays)) {
    options.base_url = server.url();
    provider = MakeVertexProvider(options, *transport, clock).value();
  }
  std::unique_ptr<Provider> provider;
};

// A job is known by the table that it reads, and that is ours however the service calls our
// project.
TEST(VertexProvider, TablesOfAListAreOursWhenTheirProjectIsANumber) {
  VertexUnderTest test({JsonPlay(
      200,
      fmt::format(R"({{"batchPredictionJobs":[{{"name":"{}","state":"JOB_STATE_RUNNING",)"
                  R"("inputConfig":{{"bigquerySource":{{"inputUri":"bq://123456.d.in_x"}}}}}},)"
                  R"({{"name":"{}","inputConfig":{{"gcsSource":{{"uris":["gs://my-b/x"]}}}}}}]}})",
                  kJob, kJob))});
  const auto page = test.provider->ListJobs("", {});
  ASSERT_TRUE(page.has_value()) << page.error().message;
  EXPECT_EQ(page->jobs.at(0).source_file, "bq://my-project.d.in_x");
  EXPECT_EQ(page->jobs.at(1).source_file, "gs://my-b/x");
}

// There is no input to look for: the job's own word stands.
TEST(VertexProvider, AFailedJobThatNamesNoSourceIsReadAsItIs) {
  VertexUnderTest test({JsonPlay(200, fmt::format(R"({{"name":"{}","state":"JOB_STATE_FAILED",)"
                                                  R"("error":{{"code":9,"message":"no"}}}})",
                                                  kJob))});
  const auto job = test.provider->GetJob(kJob, {});
  ASSERT_TRUE(job.has_value()) << job.error().message;
  EXPECT_TRUE(job->failed());
  EXPECT_EQ(job->error->code, 9);
}

TEST(VertexProvider, TablesWantTheRegionOfTheirDataset) {
  SystemClock clock;
  const auto transport = MakeCurlTransport({});
  for (const char* location : {"", "global"}) {
    ProviderOptions options = ByTables();
    options.location = location;
    const auto provider = MakeVertexProvider(options, *transport, clock);
    ASSERT_FALSE(provider.has_value()) << location;
    EXPECT_EQ(provider.error().code, ErrorCode::kUsage);
    EXPECT_NE(provider.error().hint.find("--location"), std::string::npos);
  }
}

// Who cannot sign in.
class NoToken final : public AccessTokens {
 public:
  Result<std::string> Token(std::stop_token /*stop*/) override {
    return Fail(ErrorCode::kAuth, "revoked");
  }
  void Refused(const std::string& /*token*/) override {}
  std::string account() const override { return "nobody"; }
  std::string quota_project() const override { return ""; }
};

TEST(VertexProvider, ACreateThatNobodySignedInForWasNotSent) {
  ProviderOptions options = ByTables();
  options.tokens = std::make_shared<NoToken>();
  VertexUnderTest test({}, options);
  const CreateAnswer answer = test.provider->CreateJob({.task = Task::kGenerate,
                                                        .model = options.model,
                                                        .staged_file = "bq://my-project.d.in_x",
                                                        .display_name = "sluice/r/1/1"},
                                                       {});
  EXPECT_EQ(answer.outcome, CreateOutcome::kRefused);
  EXPECT_EQ(answer.error->code, ErrorCode::kAuth);
  EXPECT_EQ(test.server.connection_count(), 0);
}

}  // namespace
}  // namespace sluice
