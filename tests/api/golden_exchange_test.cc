// Golden exchanges: what each call of Batches and Files sends, request by request, compared by
// method, path, all headers and the JSON of the body. The expectations are those of the API's
// reference and of recorded exchanges of the official SDKs (2026).
#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>

#include "api/files/sha256.h"
#include "api/sluice.h"
#include "io/json/json_document.h"
#include "tests/support/scripted_server.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_key.h"

namespace sluice {
namespace {

using Json = nlohmann::json;
using Headers = std::map<std::string, std::string>;

const Headers kPlain = {{"x-goog-api-key", kTestKey}};
const Headers kJson = {{"x-goog-api-key", kTestKey}, {"content-type", "application/json"}};

struct Exchange {
  std::string method;
  std::string target;
  Headers headers;
  std::string body;  // JSON is compared by its meaning
  Play answer;
};

struct Golden {
  std::string name;
  std::vector<Exchange> exchanges;
  std::function<void(Client& client)> call;
};

void PrintTo(const Golden& golden, std::ostream* out) { *out << golden.name; }

template <typename T>
void ExpectValue(const Result<T>& result) {
  EXPECT_TRUE(result.has_value()) << result.error().message;
}

Play Answer(const std::string& json) { return JsonPlay(200, json); }

const Play kPending = Answer(
    R"({"name":"batches/abc","metadata":{"displayName":"my job","state":"BATCH_STATE_PENDING"}})");
const Play kFileResult = Answer(
    R"({"name":"batches/abc","done":true,"metadata":{"state":"BATCH_STATE_SUCCEEDED"},
        "response":{"responsesFile":"files/batch-abc"}})");
const Play kResultLine = Answer(R"({"key":"k1","response":{"embedding":{"values":[1]}}})"
                                "\n");
const std::string kUploaded = "some bytes\n";

std::string FileJson() {
  return R"({"name":"files/f1","mimeType":"application/jsonl","sizeBytes":"11","state":"ACTIVE"})";
}

Exchange GetJob(const Play& answer) { return {"GET", "/v1beta/batches/abc", kPlain, "", answer}; }

// The two requests of an upload; its first one has `file` in its body.
std::vector<Exchange> UploadExchanges(const std::string& file) {
  Headers start = kJson;
  start["x-goog-upload-protocol"] = "resumable";
  start["x-goog-upload-command"] = "start";
  start["x-goog-upload-header-content-length"] = "11";
  start["x-goog-upload-header-content-type"] = "application/jsonl";
  // The upload URL is a secret of its own and takes no key.
  const Headers send = {{"x-goog-upload-command", "upload, finalize"},
                        {"x-goog-upload-offset", "0"}};
  const Play started{.answer = HttpAnswer(200, "",
                                          {"X-Goog-Upload-Status: active",
                                           "X-Goog-Upload-URL: /upload/v1beta/files?upload_id=u1",
                                           "X-Goog-Upload-Chunk-Granularity: 8388608"})};
  const Play final{
      .answer = HttpAnswer(200, R"({"file":)" + FileJson() + "}", {"X-Goog-Upload-Status: final"})};
  return {{"POST", "/upload/v1beta/files", start, R"({"file":)" + file + "}", started},
          {"POST", "/upload/v1beta/files?upload_id=u1", send, kUploaded, final}};
}

std::vector<Golden> BatchCalls() {
  const std::string embed = "/v1beta/models/gemini-embedding-001:asyncBatchEmbedContent";
  const std::string generate = "/v1beta/models/gemini-2.5-flash:batchGenerateContent";
  return {
      {"CreateFromFile",
       {{"POST", generate, kJson,
         R"({"batch":{"inputConfig":{"fileName":"files/f1"},"displayName":"my job"}})", kPending}},
       [](Client& client) {
         ExpectValue(client.batches()
                         .Create({.task = Task::kGenerate,
                                  .model = "gemini-2.5-flash",
                                  .staged_file = "files/f1",
                                  .display_name = "my job"})
                         .result());
       }},
      {"CreateInline",
       {{"POST", generate, kJson,
         R"({"batch":{"inputConfig":{"requests":{"requests":[
              {"request":{"contents":[{"parts":[{"text":"hello"}]}],
                          "generationConfig":{"temperature":0.5},
                          "systemInstruction":{"parts":[{"text":"be brief"}]}},
               "metadata":{"key":"k1"}}]}}}})",
         kPending}},
       [](Client& client) {
         ExpectValue(
             client.batches()
                 .Create(
                     {.task = Task::kGenerate,
                      .model = "gemini-2.5-flash",
                      .inline_requests = {{.key = "k1",
                                           .request =
                                               R"({"contents":[{"parts":[{"text":"hello"}]}]})"}},
                      .generation_config = R"({"temperature":0.5})",
                      .system_instruction = "be brief"})
                 .result());
       }},
      {"CreateEmbeddingsFromFile",
       {{"POST", embed, kJson,
         R"({"batch":{"inputConfig":{"file_name":"files/f1"},"displayName":"my job"}})", kPending}},
       [](Client& client) {
         ExpectValue(client.batches()
                         .CreateEmbeddings({.model = "gemini-embedding-001",
                                            .staged_file = "files/f1",
                                            .display_name = "my job"})
                         .result());
       }},
      {"CreateEmbeddingsInline",
       {{"POST", embed, kJson,
         R"({"batch":{"displayName":"my job","inputConfig":{"requests":{"requests":[
              {"request":{"content":{"parts":[{"text":"a"}]},"outputDimensionality":256},
               "metadata":{"key":"k1"}}]}}}})",
         kPending}},
       [](Client& client) {
         ExpectValue(
             client.batches()
                 .CreateEmbeddings(
                     {.model = "gemini-embedding-001",
                      .inline_requests = {{.key = "k1",
                                           .request = R"({"content":{"parts":[{"text":"a"}]}})"}},
                      .display_name = "my job",
                      .generation_config = R"({"outputDimensionality":256})"})
                 .result());
       }},
      {"Get",
       {GetJob(kPending)},
       [](Client& client) { ExpectValue(client.batches().Get("batches/abc")); }},
      {"List",
       {{"GET", "/v1beta/batches?pageSize=7&pageToken=a%3D%2F&filter=x%20y", kPlain, "",
         Answer("{}")}},
       [](Client& client) {
         ExpectValue(client.batches().List({.page_size = 7, .page_token = "a=/", .filter = "x y"}));
       }},
      {"ListAll",
       {{"GET", "/v1beta/batches?pageSize=100", kPlain, "", Answer(R"({"nextPageToken":"2"})")},
        {"GET", "/v1beta/batches?pageSize=100&pageToken=2", kPlain, "", Answer("{}")}},
       [](Client& client) { ExpectValue(client.batches().ListAll().Next()); }},
      {"Wait",
       {GetJob(kPending), GetJob(kFileResult)},
       [](Client& client) {
         ExpectValue(
             client.batches().Wait("batches/abc", {.poll_interval = std::chrono::milliseconds(1)}));
       }},
      {"Cancel",
       {{"POST", "/v1beta/batches/abc:cancel", kJson, "{}", Answer("{}")}},
       [](Client& client) { ExpectValue(client.batches().Cancel("batches/abc")); }},
      {"Delete",
       {{"DELETE", "/v1beta/batches/abc", kPlain, "", Answer("{}")}},
       [](Client& client) { ExpectValue(client.batches().Delete("batches/abc")); }},
      {"GetResponsesOfAFile",
       {GetJob(kFileResult),
        {"GET", "/v1beta/files/batch-abc:download?alt=media", kPlain, "", kResultLine}},
       [](Client& client) {
         ExpectValue(client.batches().GetResponses(client.batches().Get("abc").value()));
       }},
      {"ForEachResponseOfAListedJob",
       {GetJob(kFileResult),
        {"GET", "/v1beta/files/batch-abc:download?alt=media", kPlain, "", kResultLine}},
       [](Client& client) {
         BatchJob listed;
         listed.name = "batches/abc";
         listed.state = JobState::kSucceeded;
         ExpectValue(client.batches().ForEachResponse(
             listed, [](const JobResponse&) { return Result<void>(); }));
       }},
  };
}

