// RowStatus: why one request of a job failed, out of the `error` or the `status` of its answer
// line. Immutable functions, thread-safe.
//
// Forms seen: an object {"code":..,"message":..} (Gemini Developer API), and at Vertex AI a string:
// "" for success, else an HTTP-like phrase, often with an error object behind it:
//   Bad Request: {"error": {"code": 400, "message": "...", "status": "INVALID_ARGUMENT"}}
#pragma once

#include <string>
#include <string_view>

namespace sluice {

struct RowStatus {
  int code = 0;  // 1..16: google.rpc, 100 and more: HTTP; 0 when it is not told
  std::string message = {};
  std::string details = {};  // a JSON array as sent, may be empty
};

// Whether the token of `error` or `status` tells of no failure: absent, null, "" or {}.
[[nodiscard]] bool IsNoFailure(std::string_view token);

// `token` is JSON that tells of a failure. The message is never empty.
[[nodiscard]] RowStatus ParseRowStatus(std::string_view token);

}  // namespace sluice
