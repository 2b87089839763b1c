#include "api/http/google_service.h"

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

TEST(GoogleService, RefusesAbsurdNesting) {
  const std::string deep(100'000, '[');
  const std::string quoted = "{\"a\":\"" + deep + "\\\"" + deep + "\"}";
  ServiceUnderTest test({JsonPlay(200, deep), JsonPlay(200, quoted)});
  const HttpRequest request = test.service->Request("GET", "/models", {});
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