std::vector<Golden> FileCalls() {
  const Exchange get = {"GET", "/v1beta/files/f1", kPlain, "", Answer(FileJson())};
  Exchange processing = get;
  processing.answer = Answer(R"({"name":"files/f1","state":"PROCESSING"})");
  const Exchange download = {"GET", "/v1beta/files/batch-abc:download?alt=media", kPlain, "",
                             kResultLine};
  Headers range = kPlain;
  range["range"] = "bytes=5-";
  return {
      {"Upload",
       UploadExchanges(
           R"({"displayName":"a file","mimeType":"application/jsonl","sizeBytes":"11","name":"files/f1"})"),
       [](Client& client) {
         ExpectValue(client.files().Upload(SourceOfBytes(kUploaded),
                                           {.file_id = "f1", .display_name = "a file"}));
       }},
      {"UploadBytes", UploadExchanges(R"({"mimeType":"application/jsonl","sizeBytes":"11"})"),
       [](Client& client) { ExpectValue(client.files().UploadBytes(kUploaded)); }},
      {"UploadFile", UploadExchanges(R"({"mimeType":"application/jsonl","sizeBytes":"11"})"),
       [](Client& client) {
         const TempFolder folder;
         ExpectValue(client.files().UploadFile(folder.Write("f.jsonl", kUploaded)));
       }},
      {"GetFile", {get}, [](Client& client) { ExpectValue(client.files().Get("files/f1")); }},
      {"ListFiles",
       {{"GET", "/v1beta/files?pageSize=7&pageToken=a%3D%2F", kPlain, "", Answer("{}")}},
       [](Client& client) {
         ExpectValue(client.files().List({.page_size = 7, .page_token = "a=/"}));
       }},
      {"ListAllFiles",
       {{"GET", "/v1beta/files?pageSize=100", kPlain, "", Answer(R"({"nextPageToken":"2"})")},
        {"GET", "/v1beta/files?pageSize=100&pageToken=2", kPlain, "", Answer("{}")}},
       [](Client& client) { ExpectValue(client.files().ListAll().Next()); }},
      {"DeleteFile",
       {{"DELETE", "/v1beta/files/f1", kPlain, "", Answer("{}")}},
       [](Client& client) { ExpectValue(client.files().Delete("files/f1")); }},
      {"WaitActive",
       {processing, get},
       [](Client& client) { ExpectValue(client.files().WaitActive("files/f1")); }},
      {"Download",
       {{"GET",
         "/v1beta/files/batch-abc:download?alt=media",
         kPlain,
         "",
         {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nsome ",
          .end = Play::End::kClose}},
        {"GET",
         "/v1beta/files/batch-abc:download?alt=media",
         range,
         "",
         {.answer = HttpAnswer(206, "bytes\n", {"Content-Range: bytes 5-10/11"})}}},
       [](Client& client) {
         std::string taken;
         ExpectValue(client.files().Download(
             "files/batch-abc", kDownloadBytesMax,
             [&](std::span<const std::byte> bytes) {
               taken.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
               return Result<void>();
             },
             [] { return Result<void>(); }));
         EXPECT_EQ(taken, kUploaded);
       }},
      {"DownloadFile",
       {download},
       [](Client& client) {
         const TempFolder folder;
         ExpectValue(client.files().DownloadFile("files/batch-abc", folder.Path("results")));
       }},
  };
}

