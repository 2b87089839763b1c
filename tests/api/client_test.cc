#include "api/client.h"

#include <algorithm>
#include <csignal>
#include <gtest/gtest.h>
#include <map>

#include "tests/support/local_client.h"
#include "tests/support/scripted_server.h"

namespace sluice {
namespace {

// Options of a process with these variables and no others.
ClientOptions With(std::map<std::string, std::string> variables) {
  ClientOptions options;
  options.environment = [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  return options;
}

TEST(Client, TakesKeyAddressAndVersionFromTheEnvironment) {
  ScriptedServer server({JsonPlay(200, "{}")});
  const auto client = MakeClient(With({{"GEMINI_API_KEY", "second"},
                                       {"GOOGLE_API_KEY", "first"},
                                       {"GOOGLE_GEMINI_BASE_URL", server.url()},
                                       {"GOOGLE_GENAI_API_VERSION", "v1alpha"}}));
  ASSERT_TRUE((*client)->batches().List().has_value());
  EXPECT_EQ(server.requests().at(0).Header("x-goog-api-key"), "first");
  EXPECT_EQ(server.requests().at(0).target, "/v1alpha/batches?pageSize=100");
}

TEST(Client, WhatIsGivenOverrulesTheEnvironment) {
  ScriptedServer server({JsonPlay(200, "{}")});
  ClientOptions options = With({{"GOOGLE_API_KEY", "theirs"},
                                {"GOOGLE_GEMINI_BASE_URL", "https://elsewhere.example"},
                                {"GOOGLE_GENAI_API_VERSION", "v1alpha"}});
  options.api_key = "mine";
  options.base_url = server.url();
  options.api_version = "v1";
  ASSERT_TRUE((*MakeClient(options))->files().List().has_value());
  EXPECT_EQ(server.requests().at(0).Header("x-goog-api-key"), "mine");
  EXPECT_EQ(server.requests().at(0).target, "/v1/files?pageSize=100");
}

TEST(Client, TheVersionBetaIsShortForV1beta) {
  ScriptedServer server({JsonPlay(200, "{}")});
  const auto client = MakeClient(With({{"GOOGLE_API_KEY", "first"},
                                       {"GOOGLE_GEMINI_BASE_URL", server.url()},
                                       {"GOOGLE_GENAI_API_VERSION", "beta"}}));
  ASSERT_TRUE((*client)->batches().List().has_value());
  EXPECT_EQ(server.requests().at(0).target, "/v1beta/batches?pageSize=100");
}

TEST(Client, OnlyALoopbackServiceNeedsNoKey) {
  EXPECT_EQ(MakeClient(With({})).error().code, ErrorCode::kAuth);
  ScriptedServer server({JsonPlay(200, "{}")});
  const auto client = MakeClient(With({{"GOOGLE_GEMINI_BASE_URL", server.url()}}));
  ASSERT_TRUE((*client)->batches().List().has_value());
  // The local service refuses calls without a key, as the real one does.
  EXPECT_NE(server.requests().at(0).Header("x-goog-api-key"), "");
  ClientOptions options = With({{"GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:9"}});
  options.api_key_file = "/nonexistent/key";
  EXPECT_FALSE(MakeClient(options).has_value());
}

TEST(Client, SignsInAtVertexByTheEnvironment) {
  ScriptedServer server({JsonPlay(200, "{}")});
  ClientOptions options = With({{"GOOGLE_CLOUD_PROJECT", "my-project"},
                                {"GOOGLE_CLOUD_LOCATION", "europe-west4"},
                                {"GOOGLE_VERTEX_BASE_URL", server.url()},
                                {"GOOGLE_GENAI_API_VERSION", "v1beta"},
                                {"GOOGLE_GEMINI_BASE_URL", "https://elsewhere.example"},
                                {"SLUICE_GOOGLE_ACCESS_TOKEN", "AIzaTestKey-token"}});
  options.sign_in = SignIn::kVertex;
  const auto client = MakeClient(options);
  ASSERT_TRUE(client.has_value()) << client.error().message;
  ASSERT_TRUE((*client)->batches().List().has_value());
  EXPECT_EQ(server.requests().at(0).target,
            "/v1beta1/projects/my-project/locations/europe-west4/batchPredictionJobs?pageSize=100");
  EXPECT_EQ(server.requests().at(0).Header("authorization"), "Bearer AIzaTestKey-token");
  EXPECT_EQ(server.requests().at(0).Header("x-goog-api-key"), "");
  EXPECT_EQ((*client)->files().List().error().code, ErrorCode::kUsage);
  EXPECT_EQ((*client)->files().UploadBytes("x").error().code, ErrorCode::kUsage);
}

TEST(Client, VertexNeedsAProjectAndNoKey) {
  ClientOptions options = With({{"SLUICE_GOOGLE_ACCESS_TOKEN", "AIzaTestKey-token"}});
  options.sign_in = SignIn::kVertex;
  EXPECT_EQ(MakeClient(options).error().code, ErrorCode::kUsage);
  options.project = "my-project";
  EXPECT_TRUE(MakeClient(options).has_value());
  options.location = "us/central1";
  EXPECT_EQ(MakeClient(options).error().code, ErrorCode::kUsage);
  options.location = "us";
  options.api_key = "k";
  EXPECT_EQ(MakeClient(options).error().code, ErrorCode::kUsage);
}

TEST(Client, LeavesAHandlerOfSigpipeAlone) {
  const auto theirs = [](int) {};
  const auto before = std::signal(SIGPIPE, theirs);
  ASSERT_TRUE(MakeClient(With({{"GOOGLE_API_KEY", "k"}})).has_value());
  EXPECT_EQ(std::signal(SIGPIPE, SIG_DFL), static_cast<void (*)(int)>(theirs));
  ASSERT_TRUE(MakeClient(With({{"GOOGLE_API_KEY", "k"}})).has_value());
  EXPECT_EQ(std::signal(SIGPIPE, before), SIG_IGN);
}

// The seed's calls, one after the other, against the local service.

TEST(ClientWorkflow, AFileJobFromUploadToResponses) {
  LocalClient local({"cut-download@2", "item-error=1@1"});
  const UploadedFile input =
      local.files().UploadBytes(LocalClient::Lines(200), {.display_name = "in"}).value();
  const BatchJob job = local.batches()
                           .CreateEmbeddings({.model = "gemini-embedding-001",
                                              .staged_file = input.file.name,
                                              .display_name = "job"})
                           .result()
                           .value();
  const BatchJob ended = local.Wait(job).value();
  EXPECT_TRUE(ended.succeeded());
  std::map<std::string, int> seen;
  int failed = 0;
  const auto count =
      local.batches().ForEachResponse(ended, [&](const JobResponse& response) -> Result<void> {
        ++seen[response.key];
        failed += response.ok() ? 0 : 1;
        EXPECT_EQ(response.vector.size(), response.ok() ? 8U : 0U);
        return {};
      });
  ASSERT_TRUE(count.has_value()) << count.error().message;
  EXPECT_EQ(*count, 200U);
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(seen.size(), 200U);
  // A job out of a list leads to the same.
  const BatchJob listed = local.batches().ListAll().Next().value().value();
  EXPECT_EQ(local.batches().GetResponses(listed).value().size(), 200U);
  const std::string path = local.folder.Path("out.jsonl");
  const uint64_t size = local.files().DownloadFile(ended.result_file, path).value();
  EXPECT_EQ(TempFolder::Read(path).size(), size);
  EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
}

TEST(ClientWorkflow, AnInlineJobHasTheSameResponses) {
  for (const std::vector<std::string>& faults :
       {std::vector<std::string>{}, std::vector<std::string>{"inline-single-level"}}) {
    LocalClient local(faults);
    const BatchJob job = local.batches()
                             .CreateEmbeddings({.model = "gemini-embedding-001",
                                                .inline_requests = LocalClient::Requests(5)})
                             .result()
                             .value();
    const BatchJob ended = local.Wait(job).value();
    const auto responses = local.batches().GetResponses(ended).value();
    ASSERT_EQ(responses.size(), 5U);
    std::map<std::string, size_t> sizes;
    for (const JobResponse& response : responses) {
      sizes[response.key] = response.vector.size();
    }
    EXPECT_EQ(sizes,
              (std::map<std::string, size_t>{{"0", 8}, {"1", 8}, {"2", 8}, {"3", 8}, {"4", 8}}));
    // A listed job has no inline responses: they are fetched.
    const BatchJob listed = local.batches().ListAll().Next().value().value();
    EXPECT_EQ(local.batches().GetResponses(listed).value().size(), 5U);
  }
}

TEST(ClientWorkflow, AGenerationJobAnswersInText) {
  LocalClient local;
  const BatchJob job =
      local.batches()
          .Create(
              {.task = Task::kGenerate,
               .model = "gemini-2.5-flash",
               .inline_requests = {{.key = "q",
                                    .request = R"({"contents":[{"parts":[{"text":"hello"}]}]})"}},
               .system_instruction = "be brief"})
          .result()
          .value();
  const auto responses = local.batches().GetResponses(local.Wait(job).value()).value();
  ASSERT_EQ(responses.size(), 1U);
  EXPECT_FALSE(responses[0].text.empty());
  EXPECT_EQ(responses[0].finish_reason, "STOP");
  EXPECT_TRUE(responses[0].usage.prompt_tokens.has_value());
}

TEST(ClientWorkflow, ResponsesOfAJobThatHasNoneAreAnError) {
  LocalClient waiting({"stuck-pending"});
  const CreateJobRequest request{.model = "gemini-embedding-001",
                                 .inline_requests = LocalClient::Requests(1)};
  const BatchJob job = waiting.batches().Create(request).result().value();
  EXPECT_EQ(waiting.batches().GetResponses(job).error().code, ErrorCode::kConflict);
  EXPECT_TRUE(waiting.batches().Cancel(job.id().data()).has_value());
  LocalClient expiring({"expire"});
  const BatchJob expired =
      expiring.Wait(expiring.batches().Create(request).result().value()).value();
  EXPECT_EQ(expiring.batches().GetResponses(expired).error().code, ErrorCode::kNotFound);
}

TEST(ClientWorkflow, ListsGoOverManyPages) {
  LocalClient local({"list-empty-page=1"});
  std::vector<std::string> jobs;
  std::vector<std::string> files;
  for (int i = 0; i < 7; ++i) {
    jobs.push_back(
        local.batches()
            .Create({.model = "gemini-embedding-001", .inline_requests = LocalClient::Requests(1)})
            .result()
            .value()
            .name);
    files.push_back(local.files().UploadBytes("content " + std::to_string(i)).value().file.name);
  }
  std::vector<std::string> listed;
  const auto all_jobs = local.batches().ListAll({.page_size = 2}).Rest().value();
  for (const BatchJob& job : all_jobs) {
    listed.push_back(job.name);
  }
  std::ranges::sort(jobs);
  std::ranges::sort(listed);
  EXPECT_EQ(listed, jobs);
  listed.clear();
  const auto all_files = local.files().ListAll({.page_size = 2}).Rest().value();
  for (const RemoteFile& file : all_files) {
    listed.push_back(file.name);
  }
  std::ranges::sort(files);
  std::ranges::sort(listed);
  EXPECT_EQ(listed, files);
}

}  // namespace
}  // namespace sluice
