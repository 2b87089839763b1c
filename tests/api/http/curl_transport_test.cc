#include "api/http/curl_transport.h"

#include <cstdlib>
#include <fmt/format.h>
#include <future>
#include <gtest/gtest.h>
#include <thread>

#include "io/file/file_system.h"
#include "tests/support/scripted_server.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

HttpRequest Get(const ScriptedServer& server, std::string path = "/thing?token=secret") {
  HttpRequest request;
  request.url = server.url() + std::move(path);
  return request;
}

HttpRequest Post(const ScriptedServer& server, std::string body) {
  HttpRequest request = Get(server);
  request.method = "POST";
  request.body = std::move(body);
  return request;
}

// A body of `size` bytes in which each byte tells its place.
BodyReader CountingReader(uint64_t size) {
  return [size, at = uint64_t{0}](std::span<std::byte> buffer) mutable -> Result<size_t> {
    const auto part = static_cast<size_t>(std::min<uint64_t>(size - at, buffer.size()));
    for (size_t i = 0; i < part; ++i) {
      buffer[i] = static_cast<std::byte>((at + i) % 251);
    }
    at += part;
    return part;
  };
}

class CurlTransportTest : public testing::Test {
 protected:
  Result<HttpResponse> Send(const HttpRequest& request) { return transport_->Send(request); }
  std::unique_ptr<Transport> transport_ = MakeCurlTransport({.user_agent = "sluice/test"});
};

TEST_F(CurlTransportTest, BringsStatusHeadersAndBody) {
  ScriptedServer server({{.answer = HttpAnswer(201, "hello", {"X-Thing:  a b ", "x-empty:"})}});
  HttpRequest request = Post(server, "{\"a\":1}");
  request.headers = {{"Content-Type", "application/json"}, {"X-Key", "k"}, {"X-None", ""}};
  const HttpResponse answer = Send(request).value();
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.Header("x-thing"), "a b");
  EXPECT_EQ(answer.Header("x-empty"), "");
  EXPECT_EQ(answer.Header("x-absent"), std::nullopt);

  const ReceivedRequest received = server.requests().at(0);
  EXPECT_EQ(received.method, "POST");
  EXPECT_EQ(received.target, "/thing?token=secret");
  EXPECT_EQ(received.body, "{\"a\":1}");
  EXPECT_EQ(received.Header("content-type"), "application/json");
  EXPECT_EQ(received.Header("content-length"), "7");
  EXPECT_EQ(received.Header("x-key"), "k");
  EXPECT_EQ(received.Header("user-agent"), "sluice/test");
  EXPECT_EQ(received.Header("accept-encoding"), "");
  EXPECT_EQ(received.Header("expect"), "");
}

TEST_F(CurlTransportTest, SendsNoContentTypeOfItsOwn) {
  ScriptedServer server({JsonPlay(200, "{}"), JsonPlay(200, "{}"), JsonPlay(200, "{}")});
  ASSERT_TRUE(Send(Post(server, "")).has_value());
  HttpRequest remove = Get(server);
  remove.method = "DELETE";
  ASSERT_TRUE(Send(remove).has_value());
  ASSERT_TRUE(Send(Get(server)).has_value());
  const auto received = server.requests();
  EXPECT_EQ(received.at(0).Header("content-length"), "0");
  EXPECT_EQ(received.at(1).method, "DELETE");
  EXPECT_EQ(received.at(2).method, "GET");
  for (const ReceivedRequest& request : received) {
    EXPECT_EQ(request.Header("content-type"), "");
    EXPECT_EQ(request.body, "");
  }
}

TEST_F(CurlTransportTest, UsesAConnectionAgainUnlessAFreshOneIsAskedFor) {
  ScriptedServer server(
      {JsonPlay(200, "1"), JsonPlay(200, "2"), JsonPlay(200, "3"), JsonPlay(200, "4")});
  HttpRequest fresh = Get(server);
  fresh.fresh_connection = true;
  for (const HttpRequest& request : {Get(server), Get(server), fresh, Get(server)}) {
    ASSERT_TRUE(Send(request).has_value());
  }
  std::vector<int> connections;
  for (const ReceivedRequest& request : server.requests()) {
    connections.push_back(request.connection);
  }
  EXPECT_EQ(connections, (std::vector{1, 1, 2, 1}));
}

