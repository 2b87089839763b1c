#include "api/http/google_service.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/service_under_test.h"

namespace sluice {
namespace {

Result<std::unique_ptr<GoogleService>> Make(GoogleServiceOptions options) {
  static const std::unique_ptr<Transport> transport = MakeCurlTransport({});
  static ManualClock clock;
  return GoogleService::Make(std::move(options), *transport, clock);
}

TEST(GoogleService, RefusesOptionsThatWouldSendAKeySomewhereElse) {
  for (const char* base_url : {"", "example.com", "http://example.com", "ftp://127.0.0.1",
                               "https://user@host", "https://host?x=", "https://ho st"}) {
    EXPECT_EQ(Make({.base_url = base_url}).error().code, ErrorCode::kUsage) << base_url;
  }
  for (const char* version : {"", "v1/../x", "v 1", "v1?"}) {
    EXPECT_EQ(Make({.api_version = version}).error().code, ErrorCode::kUsage) << version;
  }
  EXPECT_EQ(Make({.api_key = "two\r\nwords"}).error().code, ErrorCode::kUsage);
  EXPECT_TRUE(Make({}).has_value());
  EXPECT_TRUE(Make({.base_url = "http://127.0.0.1:1/"}).has_value());
}

TEST(GoogleService, BuildsAddressesAndCarriesTheKeyInAHeader) {
  const auto service =
      Make({.base_url = "https://host/gateway/", .api_version = "v1", .api_key = "k"}).value();
  const HttpRequest request = service->Request("GET", "/files", {}, "/upload");
  EXPECT_EQ(request.url, "https://host/gateway/upload/v1/files");
  const std::vector<std::pair<std::string, std::string>> headers = {{"x-goog-api-key", "k"}};
  EXPECT_EQ(request.headers, headers);
  EXPECT_TRUE(Make({}).value()->Request("GET", "/files", {}).headers.empty());
}

TEST(GoogleService, LeavesAServiceAloneThatIsDown) {
  ServiceUnderTest test(std::vector<Play>(100, JsonPlay(503, "")));
  const HttpRequest request = test.service->Request("GET", "/batches/x", {});
  for (int i = 0; i < 90; ++i) {
    EXPECT_EQ(test.service->Send(request).value().status, 503);
  }
  EXPECT_EQ(test.clock.sleeps().size(), 2U);  // before the 31st and the 61st
  EXPECT_EQ(test.clock.Now().time_since_epoch(), std::chrono::minutes(2));
}

TEST(GoogleService, CutsTheKeyOutOfWhateverTheServiceSays) {
  const std::string echo = std::string("{\"error\":{\"code\":400,\"status\":\"X\",\"message\":\"") +
                           kTestKey + " and " + kTestKey + "\"}}";
  ServiceUnderTest test({JsonPlay(400, echo), JsonPlay(200, echo), JsonPlay(502, kTestKey)});
  const HttpRequest request = test.service->Request("GET", "/models", {});
  const Error error = test.service->SendForSuccess(request).error();
  EXPECT_EQ(error.message, "GET /v1beta/models: HTTP 400 X: [key] and [key]");
  EXPECT_EQ(test.service->Send(request).value().body.find(kTestKey), std::string::npos);
  EXPECT_EQ(test.service->SendForSuccess(request).error().message,
            "GET /v1beta/models: HTTP 502: [key]");
}

TEST(GoogleService, CutsOutAKeyThatIsWrittenWithEscapes) {
  std::string escaped;
  for (const char c : std::string_view(kTestKey)) {
    escaped += escaped.empty() ? fmt::format("\\u{:04X}", c)
               : c == '-'      ? std::string("\\u002d")
                               : std::string(1, c);
  }
  const std::string body =
      R"({"error":{"code":400,"status":"X","message":"\u0041 \\ )" + escaped + R"( x"}})";
  ServiceUnderTest test({JsonPlay(400, body)});
  EXPECT_EQ(
      test.service->SendForSuccess(test.service->Request("GET", "/models", {})).error().message,
      "GET /v1beta/models: HTTP 400 X: A \\ [key] x");
}

// The length stays, so that a download goes on at the right place.
TEST(GoogleService, MasksTheKeyInWhatIsStreamed) {
  const std::string key(kTestKey);
  const std::string stars(key.size(), '*');
  const std::string tail = key.substr(0, key.size() - 1);
  struct Case {
    std::string body, taken;
  };
  for (const Case& c : {Case{"a" + key + key + "b", "a" + stars + stars + "b"}, Case{key, stars},
                        Case{"x" + tail, "x" + tail}, Case{tail + tail + key, tail + tail + stars},
                        Case{"", ""}, Case{"nothing", "nothing"}}) {
    for (const int pause : {0, 1}) {
      ServiceUnderTest test({{.answer = HttpAnswer(200, c.body),
                              .pause_per_byte = std::chrono::milliseconds(pause)}});
      std::string taken;
      HttpRequest request = test.service->Request("GET", "/files/x:download", {});
      request.body_writer = [&](std::span<const std::byte> bytes) -> Result<void> {
        taken.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        return {};
      };
      EXPECT_TRUE(test.service->Send(request).has_value());
      EXPECT_EQ(taken, c.taken);
    }
  }
}

TEST(GoogleService, RefusesAbsurdNesting) {
  const std::string deep(100'000, '[');
  const std::string quoted = "{\"a\":\"" + deep + "\\\"" + deep + "\"}";
  ServiceUnderTest test({JsonPlay(200, deep), JsonPlay(404, deep), JsonPlay(200, quoted)});
  const HttpRequest request = test.service->Request("GET", "/models", {});
  EXPECT_EQ(test.service->Send(request).error().code, ErrorCode::kBadAnswer);
  EXPECT_EQ(test.service->SendForSuccess(request).error().code, ErrorCode::kBadAnswer);
  EXPECT_TRUE(test.service->SendForSuccess(request).has_value());
}

TEST(GoogleService, RepeatsAReadUntilItCanBeRead) {
  ServiceUnderTest test({JsonPlay(503, ""), JsonPlay(200, "half"), JsonPlay(200, "whole")});
  const auto result =
      test.service->Call<std::string>(Repeat::kSafe, test.service->Request("GET", "/x", {}),
                                      [](const HttpResponse& answer) -> Result<std::string> {
                                        if (answer.body == "half") {
                                          return Fail(ErrorCode::kBadAnswer, "half");
                                        }
                                        return answer.body;
                                      });
  EXPECT_EQ(result.value(), "whole");
  EXPECT_EQ(test.server.requests().size(), 3U);
  EXPECT_EQ(test.clock.sleeps().size(), 2U);
}

TEST(GoogleService, AWrongKeyIsAskedOnce) {
  ServiceUnderTest test({JsonPlay(401, ""), JsonPlay(200, "{}")});
  const auto result =
      test.service->Call<void>(Repeat::kSafe, test.service->Request("GET", "/x", {}),
                               [](const HttpResponse&) { return Result<void>(); });
  EXPECT_EQ(result.error().code, ErrorCode::kAuth);
  EXPECT_EQ(test.server.requests().size(), 1U);
}

// Gives out "token-1-of-tests", "token-2-of-tests" and so on, a new one after each that was
// refused.
class CountedTokens final : public AccessTokens {
 public:
  Result<std::string> Token(std::stop_token) override {
    if (failure) {
      return std::unexpected(*failure);
    }
    return "token-" + std::to_string(number) + "-of-tests";
  }
  void Refused(const std::string&) override { ++number; }
  [[nodiscard]] std::string account() const override { return account_name; }
  [[nodiscard]] std::string quota_project() const override { return "quota"; }

  int number = 1;
  std::optional<Error> failure;
  std::string account_name = "me";
};

struct SignedInService {
  explicit SignedInService(std::vector<Play> plays) : server(std::move(plays)) {
    service = GoogleService::Make({.base_url = server.url(), .api_key = kTestKey, .tokens = tokens},
                                  *transport, clock)
                  .value();
  }
  Result<HttpResponse> Post() const {
    return service->Send(service->JsonRequest("POST", "/x", "{}", {}));
  }

  std::shared_ptr<CountedTokens> tokens = std::make_shared<CountedTokens>();
  ScriptedServer server;
  ManualClock clock;
  std::unique_ptr<Transport> transport = MakeCurlTransport({});
  std::unique_ptr<GoogleService> service;
};

TEST(GoogleService, CarriesATokenAndTheQuotaProjectAndNoKey) {
  SignedInService test({JsonPlay(200, R"({"echo":"token-1-of-tests"})")});
  EXPECT_EQ(test.Post()->body, R"({"echo":"[key]"})");
  const ReceivedRequest request = test.server.requests().at(0);
  EXPECT_EQ(request.Header("authorization"), "Bearer token-1-of-tests");
  EXPECT_EQ(request.Header("x-goog-user-project"), "quota");
  EXPECT_EQ(request.Header("x-goog-api-key"), "");
}

TEST(GoogleService, ATokenThatIsRefusedIsReplacedOnce) {
  SignedInService test(
      {JsonPlay(401, ""), JsonPlay(200, "{}"), JsonPlay(401, ""), JsonPlay(401, "")});
  EXPECT_EQ(test.Post()->status, 200);
  EXPECT_EQ(test.server.requests().at(1).Header("authorization"), "Bearer token-2-of-tests");
  EXPECT_EQ(test.server.requests().at(1).body, "{}");
  EXPECT_EQ(test.Post()->status, 401);
  EXPECT_EQ(test.server.requests().size(), 4U);
}

// A create call: behind a gateway that wants a sign-in of its own the job may have been made.
TEST(GoogleService, WhatMayHaveBeenDoneIsNotSentAgain) {
  SignedInService test({JsonPlay(401, "<html>sign in</html>"),
                        JsonPlay(401, R"({"error":{"code":401,"message":"x"}})"),
                        JsonPlay(200, "{}")});
  HttpRequest request = test.service->JsonRequest("POST", "/jobs", "{}", {});
  request.fresh_connection = true;
  EXPECT_EQ(test.service->Send(request)->status, 401);
  EXPECT_EQ(test.server.requests().size(), 1U);
  EXPECT_EQ(test.service->Send(request)->status, 200);
  EXPECT_EQ(test.server.requests().size(), 3U);
}

TEST(GoogleService, ABodyThatIsUsedUpIsNotSentAgain) {
  SignedInService test({JsonPlay(401, ""), JsonPlay(200, "{}")});
  HttpRequest request = test.service->Request("PUT", "/x", {});
  request.body_size = 1;
  request.body_reader = [](std::span<std::byte> buffer) -> Result<size_t> {
    buffer[0] = std::byte{'x'};
    return 1;
  };
  EXPECT_EQ(test.service->Send(request)->status, 401);
  EXPECT_EQ(test.server.requests().size(), 1U);
  EXPECT_EQ(test.tokens->Token({}).value(), "token-2-of-tests");
}

TEST(GoogleService, NothingWasSentWhenThereIsNoToken) {
  SignedInService test({});
  test.tokens->failure = Error{.code = ErrorCode::kUnavailable, .message = "down"};
  EXPECT_EQ(test.Post().error().code, ErrorCode::kNotSent);
  test.tokens->failure = Error{.code = ErrorCode::kAuth, .message = "revoked"};
  EXPECT_EQ(test.Post().error().code, ErrorCode::kAuth);
  EXPECT_EQ(test.server.connection_count(), 0);
}

TEST(GoogleService, ATokenGoesToItsOwnAddressOnly) {
  SignedInService test({});
  ScriptedServer other({JsonPlay(200, "{}")});
  HttpRequest request = test.service->Request("GET", "/x", {});
  request.url = other.url() + "/x";
  EXPECT_EQ(test.service->Send(request)->status, 200);
  EXPECT_EQ(other.requests().at(0).Header("authorization"), "");
}

TEST(GoogleService, TheAccountIsWhoIsSignedInAndNotTheToken) {
  SignedInService test({});
  const std::string before = test.service->AccountFingerprint();
  test.tokens->number = 7;
  EXPECT_EQ(test.service->AccountFingerprint(), before);
  test.tokens->account_name = "somebody else";
  EXPECT_NE(test.service->AccountFingerprint(), before);
}

TEST(ResourceName, IsAKindAndAPlainId) {
  EXPECT_TRUE(IsResourceName("files/a_B-9", "files"));
  EXPECT_FALSE(IsResourceName("files/a.b", "files"));
  EXPECT_FALSE(IsResourceName("filesx/a", "files"));
  EXPECT_FALSE(IsResourceName("files", "files"));
  EXPECT_FALSE(IsResourceName("batches/a", "files"));
  EXPECT_FALSE(IsResourceName(std::string_view("files/a\0", 8), "files"));
  EXPECT_EQ(CheckResourceName("files/../x", "files").error().code, ErrorCode::kUsage);
}

TEST(ModelPath, AddsItsKind) {
  EXPECT_EQ(ModelPath("gemini-2.5-flash").value(), "models/gemini-2.5-flash");
  EXPECT_EQ(ModelPath("models/x").value(), "models/x");
  EXPECT_EQ(ModelPath("tunedModels/x").value(), "tunedModels/x");
  for (const char* model : {"", "models/", "files/x", "a/b/c", "..", "x?y", "x:generate", "a b"}) {
    EXPECT_EQ(ModelPath(model).error().code, ErrorCode::kUsage) << model;
  }
}

}  // namespace
}  // namespace sluice
