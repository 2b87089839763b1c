// What a Google API says when it does not do what was asked, as an Error. Immutable functions,
// thread-safe.
//
// Source: protocol of the Gemini Developer API, "Error body" (AIP-193 shape), and recordings of
// 2025-2026. Bodies may also be a one-element array, HTML, plain text or empty.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "api/http/transport.h"
#include "io/base/clock.h"
#include "io/base/error.h"

namespace sluice {

struct GoogleStatus {
  std::string status;  // "RESOURCE_EXHAUSTED"
  std::string message;
  // Of google.rpc.ErrorInfo: "API_KEY_INVALID"; of older APIs' errors: "conditionNotMet".
  std::string reason;
  std::string quota_id;                                  // of the first google.rpc.QuotaFailure
  std::optional<std::chrono::milliseconds> retry_delay;  // of google.rpc.RetryInfo
};

// Nothing when the body is not an error object as Google writes it.
[[nodiscard]] std::optional<GoogleStatus> ParseGoogleStatus(std::string_view body);

struct AnswerContext {
  std::string_view what;  // what was asked, in messages
  bool is_file = false;   // the request names a file: a missing one is answered with 403
  WallTime now{};         // for a Retry-After that is a date
};

// Of an answer that is not 2xx. The code: 400 with an invalid key, 401 and 403 kAuth; a missing
// file and 404 kNotFound; 409, 412 and a failed precondition that may pass kConflict; 408, 429, 5xx
// kUnavailable, and so is 403 for a quota; other 4xx kRefused; everything else kBadAnswer. So is a
// 4xx whose body is not the service's own (a gateway's page, nothing at all), except 401, 408, 413
// and 429: it says nothing about what was asked for. The message is bounded and printable ASCII; a
// wait that the service asks for is kAskedWaitMax at most.
[[nodiscard]] Error ErrorOfAnswer(const HttpResponse& answer, const AnswerContext& context);

// `text` cut to `size_max` bytes, with everything that is not printable ASCII as \xNN.
[[nodiscard]] std::string PrintableText(std::string_view text, size_t size_max);

}  // namespace sluice