// What libcurl 7.88.1 does with a POST on a used connection that dies: the ground for
// HttpRequest::fresh_connection. When this fails, that comment is out of date.
TEST_F(CurlTransportTest, AReusedConnectionThatDiesIsSentThePostTwice) {
  ScriptedServer server(
      {JsonPlay(200, "{}"), {.answer = {}, .end = Play::End::kClose}, JsonPlay(200, "{}")});
  ASSERT_TRUE(Send(Get(server)).has_value());
  EXPECT_TRUE(Send(Post(server, "buy")).has_value());
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST_F(CurlTransportTest, APostOnAFreshConnectionThatDiesArrivesOnce) {
  for (const Play::End end : {Play::End::kClose, Play::End::kReset}) {
    ScriptedServer server({JsonPlay(200, "{}"),
                           {.answer = {}, .end = end},
                           JsonPlay(200, "{}"),
                           JsonPlay(200, "{}")});
    ASSERT_TRUE(Send(Get(server)).has_value());
    HttpRequest request = Post(server, "buy");
    request.fresh_connection = true;
    const auto answer = Send(request);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, ErrorCode::kTransport);
    EXPECT_EQ(server.requests().size(), 2U);
    EXPECT_EQ(server.connection_count(), 2);
  }
}

TEST_F(CurlTransportTest, StreamsABodyUp) {
  constexpr uint64_t kSize = 5'000'001;
  ScriptedServer server({JsonPlay(200, "{}")});
  HttpRequest request = Post(server, "");
  request.body_reader = CountingReader(kSize);
  request.body_size = kSize;
  ASSERT_TRUE(Send(request).has_value());
  const ReceivedRequest received = server.requests().at(0);
  EXPECT_EQ(received.Header("content-length"), "5000001");
  EXPECT_EQ(received.Header("transfer-encoding"), "");
  ASSERT_EQ(received.body.size(), kSize);
  for (size_t i = 0; i < kSize; ++i) {
    ASSERT_EQ(static_cast<unsigned char>(received.body[i]), i % 251);
  }
}

TEST_F(CurlTransportTest, ABodyThatEndsEarlyIsAnErrorAtOnce) {
  ScriptedServer server({JsonPlay(200, "{}")});
  HttpRequest request = Post(server, "");
  request.body_reader = CountingReader(100);
  request.body_size = 200;
  const auto answer = Send(request);
  EXPECT_EQ(answer.error().code, ErrorCode::kIo);
  EXPECT_EQ(answer.error().message,
            "POST /thing: the body ended 100 bytes before its announced end");
}

TEST_F(CurlTransportTest, ErrorsAndExceptionsOfCallbacksComeBack) {
  ScriptedServer server(
      {JsonPlay(200, "{}"), JsonPlay(200, "{}"), JsonPlay(200, "{}"), JsonPlay(200, "{}")});
  HttpRequest read = Post(server, "");
  read.body_size = 10;
  read.body_reader = [](std::span<std::byte>) -> Result<size_t> {
    return Fail(ErrorCode::kInput, "corrupt");
  };
  EXPECT_EQ(Send(read).error().message, "corrupt");
  HttpRequest write = Get(server);
  write.body_writer = [](std::span<const std::byte>) -> Result<void> {
    return Fail(ErrorCode::kIo, "disk full");
  };
  EXPECT_EQ(Send(write).error().message, "disk full");
  HttpRequest head = Get(server);
  head.head_reader = [](const HttpResponse& answer) -> Result<void> {
    return Fail(ErrorCode::kBadAnswer, fmt::format("saw {}", answer.status));
  };
  EXPECT_EQ(Send(head).error().message, "saw 200");
  write.body_writer = [](std::span<const std::byte>) -> Result<void> {
    throw std::runtime_error("thrown");
  };
  EXPECT_THROW(static_cast<void>(Send(write)), std::runtime_error);
}