std::vector<Golden> AllCalls() {
  std::vector<Golden> calls = BatchCalls();
  for (Golden& call : FileCalls()) {
    calls.push_back(std::move(call));
  }
  return calls;
}

// Without what every HTTP client says.
Headers HeadersOf(const ReceivedRequest& request) {
  Headers headers(request.headers.begin(), request.headers.end());
  EXPECT_EQ(headers["user-agent"], "a-program/1");
  EXPECT_EQ(headers.contains("content-length") ? headers["content-length"] : "0",
            std::to_string(request.body.size()));
  for (const char* name : {"host", "accept", "user-agent", "content-length"}) {
    headers.erase(name);
  }
  return headers;
}

class GoldenExchange : public testing::TestWithParam<Golden> {};

TEST_P(GoldenExchange, IsSentAsThePageShowsIt) {
  const std::vector<Exchange>& expected = GetParam().exchanges;
  ScriptedServer server({});
  for (const Exchange& exchange : expected) {
    Play answer = exchange.answer;
    if (const size_t at = answer.answer.find(": /upload/"); at != std::string::npos) {
      answer.answer.insert(at + 2, server.url());
    }
    server.Add(std::move(answer));
  }
  const auto client = MakeClient({.api_key = kTestKey,
                                  .base_url = server.url(),
                                  .api_version = "v1beta",
                                  .retry = {.first_wait = std::chrono::milliseconds(1)},
                                  .user_agent = "a-program/1"})
                          .value();
  GetParam().call(*client);
  const std::vector<ReceivedRequest> sent = server.requests();
  ASSERT_EQ(sent.size(), expected.size());
  for (size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(sent[i].method, expected[i].method);
    EXPECT_EQ(sent[i].target, expected[i].target);
    EXPECT_EQ(HeadersOf(sent[i]), expected[i].headers);
    if (expected[i].body.starts_with('{')) {
      EXPECT_EQ(ParseJson(sent[i].body), ParseJson(expected[i].body));
    } else {
      EXPECT_EQ(sent[i].body, expected[i].body);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Every, GoldenExchange, testing::ValuesIn(AllCalls()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace sluice
