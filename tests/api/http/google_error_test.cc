#include "api/http/google_error.h"

#include <chrono>
#include <gtest/gtest.h>

#include "api/http/retry.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Error ErrorOf(int status, std::string body, bool is_file = false,
              std::vector<std::pair<std::string, std::string>> headers = {}) {
  const HttpResponse answer{
      .status = status, .headers = std::move(headers), .body = std::move(body)};
  // 2026-11-22T13:00:00Z
  return ErrorOfAnswer(
      answer, {.what = "GET /x", .is_file = is_file, .now = WallTime(seconds(1'795'352'400))});
}

std::string Body(int code, std::string_view status, std::string_view message,
                 std::string_view details = "[]") {
  return "{\"error\":{\"code\":" + std::to_string(code) + ",\"message\":\"" + std::string(message) +
         "\",\"status\":\"" + std::string(status) + "\",\"details\":" + std::string(details) + "}}";
}

TEST(GoogleError, MapsStatusToCode) {
  struct Case {
    int status;
    std::string body;
    bool is_file;
    ErrorCode code;
  };
  const std::string invalid_key = R"([{"@type":"type.googleapis.com/google.rpc.ErrorInfo",
      "reason":"API_KEY_INVALID","domain":"googleapis.com"}])";
  const std::string no_file =
      "You do not have permission to access the File abc or it may not exist.";
  for (const Case& c : std::vector<Case>{
           {400, Body(400, "INVALID_ARGUMENT", "API key not valid.", invalid_key), false,
            ErrorCode::kAuth},
           {400, Body(400, "INVALID_ARGUMENT", "bad body"), false, ErrorCode::kRefused},
           {400, Body(400, "FAILED_PRECONDITION", "File is not in an ACTIVE state"), false,
            ErrorCode::kConflict},
           {400, Body(400, "FAILED_PRECONDITION", "User location is not supported."), false,
            ErrorCode::kRefused},
           {401, "", false, ErrorCode::kAuth},
           {403, Body(403, "PERMISSION_DENIED", no_file), false, ErrorCode::kAuth},
           {403, Body(403, "PERMISSION_DENIED", no_file), true, ErrorCode::kNotFound},
           {403, Body(403, "PERMISSION_DENIED", "Your API key was reported as leaked."), true,
            ErrorCode::kAuth},
           {404, Body(404, "NOT_FOUND", "gone"), false, ErrorCode::kNotFound},
           {408, "", false, ErrorCode::kUnavailable},
           {409, Body(409, "ALREADY_EXISTS", "there"), false, ErrorCode::kConflict},
           {412, Body(412, "", "a condition"), false, ErrorCode::kConflict},
           {413, "", false, ErrorCode::kRefused},
           {429, "", false, ErrorCode::kUnavailable},
           {499, Body(499, "CANCELLED", "x"), false, ErrorCode::kRefused},
           {404, "No such object: bucket/x", false, ErrorCode::kNotFound},
           {403, "x@y does not have storage.objects.get access to the Google Cloud Storage object.",
            false, ErrorCode::kAuth},
           {500, "", false, ErrorCode::kUnavailable},
           {503, "<html>", false, ErrorCode::kUnavailable},
           {504, "", false, ErrorCode::kUnavailable},
           {302, "", false, ErrorCode::kBadAnswer},
           {0, "", false, ErrorCode::kBadAnswer}}) {
    const Error error = ErrorOf(c.status, c.body, c.is_file);
    EXPECT_EQ(ErrorClass(error.code), ErrorClass(c.code)) << c.status << " " << c.body;
    EXPECT_EQ(error.http_status, c.status);
  }
}

// What was asked for may well be there, and be done: gateways and sign-in pages come and go.
TEST(GoogleError, AStatusWithoutTheServicesWordsIsAFailedCall) {
  for (const int status : {400, 403, 404, 405, 407, 409, 410, 412, 451}) {
    for (const char* body : {"", "<html>no</html>", "404 page not found", "{}",
                             R"({"error":"denied"})", R"({"message":"not found"})"}) {
      for (const bool is_file : {false, true}) {
        const Error error = ErrorOf(status, body, is_file);
        EXPECT_EQ(ErrorClass(error.code), ErrorClass(ErrorCode::kBadAnswer)) << status << body;
        EXPECT_TRUE(IsTransient(error.code));
        EXPECT_EQ(error.http_status, status);
      }
    }
  }
}

TEST(GoogleError, SaysWhatTheServiceSaid) {
  EXPECT_EQ(ErrorOf(404, Body(404, "NOT_FOUND", "no such model")).message,
            "GET /x: HTTP 404 NOT_FOUND: no such model");
  EXPECT_EQ(ErrorOf(503, "[" + Body(503, "UNAVAILABLE", "overloaded") + "]\n").message,
            "GET /x: HTTP 503 UNAVAILABLE: overloaded");
  EXPECT_EQ(ErrorOf(502, "\n<!DOCTYPE html><title>502</title>").message,
            "GET /x: HTTP 502 with an HTML page");
  EXPECT_EQ(ErrorOf(500, "").message, "GET /x: HTTP 500 without an explanation");
  EXPECT_EQ(ErrorOf(400, "wrong offset\n").message, "GET /x: HTTP 400: wrong offset");
  EXPECT_EQ(ErrorOf(307, "x").message, "GET /x: HTTP 307 (a redirect, not followed)");
}

TEST(GoogleError, MessageIsBoundedAndPrintable) {
  EXPECT_EQ(ErrorOf(400, "\x1b[2Jred\xc2\x9b\x7f").message,
            "GET /x: HTTP 400: \\x1b[2Jred\\xc2\\x9b\\x7f");
  EXPECT_LT(ErrorOf(400, std::string(1 << 20, 'x')).message.size(), 600U);
  EXPECT_LT(ErrorOf(400, Body(400, std::string(9999, 'S'), std::string(9999, 'm'))).message.size(),
            700U);
}

TEST(GoogleError, TakesTheLongerOfRetryInfoAndRetryAfter) {
  const std::string body = Body(429, "RESOURCE_EXHAUSTED", "slow down",
                                R"([{"@type":"type.googleapis.com/google.rpc.RetryInfo",
                                     "retryDelay":"34.074824224s"}])");
  EXPECT_EQ(ErrorOf(429, body).retry_after, milliseconds(34075));
  EXPECT_EQ(ErrorOf(429, body, false, {{"retry-after", "60"}}).retry_after, seconds(60));
  EXPECT_EQ(ErrorOf(429, body, false, {{"retry-after", "1"}}).retry_after, milliseconds(34075));
  EXPECT_EQ(ErrorOf(503, "", false, {{"retry-after", "Sun, 22 Nov 2026 13:01:30 GMT"}}).retry_after,
            seconds(90));
  EXPECT_EQ(ErrorOf(503, "", false, {{"retry-after", "Sun, 22 Nov 2026 12:00:00 GMT"}}).retry_after,
            seconds(0));
  EXPECT_EQ(ErrorOf(503, "", false, {{"retry-after", "999999999"}}).retry_after, kAskedWaitMax);
  for (const char* nonsense : {"", "soon", "-5", "1e99", "nan", "12 parsecs"}) {
    EXPECT_EQ(ErrorOf(503, "", false, {{"retry-after", nonsense}}).retry_after, std::nullopt)
        << nonsense;
  }
}

