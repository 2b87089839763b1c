#include "api/http/google_error.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/http/header_values.h"
#include "api/http/json_fields.h"
#include "api/http/retry.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;

constexpr size_t kMessageBytesMax = 500;
constexpr std::string_view kKeyHint =
    "check the key (export GEMINI_API_KEY=..., or --api-key-file FILE)";

bool ContainsWord(std::string_view text, std::string_view lower_case_word) {
  return !std::ranges::search(text, lower_case_word, [](unsigned char a, char b) {
            return static_cast<char>(std::tolower(a)) == b;
          }).empty();
}

// A protobuf Duration: "1.5s".
std::optional<milliseconds> ParseDuration(std::string_view text) {
  return text.ends_with('s') ? ParseSeconds(text.substr(0, text.size() - 1)) : std::nullopt;
}

void ReadDetail(const Json& detail, GoogleStatus& status) {
  const std::string type = TextMember(detail, "@type");
  if (type.ends_with("google.rpc.ErrorInfo")) {
    status.reason = TextMember(detail, "reason");
  } else if (type.ends_with("google.rpc.RetryInfo")) {
    status.retry_delay = ParseDuration(TextMember(detail, "retryDelay"));
  } else if (type.ends_with("google.rpc.QuotaFailure")) {
    const Json* violations = FindMember(detail, "violations");
    if (violations != nullptr && violations->is_array() && !violations->empty()) {
      status.quota_id = TextMember(violations->front(), "quotaId");
    }
  }
}

// A precondition that time can mend (a file that is not ACTIVE yet), as against one that it cannot.
bool MayPass(const GoogleStatus& status) {
  return status.status == "FAILED_PRECONDITION" && !ContainsWord(status.message, "location") &&
         !ContainsWord(status.message, "region") && !ContainsWord(status.message, "billing");
}

// The service answers 403 for a file that does not exist, with words like "You do not have
// permission to access the File abc or it may not exist." The words are asked for, too: taking a
// refused key for a file that is gone would let a run buy a job twice.
bool IsMissingFile(const GoogleStatus& status) {
  return ContainsWord(status.message, "may not exist") ||
         ContainsWord(status.message, "permission to access the file");
}

// Cloud Storage tells of a download (alt=media) that fails in plain text, and only there.
bool IsWordOfStorage(std::string_view body) {
  return body.starts_with("No such object") ||
         body.find("does not have storage.objects.get access") != std::string_view::npos;
}

// Whether a status is as good as its body. What it says of a key (401), of load (408, 429) or of a
// size (413) holds for whoever said it; that a thing is gone or a call is refused only the service
// itself can tell, and pages of gateways and sign-ins go away.
bool NeedsTheServicesWord(int http_status) {
  return http_status >= 400 && http_status < 500 && http_status != 401 && http_status != 408 &&
         http_status != 413 && http_status != 429;
}

ErrorCode CodeOf(int http_status, const GoogleStatus& status, bool is_file) {
  if (http_status == 400 && status.reason == "API_KEY_INVALID") {
    return ErrorCode::kAuth;
  }
  if (http_status == 400 && MayPass(status)) {
    return ErrorCode::kConflict;
  }
  switch (http_status) {
    case 401:
      return ErrorCode::kAuth;
    case 403:
      if (status.reason == "rateLimitExceeded" || status.reason == "userRateLimitExceeded" ||
          status.reason == "quotaExceeded") {
        return ErrorCode::kUnavailable;
      }
      return is_file && IsMissingFile(status) ? ErrorCode::kNotFound : ErrorCode::kAuth;
    case 404:
      return ErrorCode::kNotFound;
    case 409:
    case 412:
      return ErrorCode::kConflict;
    case 408:
    case 429:
      return ErrorCode::kUnavailable;
    default:
      break;
  }
  if (http_status >= 500) {
    return ErrorCode::kUnavailable;
  }
  // A redirect is never followed; one that a network's sign-in page makes will go away.
  return http_status >= 400 ? ErrorCode::kRefused : ErrorCode::kBadAnswer;
}

std::string Explain(const HttpResponse& answer, const GoogleStatus* status) {
  if (status != nullptr) {
    const std::string& word = status->status.empty() ? status->reason : status->status;
    return fmt::format("{}{}: {}", word.empty() ? "" : " ", PrintableText(word, 64),
                       PrintableText(status->message, kMessageBytesMax));
  }
  if (answer.status >= 300 && answer.status < 400) {
    return " (a redirect, not followed)";
  }
  const size_t begin = answer.body.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) {
    return " without an explanation";
  }
  if (answer.body[begin] == '<') {
    return " with an HTML page";
  }
  return fmt::format(": {}", PrintableText(answer.body, kMessageBytesMax));
}

}  // namespace

std::string PrintableText(std::string_view text, size_t size_max) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  std::string out;
  for (const char c : text.substr(0, size_max)) {
    if (c >= 0x20 && c < 0x7f) {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return text.size() > size_max ? out + "..." : out;
}

std::optional<GoogleStatus> ParseGoogleStatus(std::string_view body) {
  const Json whole = ParseJson(body);
  const Json& object = whole.is_array() && whole.size() == 1 ? whole.front() : whole;
  const Json* error = FindMember(object, "error");
  if (error == nullptr || !error->is_object() || !IntegerMember(*error, "code")) {
    return std::nullopt;
  }
  GoogleStatus status;
  status.status = TextMember(*error, "status");
  status.message = TextMember(*error, "message");
  const Json* older = FindMember(*error, "errors");  // of Cloud Storage and BigQuery
  if (older != nullptr && older->is_array() && !older->empty()) {
    status.reason = TextMember(older->front(), "reason");
  }
  const Json* details = FindMember(*error, "details");
  if (details != nullptr && details->is_array()) {
    for (const Json& detail : *details) {
      ReadDetail(detail, status);
    }
  }
  return status;
}

Error ErrorOfAnswer(const HttpResponse& answer, const AnswerContext& context) {
  const std::optional<GoogleStatus> status = ParseGoogleStatus(answer.body);
  Error error;
  error.http_status = answer.status;
  const bool is_word = status.has_value() || IsWordOfStorage(answer.body);
  error.code = !is_word && NeedsTheServicesWord(answer.status)
                   ? ErrorCode::kBadAnswer
                   : CodeOf(answer.status, status.value_or(GoogleStatus{}), context.is_file);
  error.message = fmt::format("{}: HTTP {}{}", context.what, answer.status,
                              Explain(answer, status ? &*status : nullptr));
  if (const auto header = answer.Header("retry-after")) {
    error.retry_after = ParseRetryAfter(*header, context.now);
  }
  if (status && status->retry_delay) {
    error.retry_after = std::max(error.retry_after.value_or(milliseconds(0)), *status->retry_delay);
  }
  if (error.retry_after) {
    error.retry_after = std::min<milliseconds>(*error.retry_after, kAskedWaitMax);
  }
  if (status && ContainsWord(status->quota_id, "perday")) {
    error.message += fmt::format(" (daily quota {})", PrintableText(status->quota_id, 128));
    error.hint = "a daily quota is filled again at midnight Pacific time";
  }
  if (error.code == ErrorCode::kAuth) {
    error.hint = kKeyHint;
  }
  return error;
}

}  // namespace sluice
