// The client against the local service, over real connections.
#include "api/storage/storage_client.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/collected_bytes.h"
#include "tests/support/made_bytes.h"
#include "tests/support/local_cloud.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scripted_server.h"
#include "tests/support/service_under_test.h"

namespace sluice {
namespace {

constexpr uint64_t kChunk = 256 << 10;

ObjectName Named(std::string object) {
  return {.bucket = kTestBucket, .object = std::move(object)};
}

std::string Content(size_t size, uint32_t seed = 1) { return BytesWithoutPattern(size, seed); }

// The whole object, or "" and a failure.
std::string Downloaded(const StorageClient& storage, const ObjectName& name) {
  CollectedBytes bytes;
  const auto object = storage.Download(name, uint64_t{1} << 30, bytes.writer(), bytes.restart());
  EXPECT_TRUE(object.has_value()) << object.error().message;
  return object.has_value() ? bytes.text : "";
}

TEST(Storage, WhatIsUploadedCanBeGotListedDownloadedAndDeleted) {
  LocalCloud cloud;
  const StorageClient storage = cloud.storage();
  for (const size_t size : {size_t{0}, size_t{1}, size_t{kChunk}, size_t{kChunk} * 3 + 17}) {
    const ObjectName name = Named(fmt::format("a b/\xc3\xa4+%2F?#/{}.jsonl", size));
    const std::string content = Content(size);
    const auto stored = storage.Upload(
        name, SourceOfBytes(content),
        {.content_type = "application/jsonl", .metadata = {{"run", "7"}}, .chunk_bytes = kChunk});
    ASSERT_TRUE(stored.has_value()) << stored.error().message;
    EXPECT_EQ(stored->size, size);
    EXPECT_EQ(stored->name, name);
    EXPECT_EQ(stored->content_type, "application/jsonl");
    EXPECT_GT(stored->generation, 0);
    EXPECT_EQ(storage.Get(name).value().generation, stored->generation);
    EXPECT_EQ(Downloaded(storage, name), content);
  }
  const auto list = storage.ListAll(kTestBucket, {.prefix = "a b/", .page_size = 2}).Rest().value();
  EXPECT_EQ(list.size(), 4U);
  for (const RemoteObject& object : list) {
    EXPECT_TRUE(storage.Delete(object.name).has_value());
    EXPECT_EQ(storage.Delete(object.name).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(storage.Get(object.name).error().code, ErrorCode::kNotFound);
  }
  EXPECT_TRUE(storage.List(kTestBucket).value().objects.empty());
}

TEST(Storage, AnUploadNeverOverwritesUnlessItIsTold) {
  LocalCloud cloud;
  const StorageClient storage = cloud.storage();
  const ObjectName name = Named("x");
  const auto first = storage.Upload(name, SourceOfBytes("one")).value();
  EXPECT_EQ(storage.Upload(name, SourceOfBytes("one")).value().generation, first.generation);
  EXPECT_EQ(storage.Upload(name, SourceOfBytes("two")).error().code, ErrorCode::kConflict);
  EXPECT_EQ(Downloaded(storage, name), "one");
  const auto second = storage.Upload(name, SourceOfBytes("two"), {.overwrite = true}).value();
  EXPECT_GT(second.generation, first.generation);
  EXPECT_EQ(Downloaded(storage, name), "two");
  EXPECT_EQ(storage.Delete(name, {}, first.generation).error().code, ErrorCode::kConflict);
  EXPECT_TRUE(storage.Delete(name, {}, second.generation).has_value());
}

TEST(Storage, ListsInTheOrderOfNamesWithDelimiterAndPages) {
  LocalCloud cloud({"list-empty-page"});
  const StorageClient storage = cloud.storage();
  for (const char* name : {"b/2", "a", "b/1", "b/c/3", "b0", "z"}) {
    ASSERT_TRUE(storage.Upload(Named(name), SourceOfBytes("x")).has_value());
  }
  std::string names;
  const auto all = storage.ListAll(kTestBucket, {.page_size = 1}).Rest().value();
  for (const RemoteObject& object : all) {
    names += object.name.object + ' ';
  }
  EXPECT_EQ(names, "a b/1 b/2 b/c/3 b0 z ");
  const ObjectPage top = storage.List(kTestBucket, {.delimiter = "/"}).value();
  EXPECT_EQ(top.objects.size(), 3U);
  EXPECT_EQ(top.prefixes, std::vector<std::string>{"b/"});
  const ObjectPage below =
      storage.List(kTestBucket, {.prefix = "b/", .delimiter = "/", .page_size = 2}).value();
  EXPECT_EQ(below.objects.size(), 2U);
  EXPECT_FALSE(below.next_page_token.empty());
  const ObjectPage last = storage
                              .List(kTestBucket, {.prefix = "b/",
                                                  .delimiter = "/",
                                                  .page_size = 2,
                                                  .page_token = below.next_page_token})
                              .value();
  EXPECT_TRUE(last.objects.empty());
  EXPECT_EQ(last.prefixes, std::vector<std::string>{"b/c/"});
  EXPECT_EQ(storage.List("no-such-bucket").error().code, ErrorCode::kNotFound);
}

TEST(Storage, ComposesObjectsInTheirOrder) {
  LocalCloud cloud;
  const StorageClient storage = cloud.storage();
  std::vector<RemoteObject> parts;
  for (const char* part : {"one,", "two,", "three"}) {
    parts.push_back(storage.Upload(Named(part), SourceOfBytes(part)).value());
  }
  const auto whole = storage.Compose(Named("whole"), parts);
  ASSERT_TRUE(whole.has_value()) << whole.error().message;
  EXPECT_EQ(whole->size, 13U);
  EXPECT_EQ(Downloaded(storage, Named("whole")), "one,two,three");
  EXPECT_EQ(storage.Compose(Named("whole"), parts).error().code, ErrorCode::kConflict);
  ASSERT_TRUE(storage.Upload(Named("one,"), SourceOfBytes("new"), {.overwrite = true}).has_value());
  EXPECT_EQ(storage.Compose(Named("again"), parts).error().code, ErrorCode::kConflict);
  EXPECT_EQ(storage.Compose(Named("none"), {}).error().code, ErrorCode::kUsage);
}

TEST(Storage, ReadsParts) {
  LocalCloud cloud;
  const StorageClient storage = cloud.storage();
  const RemoteObject object = storage.Upload(Named("x"), SourceOfBytes("0123456789")).value();
  EXPECT_EQ(storage.ReadRange(object, 0, 4).value(), "0123");
  EXPECT_EQ(storage.ReadRange(object, 7, 100).value(), "789");
  EXPECT_EQ(storage.ReadRange(object, 0, UINT64_MAX).value(), "0123456789");
  EXPECT_EQ(storage.ReadRange(object, 10, 1).value(), "");
  ASSERT_TRUE(storage.Upload(Named("x"), SourceOfBytes("other"), {.overwrite = true}).has_value());
  EXPECT_EQ(storage.ReadRange(object, 0, 4).error().code, ErrorCode::kNotFound);
}

// Each fault on the way, and the bytes are there in the end.
class StorageFault : public testing::TestWithParam<const char*> {};

TEST_P(StorageFault, DoesNotChangeWhatIsStoredOrRead) {
  LocalCloud cloud({GetParam()});
  cloud.WithSignIn();
  const StorageClient storage = cloud.storage();
  const std::string content = Content(kChunk * 8 + 4321);
  const auto stored =
      storage.Upload(Named("x"), SourceOfBytes(content), {.chunk_bytes = 4 * kChunk});
  ASSERT_TRUE(stored.has_value()) << stored.error().message;
  EXPECT_EQ(stored->size, content.size());
  EXPECT_EQ(Downloaded(storage, Named("x")), content);
}

INSTANTIATE_TEST_SUITE_P(Every, StorageFault,
                         testing::Values("http-503=0.3", "keep-less=3", "upload-gone",
                                         "upload-ended=2", "upload-lost", "cut-upload=100000@3",
                                         "cut-download=3", "range-ignored", "range-wrong=2",
                                         "token-refused=1", "error-html"));

TEST(Storage, BytesThatWereChangedOnTheWayAreNotLeftThere) {
  LocalCloud cloud({"corrupt-upload"});
  const StorageClient storage = cloud.storage();
  const Error error = storage.Upload(Named("x"), SourceOfBytes("content")).error();
  EXPECT_EQ(error.code, ErrorCode::kBadAnswer);
  EXPECT_EQ(storage.Get(Named("x")).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(storage.Upload(Named("x"), SourceOfBytes("content")).has_value());
}

// The fence of an attempt at Vertex AI stands on this.
TEST(Storage, OnlyTheServiceSaysThatAnObjectIsDeleted) {
  for (const Play& play : {JsonPlay(200, "<html>sign in</html>"), JsonPlay(404, "<html>"),
                           JsonPlay(403, ""), JsonPlay(200, R"({"error":{"code":503}})")}) {
    ServiceUnderTest test({play, {.answer = "HTTP/1.1 204 No Content\r\n\r\n"}});
    EXPECT_TRUE(StorageClient(*test.service).Delete(Named("x")).has_value());
    EXPECT_EQ(test.server.requests().size(), 2U);
  }
}

TEST(Storage, ATokenOfTwoSecondsFailsNoCallOfALongUpload) {
  LocalCloud cloud;
  cloud.WithSignIn(std::chrono::seconds(2));
  const StorageClient storage = cloud.storage();
  const std::string content = Content(kChunk * 16);
  // The source gives its bytes so slowly that several tokens end on the way.
  class SlowSource final : public ByteSource {
   public:
    SlowSource(std::unique_ptr<ByteSource> bytes, Clock& clock)
        : bytes_(std::move(bytes)), clock_(clock) {}
    Result<size_t> Read(std::span<std::byte> buffer) override {
      clock_.SleepUntil(clock_.Now() + std::chrono::milliseconds(80), {});
      return bytes_->Read(buffer.first(std::min<size_t>(buffer.size(), 64 << 10)));
    }

   private:
    std::unique_ptr<ByteSource> bytes_;
    Clock& clock_;
  };
  const StageSource plain = SourceOfBytes(content);
  const StageSource slow{.open = [&]() -> Result<std::unique_ptr<ByteSource>> {
                           SLUICE_ASSIGN(auto bytes, plain.open());
                           return std::make_unique<SlowSource>(std::move(bytes), cloud.clock);
                         },
                         .size = plain.size};
  const auto stored = storage.Upload(Named("x"), slow, {.chunk_bytes = kChunk});
  ASSERT_TRUE(stored.has_value()) << stored.error().message;
  EXPECT_EQ(Downloaded(storage, Named("x")), content);
  EXPECT_GE(cloud.emulator->counters().requests.at("token"), 3U);
}

TEST(Storage, ARevokedSignInIsOneClearError) {
  LocalCloud cloud;
  cloud.WithSignIn();
  const StorageClient storage = cloud.storage();
  ASSERT_TRUE(storage.Upload(Named("x"), SourceOfBytes("x")).has_value());
  HttpRequest revoke;
  revoke.method = "POST";
  revoke.url = cloud.emulator->base_url() + "/_sluice/revoke";
  ASSERT_EQ(cloud.transport->Send(revoke).value().status, 200);
  const auto before = cloud.emulator->counters().requests["token"];
  for (int i = 0; i < 3; ++i) {
    const Error error = storage.Upload(Named("y"), SourceOfBytes("y")).error();
    EXPECT_EQ(error.code, ErrorCode::kAuth);
    EXPECT_EQ(ExitCode(error.code), 4);
    EXPECT_NE(error.message.find("invalid_grant"), std::string::npos) << error.message;
    EXPECT_FALSE(error.hint.empty());
  }
  EXPECT_EQ(cloud.emulator->counters().requests["token"], before + 1);
}

TEST(Storage, NobodyGetsInWithoutAToken) {
  LocalCloud cloud;
  cloud.WithSignIn();
  static_cast<void>(cloud.service());
  const auto stranger =
      GoogleService::Make({.base_url = cloud.emulator->base_url(), .api_version = "v1"},
                          *cloud.transport, cloud.clock)
          .value();
  const Error error = StorageClient(*stranger).Get(Named("x")).error();
  EXPECT_EQ(error.code, ErrorCode::kAuth);
  EXPECT_EQ(error.http_status, 401);
}

// A service that says what the test tells it to.
struct LyingCloud {
  explicit LyingCloud(std::vector<Play> plays) : server(std::move(plays)) {
    service =
        GoogleService::Make({.base_url = server.url(), .api_version = "v1"}, *transport, clock)
            .value();
  }
  // The start of an upload whose session is at this server.
  [[nodiscard]] Play Session() const {
    return {.answer = HttpAnswer(200, "", {"Location: " + server.url() + "/u?upload_id=1"})};
  }
  static Play Object(const std::string& members) {
    return JsonPlay(200, R"({"bucket":"test-bucket","name":"x",)" + members + "}");
  }
  static Play Incomplete(const std::string& range) {
    return {.answer = HttpAnswer(308, "", {"Range: " + range})};
  }

  ScriptedServer server;
  ManualClock clock;
  std::unique_ptr<Transport> transport = MakeCurlTransport({});
  std::unique_ptr<GoogleService> service;
};

TEST(Storage, SendsWhatTheReferenceShows) {
  LyingCloud cloud({});
  cloud.server.Add(cloud.Session());
  cloud.server.Add(LyingCloud::Incomplete("bytes=0-262143"));
  cloud.server.Add(LyingCloud::Object(R"("size":"262145","generation":"7","crc32c":"AAAAAA==")"));
  cloud.server.Add({.answer = HttpAnswer(204, "")});
  const std::string content = Content(kChunk + 1);
  // The made-up checksum is not that of the content: the object is removed again.
  EXPECT_EQ(
      StorageClient(*cloud.service)
          .Upload(Named("x"), SourceOfBytes(content),
                  {.content_type = "text/plain", .metadata = {{"a", "b"}}, .chunk_bytes = kChunk})
          .error()
          .code,
      ErrorCode::kBadAnswer);
  const auto requests = cloud.server.requests();
  ASSERT_EQ(requests.size(), 4U);
  EXPECT_EQ(requests[0].method + ' ' + requests[0].target,
            "POST /upload/storage/v1/b/test-bucket/o?uploadType=resumable&name=x&"
            "ifGenerationMatch=0");
  EXPECT_EQ(requests[0].Header("x-upload-content-length"), "262145");
  EXPECT_EQ(requests[0].Header("x-upload-content-type"), "text/plain");
  EXPECT_EQ(requests[0].body, R"({"contentType":"text/plain","metadata":{"a":"b"}})");
  EXPECT_EQ(requests[1].method + ' ' + requests[1].target, "PUT /u?upload_id=1");
  EXPECT_EQ(requests[1].Header("content-range"), "bytes 0-262143/262145");
  EXPECT_EQ(requests[1].Header("content-length"), "262144");
  EXPECT_EQ(requests[1].body + requests[2].body, content);
  EXPECT_EQ(requests[2].Header("content-range"), "bytes 262144-262144/262145");
  EXPECT_EQ(requests[3].method + ' ' + requests[3].target,
            "DELETE /storage/v1/b/test-bucket/o/x?ifGenerationMatch=7");
}

TEST(Storage, BelievesNoImpossibleRange) {
  for (const char* range : {"bytes=0-7", "bytes=0-99999999999999999999", "bytes=1-2", "bytes 0-2",
                            "bytes=0-18446744073709551615", "bytes=0--1"}) {
    LyingCloud cloud({});
    cloud.server.Add(cloud.Session());
    cloud.server.Add(LyingCloud::Incomplete(range));
    EXPECT_EQ(
        StorageClient(*cloud.service).Upload(Named("x"), SourceOfBytes("content")).error().code,
        ErrorCode::kBadAnswer)
        << range;
  }
}

TEST(Storage, AnUploadThatMakesNoProgressEnds) {
  LyingCloud cloud({});
  cloud.server.Add(cloud.Session());
  for (int i = 0; i < 20; ++i) {
    cloud.server.Add(LyingCloud::Incomplete("bytes=0-1"));
  }
  EXPECT_EQ(StorageClient(*cloud.service).Upload(Named("x"), SourceOfBytes("content")).error().code,
            ErrorCode::kTransport);
  EXPECT_LT(cloud.server.requests().size(), 12U);
}

TEST(Storage, WrongBytesAreNeverTakenForTheObject) {
  LyingCloud cloud({LyingCloud::Object(R"("size":"3","generation":"7","crc32c":"4waSgw==")"),
                    JsonPlay(200, "abc"), JsonPlay(200, "abc"), JsonPlay(200, "abc")});
  std::string bytes;
  int restarts = 0;
  const auto read = StorageClient(*cloud.service)
                        .Download(
                            Named("x"), 100,
                            [&](std::span<const std::byte> part) -> Result<void> {
                              bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
                              return {};
                            },
                            [&]() -> Result<void> {
                              ++restarts;
                              bytes.clear();
                              return {};
                            });
  EXPECT_EQ(read.error().code, ErrorCode::kBadAnswer);
  EXPECT_EQ(restarts, 3);
  EXPECT_EQ(bytes, "");
  EXPECT_EQ(cloud.server.requests().size(), 4U);
}

TEST(Storage, ABodyThatGoesOnBehindTheObjectEnds) {
  std::vector<Play> plays(20, JsonPlay(200, std::string(1 << 20, 'a')));
  plays.front() = LyingCloud::Object(R"("size":"3","generation":"7","crc32c":"4waSgw==")");
  LyingCloud cloud(plays);
  uint64_t taken = 0;
  const auto read = StorageClient(*cloud.service)
                        .Download(
                            Named("x"), uint64_t{1} << 30,
                            [&](std::span<const std::byte> part) -> Result<void> {
                              taken += part.size();
                              return {};
                            },
                            [] { return Result<void>(); });
  EXPECT_EQ(read.error().code, ErrorCode::kBadAnswer);
  EXPECT_LE(taken, 3U);
}

TEST(Storage, AListHoldsOnlyWhatWasAskedFor) {
  for (const char* name : {"..", "a", "b/other", "../../etc"}) {
    const std::string answer =
        R"({"items":[{"bucket":"test-bucket","name":")" + std::string(name) + R"(","size":"1"}]})";
    LyingCloud cloud(std::vector<Play>(5, JsonPlay(200, answer)));
    EXPECT_EQ(StorageClient(*cloud.service).List("test-bucket", {.prefix = "a/"}).error().code,
              ErrorCode::kBadAnswer)
        << name;
  }
}

TEST(Storage, WhatCannotBeCheckedIsNotRead) {
  const auto read = [](const std::string& members) {
    LyingCloud cloud({LyingCloud::Object(members)});
    return StorageClient(*cloud.service)
        .Download(
            Named("x"), 100, [](std::span<const std::byte>) { return Result<void>(); },
            [] { return Result<void>(); })
        .error();
  };
  EXPECT_EQ(read(R"("size":"3","crc32c":"4waSgw==","contentEncoding":"gzip")").code,
            ErrorCode::kRefused);
  EXPECT_EQ(read(R"("size":"3")").code, ErrorCode::kBadAnswer);
}

TEST(Storage, APartIsTheOneThatWasAsked) {
  RemoteObject object;
  object.name = Named("x");
  object.size = 10;
  object.generation = 7;
  object.crc32c = 1;
  for (const Play& play : {JsonPlay(200, "0123"),
                           Play{.answer = HttpAnswer(206, "1234", {"Content-Range: bytes 1-4/10"})},
                           Play{.answer = HttpAnswer(206, "012", {"Content-Range: bytes 0-3/10"})},
                           Play{.answer = HttpAnswer(206, "0123")}}) {
    LyingCloud cloud(std::vector<Play>(5, play));
    EXPECT_EQ(StorageClient(*cloud.service).ReadRange(object, 0, 4).error().code,
              ErrorCode::kBadAnswer);
  }
}

TEST(Storage, AnAnswerAboutAnotherObjectIsNone) {
  LyingCloud cloud(std::vector<Play>(
      5, JsonPlay(200, R"({"bucket":"test-bucket","name":"y","size":"1","crc32c":"AAAAAA=="})")));
  EXPECT_EQ(StorageClient(*cloud.service).Get(Named("x")).error().code, ErrorCode::kBadAnswer);
}

TEST(Storage, ASessionAtAnotherOriginGetsNothing) {
  ScriptedServer other({});
  ScriptedServer server(
      {{.answer = HttpAnswer(200, "", {"Location: " + other.url() + "/u?upload_id=1"})}});
  SystemClock clock;
  const auto transport = MakeCurlTransport({});
  const auto service =
      GoogleService::Make({.base_url = server.url(), .api_version = "v1"}, *transport, clock)
          .value();
  EXPECT_EQ(StorageClient(*service).Upload(Named("x"), SourceOfBytes("x")).error().code,
            ErrorCode::kRefused);
  EXPECT_EQ(other.connection_count(), 0);
}

TEST(Storage, ObjectsSurviveARestartOfTheService) {
  LocalCloud cloud;
  const RemoteObject stored = cloud.storage().Upload(Named("x"), SourceOfBytes("content")).value();
  cloud.emulator.reset();
  LocalCloud again;
  again.options.state_folder = cloud.options.state_folder;
  again.options.buckets.clear();
  const StorageClient storage = again.storage();
  EXPECT_EQ(storage.Get(Named("x")).value().generation, stored.generation);
  EXPECT_EQ(Downloaded(storage, Named("x")), "content");
}

TEST(StoragePlace, APrivateEndpointNeedsASignIn) {
  const StoragePlace place = StorageOfEnvironment(EnvironmentOf(
      {{"CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE", "https://storage.example.com/storage/v1/"}}));
  EXPECT_EQ(place.options.base_url, "https://storage.example.com");
  EXPECT_FALSE(place.is_emulator);
}

TEST(StoragePlace, IsWhereTheVariableSays) {
  EXPECT_EQ(StorageOfEnvironment(EnvironmentOf({})).options.base_url,
            "https://storage.googleapis.com");
  EXPECT_FALSE(StorageOfEnvironment(EnvironmentOf({})).is_emulator);
  for (const char* value :
       {"127.0.0.1:9000", "http://127.0.0.1:9000", "http://127.0.0.1:9000/",
        "http://127.0.0.1:9000/storage/v1", "http://127.0.0.1:9000/storage/v1/"}) {
    const StoragePlace place =
        StorageOfEnvironment(EnvironmentOf({{"STORAGE_EMULATOR_HOST", value}}));
    EXPECT_EQ(place.options.base_url, "http://127.0.0.1:9000") << value;
    EXPECT_TRUE(place.is_emulator);
  }
}

}  // namespace
}  // namespace sluice
