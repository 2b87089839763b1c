#include "api/auth/token_service.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/http/cut_out.h"
#include "api/http/decimal.h"
#include "api/http/google_error.h"
#include "api/http/header_values.h"
#include "api/http/json_depth.h"
#include "api/http/json_fields.h"
#include "api/http/retry.h"
#include "api/http/url.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;

constexpr int kReplyDepthMax = 16;
constexpr uint64_t kAnswerBytesMax = 1 << 20;
constexpr size_t kTokenBytesMax = 16 << 10;
constexpr std::chrono::seconds kTimeout{30};
constexpr std::chrono::seconds kUsualLife{3600};
constexpr std::chrono::hours kLifeMax{12};
constexpr RetryPolicy kRetry{
    .attempts_max = 6, .first_wait = milliseconds(500), .wait_max = milliseconds(10'000)};

constexpr std::string_view kTokenHint =
    "sign in again: gcloud auth application-default login, or name a service account's key file in "
    "GOOGLE_APPLICATION_CREDENTIALS; the clock of this machine must be right, too";

Json ParseAnswer(std::string_view body) {
  return NestsDeeperThan(body, kReplyDepthMax) ? Json() : ParseJson(body);
}

// What goes into a header and nowhere else.
bool IsToken(std::string_view token) {
  return !token.empty() && token.size() <= kTokenBytesMax &&
         std::ranges::all_of(token, [](char c) { return c > 0x20 && c < 0x7f; });
}

Result<FreshToken> MakeFresh(std::string token, milliseconds life) {
  if (!IsToken(token)) {
    return Fail(ErrorCode::kBadAnswer, "the sign-in service answered without an access token");
  }
  return FreshToken{.value = std::move(token),
                    .life = std::clamp<milliseconds>(life, milliseconds(0), kLifeMax)};
}

// "2026-11-26T10:00:00Z", perhaps with a fraction, which is passed over.
std::optional<WallTime> ParseUtc(std::string_view text) {
  if (text.size() < 20 || text.back() != 'Z' || text[10] != 'T') {
    return std::nullopt;
  }
  constexpr std::array<std::pair<size_t, size_t>, 6> kPlaces = {
      {{0, 4}, {5, 2}, {8, 2}, {11, 2}, {14, 2}, {17, 2}}};
  std::array<unsigned, 6> numbers{};
  for (size_t i = 0; i < kPlaces.size(); ++i) {
    const auto number = ParseDecimal<unsigned>(text.substr(kPlaces[i].first, kPlaces[i].second));
    if (!number) {
      return std::nullopt;
    }
    numbers[i] = *number;
  }
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(numbers[0])),
                                         std::chrono::month(numbers[1]),
                                         std::chrono::day(numbers[2]));
  const bool is_held =
      date.year() >= std::chrono::year(1970) && date.year() < std::chrono::year(2262);
  if (!date.ok() || !is_held) {
    return std::nullopt;
  }
  return std::chrono::sys_days(date) + std::chrono::hours(numbers[3]) +
         std::chrono::minutes(numbers[4]) + std::chrono::seconds(numbers[5]);
}

std::string FormText(const TokenService::Fields& form) {
  std::string text;
  for (const auto& [name, value] : form) {
    text += fmt::format("{}{}={}", text.empty() ? "" : "&", name, EncodeQueryValue(value));
  }
  return text;
}

// Errors that pass, though they come with 400 (google-auth 2.x, 2026).
bool MayPass(const HttpResponse& answer, std::string_view error) {
  constexpr std::string_view kPassing[] = {"internal_failure", "server_error",
                                           "temporarily_unavailable"};
  return answer.status == 408 || answer.status == 429 || answer.status >= 500 ||
         std::ranges::find(kPassing, error) != std::end(kPassing);
}

std::string Explain(const HttpResponse& answer, const Json& json, const std::string& error) {
  if (!error.empty()) {
    const std::string more = TextMember(json, "error_description");
    return PrintableText(error, 64) + (more.empty() ? "" : ": " + PrintableText(more, 200));
  }
  const auto status = ParseGoogleStatus(answer.body);
  return fmt::format("HTTP {}{}", answer.status,
                     status ? ": " + PrintableText(status->message, 200) : std::string());
}

// A redirect and a gateway's page say nothing about who signs in.
bool IsWordOfService(const HttpResponse& answer, const Json& json) {
  return answer.status == 401 || (answer.status >= 400 && FindMember(json, "error") != nullptr) ||
         answer.Header("metadata-flavor").has_value();
}

Error ErrorOfRefusal(const HttpResponse& answer, const std::string& host, WallTime now) {
  const Json json = ParseAnswer(answer.body);
  const std::string word = TextMember(json, "error");
  Error error;
  error.http_status = answer.status;
  error.message = fmt::format("signing in at {}: {}", host, Explain(answer, json, word));
  if (MayPass(answer, word)) {
    error.code = ErrorCode::kUnavailable;
    error.retry_after = ParseRetryAfter(answer.Header("retry-after").value_or(""), now);
  } else if (IsWordOfService(answer, json)) {
    error.code = ErrorCode::kAuth;
    error.hint = kTokenHint;
  } else {
    error.code = ErrorCode::kBadAnswer;
  }
  return error;
}

}  // namespace

Result<FreshToken> ParseTokenAnswer(std::string_view body) {
  const Json json = ParseAnswer(body);
  const auto seconds = IntegerMember(json, "expires_in");
  constexpr int64_t kSecondsMax = std::chrono::seconds(kLifeMax).count();
  return MakeFresh(TextMember(json, "access_token"),
                   std::chrono::seconds(
                       std::clamp<int64_t>(seconds.value_or(kUsualLife.count()), 0, kSecondsMax)));
}

Result<FreshToken> ParseImpersonationAnswer(std::string_view body, WallTime now) {
  const Json json = ParseAnswer(body);
  const auto end = ParseUtc(TextMember(json, "expireTime"));
  return MakeFresh(TextMember(json, "accessToken"),
                   end ? std::chrono::duration_cast<milliseconds>(*end - now) : kUsualLife);
}

Result<FreshToken> TokenService::Ask(const std::string& url, const Fields& form,
                                     const std::vector<std::string>& secrets,
                                     std::stop_token stop) const {
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.body = FormText(form);
  request.stop = std::move(stop);
  SLUICE_ASSIGN(const std::string body, Send(std::move(request), secrets));
  return ParseTokenAnswer(body);
}

Result<std::string> TokenService::Send(HttpRequest request,
                                       const std::vector<std::string>& secrets) const {
  const auto origin = ParseOrigin(request.url);
  const std::string host = origin ? origin->host : std::string("an unreadable address");
  request.label = "signing in at " + host;
  request.timeout = kTimeout;
  request.answer_bytes_max = kAnswerBytesMax;
  return CallWithRetry<std::string>(
      Repeat::kSafe, kRetry, clock_, request.stop, [&]() -> Result<std::string> {
        SLUICE_ASSIGN(HttpResponse answer, transport_.Send(request));
        for (const std::string& secret : secrets) {
          CutOut(answer.body, secret);
          CutOut(answer.body, EncodeQueryValue(secret));  // as it was sent
        }
        if (!answer.ok()) {
          return std::unexpected(ErrorOfRefusal(answer, host, clock_.WallNow()));
        }
        return std::move(answer.body);
      });
}

}  // namespace sluice
