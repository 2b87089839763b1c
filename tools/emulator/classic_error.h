// ClassicError: a refusal in the older shape of Google's JSON APIs, which Cloud Storage and
// BigQuery still have. Immutable functions.
#pragma once

#include <string>

namespace sluice {

struct ClassicError {
  int status = 500;    // of HTTP
  std::string reason;  // "notFound"
  std::string message;
};

// {"error": {"code": 404, "message": ..., "errors": [{"message", "domain", "reason"}]}}, compact.
[[nodiscard]] std::string ClassicErrorBody(const ClassicError& error);

[[nodiscard]] ClassicError ClassicInvalid(std::string message);
[[nodiscard]] ClassicError ClassicNotFound(std::string message);
// Of a token that is missing, unknown or has ended.
[[nodiscard]] ClassicError ClassicUnauthorized();

}  // namespace sluice
