#include "tools/emulator/http_server.h"

#include <atomic>
#include <future>
#include <gtest/gtest.h>
#include <list>
#include <string>

#include "tests/tools/emulator/wire_client.h"

namespace sluice {
namespace {

std::unique_ptr<HttpServer> Serve(HttpServer::Handler handler) {
  return HttpServer::Start("127.0.0.1", 0, std::move(handler)).value();
}

// The body, and whether it came whole.
std::pair<std::string, bool> ReadAll(Exchange& exchange) {
  std::string body;
  std::vector<std::byte> buffer(1000);
  while (true) {
    const auto count = exchange.ReadBody(buffer);
    if (!count.has_value() || *count == 0) {
      return {body, count.has_value()};
    }
    body.append(reinterpret_cast<const char*>(buffer.data()), *count);
  }
}

void Echo(Exchange& exchange) {
  exchange.Respond(200, {{"X-Test", "yes"}}, ReadAll(exchange).first);
}

TEST(HttpServer, AnswersSeveralRequestsOnOneConnection) {
  const auto server = Serve(Echo);
  WireClient client(server->port());
  for (const std::string body : {"one", "", "three"}) {
    client.Send(RequestText("POST", "/x?y", {}, body));
    const WireReply reply = client.Receive();
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, body);
    EXPECT_EQ(reply.Header("x-test"), "yes");
  }
}

TEST(HttpServer, AnswersRequestsThatCameAtOnce) {
  const auto server = Serve(Echo);
  WireClient client(server->port());
  client.Send(RequestText("POST", "/", {}, "one") + RequestText("POST", "/", {}, "two"));
  EXPECT_EQ(client.Receive().body, "one");
  EXPECT_EQ(client.Receive().body, "two");
}

TEST(HttpServer, GoesOnAfterABodyThatNobodyRead) {
  const auto server = Serve([](Exchange& exchange) { exchange.Respond(404, {}, "no"); });
  WireClient client(server->port());
  client.Send(RequestText("POST", "/", {}, std::string(3'000'000, 'x')));
  EXPECT_EQ(client.Receive().status, 404);
  client.Send(RequestText("GET", "/", {}, ""));
  EXPECT_EQ(client.Receive().status, 404);
}

TEST(HttpServer, TakesChunkedBodies) {
  const auto server = Serve(Echo);
  WireClient client(server->port());
  client.Send(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(client.Receive().body, "abcde");
}

TEST(HttpServer, AsksForABodyThatWaitsForIt) {
  const auto server = Serve(Echo);
  WireClient client(server->port());
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.Receive().status, 100);
  client.Send("abc");
  EXPECT_EQ(client.Receive().body, "abc");
}

TEST(HttpServer, GivesQueryAndHeadersDecoded) {
  std::string seen;
  const auto server = Serve([&](Exchange& exchange) {
    seen = std::string(exchange.method()) + ' ' + std::string(exchange.path()) + ' ' +
           exchange.Query("a").value_or("-") + ' ' + exchange.Query("b").value_or("-") + ' ' +
           exchange.Query("c").value_or("-") + ' ' + exchange.Header("X-THING").value_or("-");
    exchange.Respond(200, {}, "");
  });
  (void)CallOnce(server->port(), "GET", "/p%20q?a=1%2f2+3&b", {{"x-thing", "v"}});
  EXPECT_EQ(seen, "GET /p%20q 1/2 3  - v");
}

TEST(HttpServer, StreamsWithAndWithoutASize) {
  const auto server = Serve([](Exchange& exchange) {
    int left = 3;
    const std::optional<uint64_t> size =
        exchange.path() == "/sized" ? std::optional<uint64_t>(6) : std::nullopt;
    exchange.RespondStream(200, {}, size, [&](std::span<std::byte> buffer) -> Result<size_t> {
      if (left-- == 0) {
        return size_t{0};
      }
      buffer[0] = buffer[1] = std::byte{'z'};
      return size_t{2};
    });
  });
  for (const char* path : {"/sized", "/chunked"}) {
    const WireReply reply = CallOnce(server->port(), "GET", path);
    EXPECT_EQ(reply.body, "zzzzzz") << path;
    EXPECT_TRUE(reply.whole) << path;
  }
}

TEST(HttpServer, CutsAnAnswerAtTheByte) {
  const auto server = Serve([](Exchange& exchange) {
    exchange.CutAnswerAfter(5);
    exchange.Respond(200, {}, "0123456789");
  });
  const WireReply reply = CallOnce(server->port(), "GET", "/");
  EXPECT_FALSE(reply.whole);
  EXPECT_LE(reply.body.size(), 5U);
}

TEST(HttpServer, AbortGivesNoAnswer) {
  const auto server = Serve([](Exchange& exchange) { exchange.Abort(); });
  WireClient client(server->port());
  client.Send(RequestText("GET", "/", {}, ""));
  EXPECT_TRUE(client.Ended());
}

TEST(HttpServer, GivesTheBytesBeforeABreak) {
  std::promise<std::pair<std::string, bool>> seen;
  const auto server = Serve([&](Exchange& exchange) { seen.set_value(ReadAll(exchange)); });
  WireClient client(server->port());
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n" +
              std::string(2345, 'b'));
  client.Close();
  const auto [body, whole] = seen.get_future().get();
  EXPECT_EQ(body.size(), 2345U);
  EXPECT_FALSE(whole);
}

TEST(HttpServer, RefusesWhatIsNotHttp) {
  const auto server = Serve(Echo);
  WireClient client(server->port());
  client.Send("nonsense\r\n\r\n");
  EXPECT_EQ(client.Receive().status, 400);
  EXPECT_TRUE(client.Ended());
}

TEST(HttpServer, StopEndsWhateverConnectionsDo) {
  std::promise<void> stalled;
  auto server = Serve([&](Exchange& exchange) {
    stalled.set_value();
    exchange.Stall();
  });
  WireClient idle(server->port());
  WireClient waiting(server->port());
  waiting.Send(RequestText("GET", "/", {}, ""));
  stalled.get_future().wait();
  server->Stop();
  EXPECT_TRUE(idle.Ended());
  EXPECT_TRUE(waiting.Ended());
}

TEST(HttpServer, StallEndsWhenThePeerGoes) {
  std::promise<void> ended;
  const auto server = Serve([&](Exchange& exchange) {
    exchange.Stall();
    ended.set_value();
  });
  WireClient client(server->port());
  client.Send(RequestText("GET", "/", {}, ""));
  client.Close();
  ended.get_future().wait();
}

TEST(HttpServer, IdleConnectionsMakeRoomForNewOnes) {
  const auto server = Serve(Echo);
  std::list<WireClient> clients;
  for (size_t i = 0; i < HttpServer::kConnectionsMax + 20; ++i) {
    WireClient& client = clients.emplace_back(server->port());
    client.Send(RequestText("POST", "/", {}, "x"));
    ASSERT_EQ(client.Receive().body, "x") << i;
  }
}

TEST(HttpServer, RefusesAnAddressThatIsTaken) {
  const auto server = Serve(Echo);
  const auto second = HttpServer::Start("127.0.0.1", server->port(), Echo);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace sluice
