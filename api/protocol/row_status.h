// RowStatus: why one request of a job failed, out of the `error` or the `status` of its answer
// line. Immutable functions, thread-safe.
//
// Forms seen: an object {"code":..,"message":..} (Gemini Developer API), and at Vertex AI a string:
// "" for success, else an HTTP-like phrase, often with an error object behind it:
//   Bad Request: {"error": {"code": 400, "message": "...", "status": "INVALID_ARGUMENT"}}
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice {

struct RowStatus {
  int code = 0;  // 1..16: google.rpc, 100 and more: HTTP; 0 when it is not told
  std::string message = {};
  std::string details = {};  // a JSON array as sent, may be empty
};

// What is kept of a text by a stranger that explains a failed row: a run holds those of all failed
// rows of a shard at once. Longer ones end in " ... (cut)", at the boundary of a UTF-8 character.
inline constexpr size_t kRowMessageBytesMax = 1'000;
[[nodiscard]] std::string BoundedMessage(std::string text);

// Whether the token of `error` or `status` tells of no failure: absent, null, "", or an object that
// says nothing, as {} and {"code":0,"message":""}.
[[nodiscard]] bool IsNoFailure(std::string_view token);

// `token` is JSON that tells of a failure. The message is never empty.
[[nodiscard]] RowStatus ParseRowStatus(std::string_view token);

}  // namespace sluice
