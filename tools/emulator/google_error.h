// ApiError: a refusal in the shape that Google's services give it. Immutable functions.
#pragma once

#include <string>
#include <string_view>

namespace sluice {

// google.rpc.Code; the numbers stand in operations and result lines, their HTTP statuses in
// answers.
enum class RpcCode {
  kCancelled = 1,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kUnauthenticated = 16,
};

struct ApiError {
  RpcCode code = RpcCode::kInternal;
  std::string message;
  std::string details = {};       // the JSON text of an array, or nothing
  std::string unknown_name = {};  // the field that nobody knows, when that is the error
};

[[nodiscard]] int HttpStatus(RpcCode code);
[[nodiscard]] std::string_view RpcName(RpcCode code);

// {"error": {"code": 404, "message": ..., "status": "NOT_FOUND", "details": [...]}}, compact.
[[nodiscard]] std::string ErrorBody(const ApiError& error);

[[nodiscard]] ApiError InvalidArgument(std::string message);
// The refusal of a model that is not listed, or of a method that it does not serve.
[[nodiscard]] ApiError NoSuchModel(std::string_view id, std::string_view method);

}  // namespace sluice