TEST_F(CurlTransportTest, OnlyA2xxBodyReachesTheWriter) {
  ScriptedServer server({JsonPlay(500, "sorry"), JsonPlay(206, "wanted")});
  std::string written;
  HttpRequest request = Get(server);
  request.body_writer = [&](std::span<const std::byte> bytes) -> Result<void> {
    written.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  };
  EXPECT_EQ(Send(request).value().body, "sorry");
  EXPECT_EQ(written, "");
  EXPECT_EQ(Send(request).value().body, "");
  EXPECT_EQ(written, "wanted");
}

TEST_F(CurlTransportTest, DoesNotFollowRedirects) {
  ScriptedServer other({JsonPlay(200, "{}")});
  for (const int status : {301, 302, 307, 308}) {
    ScriptedServer server(
        {{.answer = HttpAnswer(status, "", {"Location: " + other.url() + "/stolen"})}});
    EXPECT_EQ(Send(Get(server)).value().status, status);
  }
  EXPECT_EQ(other.connection_count(), 0);
}

TEST_F(CurlTransportTest, BoundsTheBody) {
  ScriptedServer server(
      {{.answer = "HTTP/1.1 200 OK\r\n\r\n", .end = Play::End::kEndless},
       {.answer = HttpAnswer(200, std::string(1001, 'x')), .end = Play::End::kClose},
       {.answer = HttpAnswer(200, std::string(1000, 'x'))}});
  HttpRequest request = Get(server);
  request.answer_bytes_max = 1000;
  for (int i = 0; i < 2; ++i) {
    const auto answer = Send(request);
    EXPECT_EQ(answer.error().code, ErrorCode::kTransport);
    EXPECT_EQ(answer.error().message, "GET /thing: the answer is larger than 1000 bytes");
  }
  EXPECT_EQ(Send(request).value().body.size(), 1000U);
}

TEST_F(CurlTransportTest, BoundsAnErrorBodyWhenThereIsAWriter) {
  ScriptedServer server({{.answer = "HTTP/1.1 500 X\r\n\r\n", .end = Play::End::kEndless}});
  HttpRequest request = Get(server);
  request.answer_bytes_max = uint64_t{64} << 30;
  request.body_writer = [](std::span<const std::byte>) -> Result<void> { return {}; };
  const auto answer = Send(request);
  EXPECT_EQ(answer.error().code, ErrorCode::kTransport);
  EXPECT_EQ(answer.error().http_status, 500);
}

