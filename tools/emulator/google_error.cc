#include "tools/emulator/google_error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/json/json_document.h"

namespace sluice {

namespace {

struct RpcStatus {
  RpcCode code;
  int http_status;
  std::string_view name;
};

// https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
constexpr RpcStatus kStatuses[] = {
    {RpcCode::kCancelled, 499, "CANCELLED"},
    {RpcCode::kInvalidArgument, 400, "INVALID_ARGUMENT"},
    {RpcCode::kDeadlineExceeded, 504, "DEADLINE_EXCEEDED"},
    {RpcCode::kNotFound, 404, "NOT_FOUND"},
    {RpcCode::kAlreadyExists, 409, "ALREADY_EXISTS"},
    {RpcCode::kPermissionDenied, 403, "PERMISSION_DENIED"},
    {RpcCode::kResourceExhausted, 429, "RESOURCE_EXHAUSTED"},
    {RpcCode::kFailedPrecondition, 400, "FAILED_PRECONDITION"},
    {RpcCode::kUnimplemented, 501, "UNIMPLEMENTED"},
    {RpcCode::kInternal, 500, "INTERNAL"},
    {RpcCode::kUnavailable, 503, "UNAVAILABLE"},
    {RpcCode::kUnauthenticated, 401, "UNAUTHENTICATED"},
};

const RpcStatus& StatusOf(RpcCode code) {
  for (const RpcStatus& status : kStatuses) {
    if (status.code == code) {
      return status;
    }
  }
  return StatusOf(RpcCode::kInternal);
}

}  // namespace

int HttpStatus(RpcCode code) { return StatusOf(code).http_status; }

std::string_view RpcName(RpcCode code) { return StatusOf(code).name; }

std::string ErrorBody(const ApiError& error) {
  nlohmann::ordered_json body;
  body["error"]["code"] = HttpStatus(error.code);
  body["error"]["message"] = error.message;
  body["error"]["status"] = RpcName(error.code);
  if (!error.details.empty()) {
    body["error"]["details"] = ParseOrderedJson(error.details);
  }
  // What a client sent may stand in a message, and need not be valid UTF-8.
  return body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

ApiError InvalidArgument(std::string message) {
  return {.code = RpcCode::kInvalidArgument, .message = std::move(message)};
}

ApiError NoSuchModel(std::string_view id, std::string_view method) {
  return {.code = RpcCode::kNotFound,
          .message = fmt::format(
              "models/{} is not found for API version v1beta, or is not supported for {}. Call "
              "ListModels to see the list of available models and their supported methods.",
              id, method)};
}

}  // namespace sluice
