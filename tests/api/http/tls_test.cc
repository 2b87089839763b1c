// Which servers the transport trusts: one with a certificate of a trusted authority for the address
// that was asked for, and no other. Nobody else is sent a byte of HTTP.
#include <csignal>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "api/http/curl_transport.h"
#include "tests/support/scripted_server.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_key.h"
#include "tests/support/tls_server.h"

namespace sluice {
namespace {

HttpRequest Request(const std::string& url) {
  HttpRequest request;
  request.method = "POST";
  request.url = url + "/secret-path";
  request.headers = {{"x-goog-api-key", kTestKey}};
  request.body = "secret body";
  request.timeout = std::chrono::seconds(20);
  return request;
}

// Sends to a server of that kind, whose authority is trusted.
Result<HttpResponse> SendTo(const TlsServer& server) {
  const TempFolder folder;
  const std::string ca_file = folder.Write("ca.pem", server.AuthorityPem());
  return MakeCurlTransport({.ca_file = ca_file})->Send(Request(server.url()));
}

class Tls : public testing::Test {
 protected:
  // As CurlTransport asks of its process: OpenSSL writes to connections that the other side left.
  Tls() { std::signal(SIGPIPE, SIG_IGN); }
};

TEST_F(Tls, AServerOfATrustedAuthorityIsSpokenTo) {
  const TlsServer server({});
  const auto answer = SendTo(server);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->body, "{}");
  EXPECT_NE(server.received().find("/secret-path"), std::string::npos);
}

TEST_F(Tls, OthersAreRefusedBeforeAByteOfHttpIsSent) {
  struct Case {
    const char* name;
    TlsServerOptions options;
  };
  for (const Case& c : std::vector<Case>{{"self-signed", {.signed_by_itself = true}},
                                         {"expired", {.expired = true}},
                                         {"another address", {.address = "127.0.0.2"}},
                                         {"a name", {.address = "example.com"}},
                                         {"TLS 1.1", {.newest_is_tls_1_1 = true}}}) {
    const TlsServer server(c.options);
    const auto answer = SendTo(server);
    ASSERT_FALSE(answer.has_value()) << c.name;
    EXPECT_EQ(answer.error().code, ErrorCode::kTransport) << c.name;
    EXPECT_EQ(server.connection_count(), 1) << c.name;
    EXPECT_EQ(server.received(), "") << c.name;
    EXPECT_EQ(answer.error().message.find("secret body"), std::string::npos);
  }
}

TEST_F(Tls, TheSystemDoesNotTrustAnAuthorityOfTheTests) {
  const TlsServer server({});
  EXPECT_FALSE(MakeCurlTransport({})->Send(Request(server.url())).has_value());
  EXPECT_EQ(server.received(), "");
}

// A port that speaks plain text: nothing but the start of a handshake gets there.
TEST_F(Tls, PlainTextOnTheOtherSideIsRefused) {
  std::string stray;
  {
    ScriptedServer server({{.answer = HttpAnswer(200, "{}")}});
    HttpRequest request = Request(fmt::format("https://127.0.0.1:{}", server.port()));
    request.timeout = std::chrono::milliseconds(500);  // The server waits for a head.
    EXPECT_FALSE(MakeCurlTransport({})->Send(request).has_value());
    EXPECT_TRUE(server.requests().empty());
    stray = server.stray_bytes();
  }
  EXPECT_EQ(stray.find("secret"), std::string::npos);
  EXPECT_EQ(stray.find(kTestKey), std::string::npos);
}

}  // namespace
}  // namespace sluice