TEST(GoogleError, NamesADailyQuota) {
  const Error error =
      ErrorOf(429, Body(429, "RESOURCE_EXHAUSTED", "quota",
                        R"([{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":
                     [{"quotaId":"GenerateRequestsPerDayPerProjectPerModel"}]}])"));
  EXPECT_NE(error.message.find("daily quota GenerateRequestsPerDayPerProjectPerModel"),
            std::string::npos);
  EXPECT_NE(error.hint.find("midnight Pacific"), std::string::npos);
}

TEST(GoogleError, KnowsItsOwnFormFromOthers) {
  EXPECT_TRUE(ParseGoogleStatus(Body(400, "INVALID_ARGUMENT", "x")).has_value());
  EXPECT_TRUE(ParseGoogleStatus("[" + Body(400, "INVALID_ARGUMENT", "x") + "]").has_value());
  for (const char* body : {"", "{}", "[]", "null", "{\"error\":\"denied\"}", "{\"error\":{}}",
                           "<html>", "{\"error\":{\"code\":400", "[{\"error\":{\"code\":1}},1]"}) {
    EXPECT_FALSE(ParseGoogleStatus(body).has_value()) << body;
  }
}

TEST(GoogleError, HintsAtTheKeyWhenItIsRefused) {
  EXPECT_NE(ErrorOf(401, "").hint.find("GEMINI_API_KEY"), std::string::npos);
}

}  // namespace
}  // namespace sluice
