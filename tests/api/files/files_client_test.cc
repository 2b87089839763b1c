#include "api/files/files_client.h"

#include <fmt/format.h>
#include <future>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/files/sha256.h"
#include "io/json/json_document.h"
#include "tests/support/service_under_test.h"

namespace sluice {
namespace {

using Json = nlohmann::json;
using std::chrono::seconds;

// The smallest source: bytes of a string, given in parts.
class StringSource final : public ByteSource {
 public:
  explicit StringSource(const std::string& text) : rest_(text) {}
  Result<size_t> Read(std::span<std::byte> buffer) override {
    const size_t size = std::min({rest_.size(), buffer.size(), size_t{70'000}});
    std::ranges::copy(AsBytes(rest_.substr(0, size)), buffer.begin());
    rest_.remove_prefix(size);
    return size;
  }

 private:
  std::string_view rest_;
};

StageSource SourceOf(const std::string& text) {
  return {.open = [&text]() -> Result<std::unique_ptr<ByteSource>> {
            return std::make_unique<StringSource>(text);
          },
          .size = text.size()};
}

std::string Content(size_t size) {
  std::string text;
  for (uint32_t state = 1; text.size() < size;) {
    state = state * 1664525 + 1013904223;
    text += static_cast<char>(state >> 24);
  }
  return text;
}

std::string Base64(std::string_view text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < text.size(); i += 3) {
    const std::string_view part = text.substr(i, 3);
    uint32_t bits = 0;
    for (size_t j = 0; j < 3; ++j) {
      bits = bits << 8 | (j < part.size() ? static_cast<unsigned char>(part[j]) : 0U);
    }
    for (size_t j = 0; j < 4; ++j) {
      out += j <= part.size() ? kAlphabet[bits >> (18 - 6 * j) & 63] : '=';
    }
  }
  return out;
}

std::string FileJson(const std::string& content, const std::string& state = "ACTIVE",
                     const std::string& name = "files/sl-1") {
  return fmt::format(
      R"({{"name":"{}","mimeType":"application/jsonl","sizeBytes":"{}","sha256Hash":"{}","state":"{}"}})",
      name, content.size(), Base64(Sha256Hex(content)), state);
}

class FilesUnderTest : public ServiceUnderTest {
 public:
  FilesUnderTest() : ServiceUnderTest({}) {}

  FilesUnderTest& Started(const std::string& id = "s1") {
    server.Add(
        {.answer = HttpAnswer(200, "",
                              {"X-Goog-Upload-Status: active",
                               fmt::format("X-Goog-Upload-URL: {}/upload/v1beta/files?upload_id={}"
                                           "&upload_protocol=resumable",
                                           server.url(), id),
                               "X-Goog-Upload-Chunk-Granularity: 8388608"})});
    return *this;
  }
  FilesUnderTest& Final(const std::string& file_json) {
    server.Add({.answer = HttpAnswer(200, "{\"file\":" + file_json + "}\n",
                                     {"X-Goog-Upload-Status: final"})});
    return *this;
  }
  FilesUnderTest& Received(uint64_t count) {
    server.Add({.answer = HttpAnswer(200, "",
                                     {"X-Goog-Upload-Status: active",
                                      fmt::format("X-Goog-Upload-Size-Received: {}", count)})});
    return *this;
  }
  FilesUnderTest& Plays(Play play) {
    server.Add(std::move(play));
    return *this;
  }
  FilesUnderTest& CutAfter(size_t body_bytes) {
    server.Add({.answer = {}, .end = Play::End::kReset, .read_body_max = body_bytes});
    return *this;
  }

  Result<UploadedFile> Upload(const std::string& content) {
    return files.Upload(SourceOf(content), {.file_id = "sl-1", .display_name = "shard 1"}, {});
  }

  Files files{*service};
};

TEST(FilesUpload, IsTheExchangeOfTheProtocolPage) {
  const std::string content = Content(300'000);
  FilesUnderTest test;
  test.Started().Final(FileJson(content));
  uint64_t told = 0;
  const auto uploaded = test.files.Upload(
      SourceOf(content),
      {.file_id = "sl-1", .display_name = "shard 1", .progress = [&](uint64_t n) { told = n; }},
      {});
  ASSERT_TRUE(uploaded.has_value()) << uploaded.error().message;
  EXPECT_EQ(uploaded->file.name, "files/sl-1");
  EXPECT_EQ(uploaded->file.state, FileState::kActive);
  EXPECT_EQ(uploaded->sha256, Sha256Hex(content));
  EXPECT_EQ(told, content.size());

  const auto sent = test.server.requests();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].method, "POST");
  EXPECT_EQ(sent[0].target, "/upload/v1beta/files");
  EXPECT_EQ(sent[0].Header("x-goog-api-key"), kTestKey);
  EXPECT_EQ(sent[0].Header("x-goog-upload-protocol"), "resumable");
  EXPECT_EQ(sent[0].Header("x-goog-upload-command"), "start");
  EXPECT_EQ(sent[0].Header("x-goog-upload-header-content-length"), "300000");
  EXPECT_EQ(sent[0].Header("x-goog-upload-header-content-type"), "application/jsonl");
  EXPECT_EQ(sent[0].Header("content-type"), "application/json");
  EXPECT_EQ(ParseJson(sent[0].body),
            ParseJson(R"({"file":{"displayName":"shard 1","mimeType":"application/jsonl",
                                    "sizeBytes":"300000","name":"files/sl-1"}})"));
  EXPECT_EQ(sent[1].method, "POST");
  EXPECT_EQ(sent[1].target, "/upload/v1beta/files?upload_id=s1&upload_protocol=resumable");
  EXPECT_EQ(sent[1].Header("x-goog-upload-command"), "upload, finalize");
  EXPECT_EQ(sent[1].Header("x-goog-upload-offset"), "0");
  EXPECT_EQ(sent[1].Header("content-length"), "300000");
  EXPECT_EQ(sent[1].Header("x-goog-api-key"), "");
  EXPECT_EQ(sent[1].body, content);
}

TEST(FilesUpload, GoesOnWhereTheServiceStandsAfterACut) {
  const std::string content = Content(3'000'000);
  FilesUnderTest test;
  test.Started().CutAfter(1'000'000).Received(800'001).CutAfter(10).Received(800'001);
  test.CutAfter(1'500'000).Received(2'300'000).Final(FileJson(content));
  const auto uploaded = test.Upload(content);
  ASSERT_TRUE(uploaded.has_value()) << uploaded.error().message;
  EXPECT_EQ(uploaded->sha256, Sha256Hex(content));

  const auto sent = test.server.requests();
  ASSERT_EQ(sent.size(), 8U);
  EXPECT_EQ(sent[2].Header("x-goog-upload-command"), "query");
  EXPECT_EQ(sent[2].Header("content-length"), "0");
  EXPECT_EQ(sent[3].Header("x-goog-upload-offset"), "800001");
  EXPECT_EQ(sent[5].Header("x-goog-upload-offset"), "800001");
  EXPECT_EQ(sent[7].Header("x-goog-upload-offset"), "2300000");
  EXPECT_EQ(sent[7].Header("x-goog-upload-command"), "upload, finalize");
  EXPECT_EQ(content.substr(0, 800'001) + sent[5].body.substr(0, 1'499'999) + sent[7].body, content);
}

TEST(FilesUpload, FinalizesWhenOnlyTheAnswerWasLost) {
  const std::string content = Content(1000);
  {
    FilesUnderTest test;
    test.Started().CutAfter(1000).Final(FileJson(content));  // The query says: final.
    EXPECT_TRUE(test.Upload(content).has_value());
    EXPECT_EQ(test.server.requests().size(), 3U);
  }
  {
    FilesUnderTest test;
    test.Started().CutAfter(1000).Received(1000).Final(FileJson(content));
    EXPECT_TRUE(test.Upload(content).has_value());
    const ReceivedRequest last = test.server.requests().at(3);
    EXPECT_EQ(last.Header("x-goog-upload-command"), "finalize");
    EXPECT_EQ(last.Header("x-goog-upload-offset"), "1000");
    EXPECT_EQ(last.body, "");
  }
}

TEST(FilesUpload, AsksAfterAnswersThatSayNothing) {
  const std::string content = Content(1000);
  for (const Play& play :
       {JsonPlay(200, ""), JsonPlay(503, ""), JsonPlay(429, ""), JsonPlay(502, "<html>"),
        Play{.answer = HttpAnswer(409, "offset mismatch\n")},
        Play{.answer = HttpAnswer(400, "not a multiple\n")}, Play{.answer = HttpAnswer(416, "")},
        Play{.answer = HttpAnswer(308, "")},
        Play{.answer = HttpAnswer(200, "", {"X-Goog-Upload-Status: active"})}}) {
    FilesUnderTest test;
    test.Started().Plays(play).Received(500).Final(FileJson(content));
    const auto uploaded = test.Upload(content);
    ASSERT_TRUE(uploaded.has_value()) << uploaded.error().message;
    EXPECT_EQ(test.server.requests().at(3).body, content.substr(500));
  }
}

TEST(FilesUpload, RepeatsTheQueryItself) {
  const std::string content = Content(1000);
  FilesUnderTest test;
  test.Started().CutAfter(500).Plays(JsonPlay(503, "")).CutAfter(0);
  test.Plays({.answer = HttpAnswer(200, "", {"X-Goog-Upload-Status: active"})});  // No count.
  test.Received(400).Final(FileJson(content));
  EXPECT_TRUE(test.Upload(content).has_value());
  EXPECT_EQ(test.server.requests().size(), 7U);
}

TEST(FilesUpload, OpensANewSessionWhenOneIsGone) {
  const std::string content = Content(1000);
  for (const Play& gone :
       {Play{.answer = HttpAnswer(404, "unknown upload\n")}, Play{.answer = HttpAnswer(410, "")},
        Play{.answer = HttpAnswer(200, "", {"X-Goog-Upload-Status: cancelled"})}}) {
    FilesUnderTest test;
    test.Started().CutAfter(500).Plays(gone).Started("s2").Final(FileJson(content));
    ASSERT_TRUE(test.Upload(content).has_value());
    const auto sent = test.server.requests();
    ASSERT_EQ(sent.size(), 5U);
    EXPECT_EQ(sent[3].body, sent[0].body);
    EXPECT_EQ(sent[4].target, "/upload/v1beta/files?upload_id=s2&upload_protocol=resumable");
    EXPECT_EQ(sent[4].Header("x-goog-upload-offset"), "0");
    EXPECT_EQ(sent[4].body, content);
  }
}

// A final answer that tells neither size nor hash proves nothing: the file is asked for once.
TEST(FilesUpload, LooksAtTheFileWhenTheAnswerTellsNothingOfIt) {
  const std::string content = Content(1000);
  const std::string bare = R"({"name":"files/sl-1","state":"ACTIVE"})";
  FilesUnderTest test;
  test.Started().Final(bare).Plays(JsonPlay(200, FileJson(content)));
  const auto uploaded = test.Upload(content);
  ASSERT_TRUE(uploaded.has_value()) << uploaded.error().message;
  EXPECT_EQ(uploaded->file.size_bytes, content.size());
  EXPECT_EQ(test.server.requests().at(2).method, "GET");
  for (const std::string& told : {bare, FileJson("other"), FileJson(Content(1001))}) {
    FilesUnderTest other;
    other.Started().Final(bare).Plays(JsonPlay(200, told)).Plays(JsonPlay(200, "{}"));
    EXPECT_EQ(other.Upload(content).error().code, ErrorCode::kBadAnswer);
    EXPECT_EQ(other.server.requests().back().method, "DELETE");
  }
}

// A refusal of a middlebox: the session is asked, and the upload goes on.
TEST(FilesUpload, GoesOnAfterAnothersRefusal) {
  const std::string content = Content(1000);
  FilesUnderTest test;
  test.Started().Plays(JsonPlay(403, "<html>")).Received(500).Final(FileJson(content));
  EXPECT_TRUE(test.Upload(content).has_value());
}

TEST(FilesDelete, OnlyTheServiceSaysThatAFileIsGone) {
  for (const Play& play : {JsonPlay(200, "<html>sign in</html>"), JsonPlay(404, "<html>"),
                           JsonPlay(403, "<html>the file may not exist</html>")}) {
    FilesUnderTest test;
    test.Plays(play).Plays(play).Plays(play).Plays(play).Plays(play);
    EXPECT_EQ(test.files.Delete("files/sl-1").error().code, ErrorCode::kBadAnswer);
  }
}

TEST(FilesUpload, GivesUpWithoutProgress) {
  const std::string content = Content(100'000);
  FilesUnderTest test;
  test.Started();
  for (int i = 0; i < 50; ++i) {
    test.CutAfter(1000).Received(0);
  }
  EXPECT_EQ(test.Upload(content).error().code, ErrorCode::kTransport);
  EXPECT_LT(test.server.requests().size(), 20U);
}

TEST(FilesUpload, SendsNothingToAnotherOrigin) {
  const std::string content = Content(1000);
  ScriptedServer other({JsonPlay(200, "{}")});
  for (const std::string& url :
       {other.url() + "/upload?upload_id=s1", std::string("https://evil.example/upload"),
        std::string("//evil.example/"), std::string("file:///etc/passwd")}) {
    FilesUnderTest test;
    test.Plays({.answer = HttpAnswer(200, "", {"X-Goog-Upload-URL: " + url})});
    const auto uploaded = test.Upload(content);
    EXPECT_EQ(uploaded.error().code, ErrorCode::kRefused) << url;
    EXPECT_EQ(uploaded.error().message.find("upload_id"), std::string::npos);
    EXPECT_EQ(test.server.requests().size(), 1U);
  }
  EXPECT_EQ(other.connection_count(), 0);
}

TEST(FilesUpload, TellsNeitherKeyNorUploadAddress) {
  const std::string content = Content(1000);
  FilesUnderTest test;
  test.Started();
  for (int i = 0; i < 30; ++i) {
    test.Plays(JsonPlay(503, fmt::format("{} is overloaded", kTestKey)));
  }
  const Error error = test.Upload(content).error();
  EXPECT_EQ(error.message, "upload of files/sl-1: HTTP 503: [key] is overloaded");
}

TEST(FilesUpload, TriesTheNextMimeTypeAndRemembersTheOneThatWasTaken) {
  const std::string content = Content(1000);
  FilesUnderTest test;
  const std::string refusal =
      R"({"error":{"code":400,"message":"Unsupported MIME type: application/jsonl","status":"INVALID_ARGUMENT"}})";
  test.Started().Plays({.answer = HttpAnswer(400, refusal, {"X-Goog-Upload-Status: final"})});
  test.Started().Final(FileJson(content));
  test.Started().Final(FileJson(content));
  EXPECT_TRUE(test.Upload(content).has_value());
  EXPECT_TRUE(test.Upload(content).has_value());
  const auto sent = test.server.requests();
  ASSERT_EQ(sent.size(), 6U);
  for (const size_t start : {2U, 4U}) {
    EXPECT_EQ(sent[start].Header("x-goog-upload-header-content-type"), "application/json");
    EXPECT_EQ(ParseJson(sent[start].body)["file"]["mimeType"], "application/json");
  }
}

TEST(FilesUpload, OtherRefusalsAreFinal) {
  const std::string content = Content(1000);
  FilesUnderTest test;
  const std::string refusal =
      R"({"error":{"code":400,"message":"Invalid file name","status":"INVALID_ARGUMENT"}})";
  test.Started().Plays({.answer = HttpAnswer(400, refusal, {"X-Goog-Upload-Status: final"})});
  EXPECT_EQ(test.Upload(content).error().code, ErrorCode::kRefused);
  EXPECT_EQ(test.server.requests().size(), 2U);
}

TEST(FilesUpload, ADifferentFileAtTheServiceIsDeletedAndAnError) {
  const std::string content = Content(1000);
  std::string flipped = content;
  flipped[500] = static_cast<char>(flipped[500] ^ 1);
  for (const std::string& stored : {flipped, content.substr(0, 999)}) {
    FilesUnderTest test;
    test.Started().Final(FileJson(stored)).Plays(JsonPlay(200, "{}"));
    EXPECT_EQ(test.Upload(content).error().code, ErrorCode::kBadAnswer);
    EXPECT_EQ(test.server.requests().at(2).method, "DELETE");
    EXPECT_EQ(test.server.requests().at(2).target, "/v1beta/files/sl-1");
  }
  FilesUnderTest test;
  test.Started().Final(FileJson(content, "ACTIVE", "files/other"));
  EXPECT_EQ(test.Upload(content).error().code, ErrorCode::kBadAnswer);
}

TEST(FilesUpload, AdoptsAFileOfTheSameNameAndContentOnly) {
  const std::string content = Content(1000);
  const Play taken =
      JsonPlay(409, R"({"error":{"code":409,"message":"exists","status":"ALREADY_EXISTS"}})");
  FilesUnderTest same;
  same.Plays(taken).Plays(JsonPlay(200, FileJson(content)));
  const auto adopted = same.Upload(content);
  ASSERT_TRUE(adopted.has_value()) << adopted.error().message;
  EXPECT_EQ(adopted->sha256, Sha256Hex(content));
  FilesUnderTest other;
  other.Plays(taken).Plays(JsonPlay(200, FileJson(Content(999))));
  EXPECT_EQ(other.Upload(content).error().code, ErrorCode::kConflict);
  FilesUnderTest late;  // Told only after the bytes.
  late.Started().Plays(taken).Plays(JsonPlay(200, FileJson(content)));
  EXPECT_TRUE(late.Upload(content).has_value());
}

TEST(FilesUpload, RefusesASourceOfAnotherLength) {
  const std::string content = Content(200'000);
  for (const uint64_t size : {content.size() + 1, content.size() - 1}) {
    FilesUnderTest test;
    test.Started().Final(FileJson(content));
    StageSource source = SourceOf(content);
    source.size = size;
    EXPECT_EQ(test.files.Upload(source, {.file_id = "sl-1"}, {}).error().code, ErrorCode::kIo);
  }
  FilesUnderTest test;
  EXPECT_EQ(test.Upload("").error().code, ErrorCode::kInput);
  for (const char* id :
       {"Upper", "under_score", "-a", "a-", "a/b", "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddde"}) {
    EXPECT_EQ(test.files.Upload(SourceOf(content), {.file_id = id}, {}).error().code,
              ErrorCode::kUsage);
  }
}

TEST(FilesUpload, StopsPromptly) {
  const std::string content = Content(1000);
  FilesUnderTest test;
  test.Started().Plays({.answer = {}, .end = Play::End::kHang});
  std::stop_source source;
  auto uploaded = std::async(std::launch::async, [&] {
    return test.files.Upload(SourceOf(content), {.file_id = "sl-1"}, source.get_token());
  });
  test.server.AwaitRequests(2);
  const auto begin = std::chrono::steady_clock::now();
  source.request_stop();
  EXPECT_EQ(uploaded.get().error().code, ErrorCode::kUnfinished);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(1));
}

TEST(Files, GetListAndDelete) {
  const std::string missing =
      R"({"error":{"code":403,"message":"You do not have permission to access the File sl-1 or it may not exist.","status":"PERMISSION_DENIED"}})";
  FilesUnderTest test;
  test.Plays(JsonPlay(200, FileJson("abc")))
      .Plays(JsonPlay(403, missing))
      .Plays(JsonPlay(200, "{\"files\":[" + FileJson("abc") + "],\"nextPageToken\":\"t/\"}"))
      .Plays(JsonPlay(200, "{}"))
      .Plays(JsonPlay(200, "{}"))
      .Plays(JsonPlay(403, missing));
  const RemoteFile file = test.files.Get("files/sl-1", {}).value();
  EXPECT_EQ(file.size_bytes, 3U);
  EXPECT_EQ(file.mime_type, "application/jsonl");
  EXPECT_EQ(test.files.Get("files/sl-1", {}).error().code, ErrorCode::kNotFound);
  const FilePage page = test.files.List({}, {}).value();
  EXPECT_EQ(page.files.at(0).name, "files/sl-1");
  EXPECT_TRUE(test.files.List({.page_token = page.next_page_token}, {}).value().files.empty());
  EXPECT_TRUE(test.files.Delete("files/sl-1", {}).has_value());
  EXPECT_EQ(test.files.Delete("files/sl-1", {}).error().code, ErrorCode::kNotFound);
  const auto sent = test.server.requests();
  EXPECT_EQ(sent.at(0).target, "/v1beta/files/sl-1");
  EXPECT_EQ(sent.at(2).target, "/v1beta/files?pageSize=100");
  EXPECT_EQ(sent.at(3).target, "/v1beta/files?pageSize=100&pageToken=t%2F");
  EXPECT_EQ(sent.at(4).method, "DELETE");
  EXPECT_EQ(test.files.Get("files/../batches", {}).error().code, ErrorCode::kUsage);
}

TEST(Files, WaitActivePollsUntilTheFileIsDone) {
  FilesUnderTest test;
  test.Plays(JsonPlay(200, FileJson("abc", "PROCESSING")))
      .Plays(JsonPlay(200, FileJson("abc", "PROCESSING")))
      .Plays(JsonPlay(200, FileJson("abc")));
  EXPECT_EQ(test.files.WaitActive("files/sl-1", {}).value().state, FileState::kActive);
  EXPECT_EQ(test.clock.sleeps().size(), 2U);

  FilesUnderTest failed;
  failed.Plays(
      JsonPlay(200, R"({"name":"files/sl-1","state":"FAILED","error":{"message":"bad"}})"));
  EXPECT_EQ(failed.files.WaitActive("files/sl-1", {}).error().message,
            "files/sl-1: the service could not process the file: bad");

  FilesUnderTest endless;
  for (int i = 0; i < 100; ++i) {
    endless.Plays(JsonPlay(200, FileJson("abc", "PROCESSING")));
  }
  EXPECT_EQ(endless.files.WaitActive("files/sl-1", {}).error().code, ErrorCode::kUnavailable);
}

// What a download wrote, and how often it began again.
struct Taken {
  std::string bytes;
  int restarts = 0;
};

Result<uint64_t> Download(FilesUnderTest& test, Taken& taken, uint64_t bytes_max = 1 << 30) {
  return test.files.Download(
      "files/batch-x", bytes_max,
      [&](std::span<const std::byte> bytes) -> Result<void> {
        taken.bytes.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        return {};
      },
      [&]() -> Result<void> {
        taken.bytes.clear();
        ++taken.restarts;
        return {};
      },
      {});
}

Play Whole(const std::string& content, const std::string& etag = "\"v1\"") {
  return {.answer = HttpAnswer(200, content, {"ETag: " + etag})};
}

Play WholeCutAfter(const std::string& content, size_t size) {
  std::string answer = Whole(content).answer;
  answer.resize(answer.size() - content.size() + size);
  return {.answer = answer, .end = Play::End::kClose};
}

Play Part(const std::string& content, size_t from, size_t total,
          const std::string& etag = "\"v1\"") {
  return {.answer = HttpAnswer(
              206, content.substr(from),
              {fmt::format("Content-Range: bytes {}-{}/{}", from, content.size() - 1, total),
               "ETag: " + etag})};
}

TEST(FilesDownload, IsTheExchangeOfTheProtocolPage) {
  const std::string content = Content(1'000'000);
  FilesUnderTest test;
  test.Plays(Whole(content));
  Taken taken;
  EXPECT_EQ(Download(test, taken).value(), content.size());
  EXPECT_EQ(taken.bytes, content);
  const ReceivedRequest sent = test.server.requests().at(0);
  EXPECT_EQ(sent.method, "GET");
  EXPECT_EQ(sent.target, "/v1beta/files/batch-x:download?alt=media");
  EXPECT_EQ(sent.Header("x-goog-api-key"), kTestKey);
  EXPECT_EQ(sent.Header("range"), "");
}

TEST(FilesDownload, AMissingFolderIsNoMissingFile) {
  FilesUnderTest test;
  const auto size = test.files.DownloadFile("files/batch-x", "/nonexistent/answers");
  EXPECT_EQ(size.error().code, ErrorCode::kUsage);
}

TEST(FilesDownload, GoesOnByRangeAfterCuts) {
  const std::string content = Content(100'000);
  FilesUnderTest test;
  Play second = Part(content, 40'000, content.size());
  second.answer.resize(second.answer.size() - 10'000);
  second.end = Play::End::kClose;
  test.Plays(WholeCutAfter(content, 40'000)).Plays(JsonPlay(503, "")).Plays(second);
  test.Plays(Part(content, 90'000, content.size()));
  Taken taken;
  EXPECT_EQ(Download(test, taken).value(), content.size());
  EXPECT_EQ(taken.bytes, content);
  EXPECT_EQ(taken.restarts, 0);
  EXPECT_EQ(test.server.requests().at(1).Header("range"), "bytes=40000-");
  EXPECT_EQ(test.server.requests().at(3).Header("range"), "bytes=90000-");
}

TEST(FilesDownload, BeginsFromZeroWhenTheRangeIsIgnored) {
  const std::string content = Content(100'000);
  FilesUnderTest test;
  test.Plays(WholeCutAfter(content, 40'000)).Plays(Whole(content));
  Taken taken;
  EXPECT_EQ(Download(test, taken).value(), content.size());
  EXPECT_EQ(taken.bytes, content);
  EXPECT_EQ(taken.restarts, 1);
}

TEST(FilesDownload, BeginsFromZeroWhenTheRangeIsAnother) {
  const std::string content = Content(100'000);
  for (const Play& wrong :
       {Part(content, 39'999, content.size()), Part(content, 40'000, content.size() + 1),
        Part(content, 40'000, content.size(), "\"v2\""),
        Play{.answer = HttpAnswer(206, content.substr(40'000), {"ETag: \"v1\""})},
        Play{.answer = HttpAnswer(416, "")}}) {
    FilesUnderTest test;
    test.Plays(WholeCutAfter(content, 40'000)).Plays(wrong).Plays(Whole(content));
    Taken taken;
    const auto size = Download(test, taken);
    ASSERT_TRUE(size.has_value()) << size.error().message;
    EXPECT_EQ(taken.bytes, content);
    EXPECT_EQ(taken.restarts, 1);
    EXPECT_EQ(test.server.requests().at(2).Header("range"), "");
  }
}

TEST(FilesDownload, GivesUpWithoutProgressAndOnRefusals) {
  FilesUnderTest cut;
  for (int i = 0; i < 50; ++i) {
    cut.Plays(WholeCutAfter(Content(1000), 0));
  }
  Taken taken;
  EXPECT_EQ(Download(cut, taken).error().code, ErrorCode::kTransport);
  EXPECT_LE(cut.server.requests().size(), 6U);
  FilesUnderTest gone;
  gone.Plays(JsonPlay(404, R"({"error":{"code":404,"message":"x","status":"NOT_FOUND"}})"));
  EXPECT_EQ(Download(gone, taken).error().code, ErrorCode::kNotFound);
}

// However the first bytes are cut into pieces.
TEST(FilesDownload, APackIsRefusedAndNothingOfItStays) {
  for (const std::string& magic : {std::string("\x1f\x8b"), std::string("(\xb5/\xfd")}) {
    for (const int pause : {0, 5}) {
      FilesUnderTest test;
      test.Plays({.answer = HttpAnswer(200, magic + " packed"),
                  .pause_per_byte = std::chrono::milliseconds(pause)});
      test.Plays(Whole("(whole)"));
      Taken taken;
      EXPECT_EQ(Download(test, taken).value(), 7U);
      EXPECT_EQ(taken.bytes, "(whole)");
      FilesUnderTest staying;
      for (int i = 0; i < 9; ++i) {
        staying.Plays({.answer = HttpAnswer(200, magic + " packed"),
                       .pause_per_byte = std::chrono::milliseconds(pause / 5)});
      }
      Taken nothing;
      EXPECT_EQ(Download(staying, nothing).error().code, ErrorCode::kBadAnswer);
      EXPECT_EQ(nothing.bytes, "");
    }
  }
}

TEST(FilesDownload, IsBounded) {
  FilesUnderTest test;
  test.Plays({.answer = "HTTP/1.1 200 OK\r\n\r\n", .end = Play::End::kEndless});
  Taken taken;
  EXPECT_EQ(Download(test, taken, 1 << 20).error().code, ErrorCode::kRefused);
  EXPECT_LE(taken.bytes.size(), size_t{1} << 20);
  EXPECT_EQ(test.server.requests().size(), 1U);
}

TEST(FilesDownload, AnEmptyFileIsWhole) {
  FilesUnderTest test;
  test.Plays(Whole(""));
  Taken taken;
  EXPECT_EQ(Download(test, taken).value(), 0U);
}

}  // namespace
}  // namespace sluice