TEST_F(CurlTransportTest, BoundsTheHeaders) {
  std::string many = "HTTP/1.1 200 OK\r\n";
  while (many.size() < 70'000) {
    many += "X-Filler: " + std::string(100, 'x') + "\r\n";
  }
  ScriptedServer server({{.answer = many, .end = Play::End::kHang},
                         {.answer = "HTTP/1.1 200 OK\r\nX: " + std::string(80'000, 'x') + "\r\n",
                          .end = Play::End::kHang}});
  EXPECT_EQ(Send(Get(server)).error().code, ErrorCode::kTransport);
  EXPECT_EQ(Send(Get(server)).error().code, ErrorCode::kTransport);
}

TEST_F(CurlTransportTest, BoundsTheNumberOfHeaders) {
  for (const auto& [count, good] : {std::pair{200, true}, std::pair{2000, false}}) {
    std::vector<std::string> lines;
    for (int i = 0; i < count; ++i) {
      lines.push_back(fmt::format("X-{}: a", i));
    }
    ScriptedServer server({{.answer = HttpAnswer(200, "{}", lines)}});
    const auto answer = Send(Get(server));
    EXPECT_EQ(answer.has_value(), good) << count;
    EXPECT_EQ(good ? ErrorCode::kTransport : answer.error().code, ErrorCode::kTransport);
  }
}

// Whole, cut, told in layers: nothing packed is unpacked, and nothing of it reaches a writer.
TEST_F(CurlTransportTest, RefusesAnswersInAContentCoding) {
  for (const char* coding : {"gzip", "GZIP", "gzip, gzip, gzip", "br", "zstd", "x"}) {
    const std::string line = fmt::format("Content-Encoding: {}", coding);
    ScriptedServer server({{.answer = HttpAnswer(200, "\x1f\x8b packed", {line})},
                           {.answer = HttpAnswer(503, "\x1f\x8b packed", {line})}});
    HttpRequest request = Get(server);
    request.body_writer = [&](std::span<const std::byte>) -> Result<void> {
      ADD_FAILURE() << coding;
      return {};
    };
    EXPECT_EQ(Send(request).error().code, ErrorCode::kBadAnswer) << coding;
    EXPECT_EQ(Send(request).value().status, 503) << coding;  // The status still tells.
  }
  ScriptedServer server({{.answer = HttpAnswer(200, "{}", {"Content-Encoding: identity"})}});
  EXPECT_EQ(Send(Get(server)).value().body, "{}");
}

TEST_F(CurlTransportTest, ATrickleIsAStall) {
  ScriptedServer server(
      {{.answer = HttpAnswer(200, std::string(100'000, 'x')), .pause_per_byte = milliseconds(20)}});
  HttpRequest request = Get(server);
  request.timeout = milliseconds(0);
  request.stall_timeout = milliseconds(1000);
  EXPECT_EQ(Send(request).error().code, ErrorCode::kTransport);
}

TEST_F(CurlTransportTest, ACutAnswerIsATransportError) {
  ScriptedServer server(
      {{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", .end = Play::End::kClose},
       {.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhalf",
        .end = Play::End::kClose},
       {.answer = "HTTP/1.1 200 OK\r\nContent-Le", .end = Play::End::kReset},
       {.answer = "220 mail.example ESMTP\r\n", .end = Play::End::kClose}});
  for (int i = 0; i < 4; ++i) {
    HttpRequest request = Get(server);
    request.fresh_connection = true;
    EXPECT_EQ(Send(request).error().code, ErrorCode::kTransport) << i;
  }
}

TEST_F(CurlTransportTest, ReadsAnAnswerThatComesBeforeTheBodyWasSent) {
  ScriptedServer server(
      {{.answer = HttpAnswer(503, "busy"), .end = Play::End::kHang, .read_body_max = 1000}});
  constexpr uint64_t kSize = 64 << 20;
  HttpRequest request = Post(server, "");
  request.body_reader = CountingReader(kSize);
  request.body_size = kSize;
  EXPECT_EQ(Send(request).value().status, 503);
}

int FreePort() { return ScriptedServer({}).port(); }

TEST_F(CurlTransportTest, WhatCannotBeReachedWasNotSent) {
  HttpRequest request;
  request.url = fmt::format("http://127.0.0.1:{}/x?token=secret", FreePort());
  const auto refused = Send(request);
  EXPECT_EQ(refused.error().code, ErrorCode::kNotSent);
  EXPECT_EQ(refused.error().message.find("secret"), std::string::npos);
  request.url = "https://no-such-host.invalid/";
  EXPECT_EQ(Send(request).error().code, ErrorCode::kNotSent);
}

TEST_F(CurlTransportTest, GoesOnAfterFailuresOfEveryStage) {
  ScriptedServer server(std::vector<Play>(4, JsonPlay(200, "{}")));
  ScriptedServer hanging({{.answer = {}, .end = Play::End::kHang}});
  for (const std::string& url :
       {std::string("https://no-such-host.invalid/"),
        fmt::format("http://127.0.0.1:{}/", FreePort()),
        fmt::format("https://127.0.0.1:{}/", server.port()), hanging.url() + "/"}) {
    HttpRequest failing;
    failing.url = url;
    failing.timeout = milliseconds(300);
    EXPECT_FALSE(Send(failing).has_value()) << url;
    EXPECT_FALSE(Send(failing).has_value()) << url;
    EXPECT_TRUE(Send(Get(server)).has_value()) << url;
  }
}

TEST_F(CurlTransportTest, TimesOutAndStallsAreTransportErrors) {
  ScriptedServer server(
      {{.answer = {}, .end = Play::End::kHang},
       {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", .end = Play::End::kHang}});
  HttpRequest request = Get(server);
  request.timeout = milliseconds(100);
  EXPECT_EQ(Send(request).error().code, ErrorCode::kTransport);
  request.timeout = milliseconds(0);
  request.stall_timeout = milliseconds(500);
  EXPECT_EQ(Send(request).error().code, ErrorCode::kTransport);
}

TEST_F(CurlTransportTest, StopsPromptlyWhereverItWaits) {
  const std::vector<Play> plays = {
      {.answer = {}, .end = Play::End::kHang},
      {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", .end = Play::End::kHang},
      {.answer = "HTTP/1.1 200 OK\r\n\r\n", .end = Play::End::kEndless}};
  for (const Play& play : plays) {
    ScriptedServer server({play});
    std::stop_source source;
    HttpRequest request = Get(server);
    request.stop = source.get_token();
    request.body_writer = [](std::span<const std::byte>) -> Result<void> { return {}; };
    request.answer_bytes_max = UINT64_MAX;
    auto answer = std::async(std::launch::async, [&] { return Send(request); });
    server.AwaitRequests(1);
    const auto begin = std::chrono::steady_clock::now();
    source.request_stop();
    EXPECT_EQ(answer.get().error().code, ErrorCode::kUnfinished);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(1));
  }
}

TEST_F(CurlTransportTest, SendsNothingWhenStoppedBefore) {
  ScriptedServer server({JsonPlay(200, "{}")});
  std::stop_source source;
  source.request_stop();
  HttpRequest request = Get(server);
  request.stop = source.get_token();
  EXPECT_EQ(Send(request).error().code, ErrorCode::kUnfinished);
  EXPECT_EQ(server.connection_count(), 0);
}

TEST_F(CurlTransportTest, RefusesLineBreaksInHeaders) {
  ScriptedServer server({JsonPlay(200, "{}")});
  for (const std::string& value :
       {std::string("a\r\nX-Evil: 1"), std::string("a\nb"), std::string("a\0b", 3)}) {
    HttpRequest request = Get(server);
    request.headers = {{"X-Thing", value}};
    EXPECT_EQ(Send(request).error().code, ErrorCode::kUsage);
    request.headers = {{"X-Thing" + value, "x"}};
    EXPECT_EQ(Send(request).error().code, ErrorCode::kUsage);
  }
  EXPECT_EQ(server.connection_count(), 0);
}

TEST_F(CurlTransportTest, SpeaksPlainHttpToThisMachineOnly) {
  for (const char* url :
       {"http://example.com/", "http://192.0.2.1/", "ftp://127.0.0.1/", "file:///etc/passwd",
        "http://127.0.0.1@example.com/", "gopher://localhost/"}) {
    HttpRequest request;
    request.url = url;
    EXPECT_EQ(Send(request).error().code, ErrorCode::kUsage) << url;
  }
}

TEST_F(CurlTransportTest, SendsNoHttpToAServerThatDoesNotSpeakTls) {
  ScriptedServer server({JsonPlay(200, "{}")});
  HttpRequest request;
  request.url = fmt::format("https://127.0.0.1:{}/secret-path", server.port());
  request.timeout = milliseconds(500);  // The server waits for a head that never comes.
  EXPECT_EQ(Send(request).error().code, ErrorCode::kTransport);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(CurlTransportTest, UsesNoProxyForThisMachine) {
  ScriptedServer proxy({JsonPlay(200, "from the proxy")});
  ScriptedServer server({JsonPlay(200, "direct")});
  setenv("http_proxy", proxy.url().c_str(), 1);
  const auto answer = Send(Get(server));
  unsetenv("http_proxy");
  EXPECT_EQ(answer.value().body, "direct");
  EXPECT_EQ(proxy.connection_count(), 0);
}

TEST_F(CurlTransportTest, ManyThreadsSendAtOnce) {
  constexpr size_t kThreads = 8;
  constexpr size_t kEach = 50;
  ScriptedServer server(std::vector<Play>(kThreads * kEach, JsonPlay(200, "{}")));
  std::atomic<size_t> good = 0;
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (size_t call = 0; call < kEach; ++call) {
          good += Send(Get(server)).has_value() ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(good, kThreads * kEach);
  EXPECT_LE(server.connection_count(), static_cast<int>(kThreads));
}

}  // namespace
}  // namespace sluice
