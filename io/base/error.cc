#include "io/base/error.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <system_error>

namespace sluice {

bool IsTransient(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnavailable:
    case ErrorCode::kNotSent:
    case ErrorCode::kTransport:
    case ErrorCode::kBadAnswer:
      return true;
    default:
      return false;
  }
}

int ExitCode(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
      return 2;
    case ErrorCode::kAuth:
      return 4;
    case ErrorCode::kBudget:
      return 5;
    case ErrorCode::kRemoteFailed:
    case ErrorCode::kRefused:
    case ErrorCode::kNotFound:
    case ErrorCode::kConflict:
      return 6;
    case ErrorCode::kInput:
      return 7;
    case ErrorCode::kLocked:
      return 8;
    case ErrorCode::kUnavailable:
    case ErrorCode::kNotSent:
    case ErrorCode::kTransport:
    case ErrorCode::kBadAnswer:
    case ErrorCode::kIo:
    case ErrorCode::kUnfinished:
      return 75;
    case ErrorCode::kInternal:
      return 1;
  }
  return 1;
}

std::string_view ErrorClass(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInternal:
      return "internal";
    case ErrorCode::kUsage:
      return "usage";
    case ErrorCode::kInput:
      return "input";
    case ErrorCode::kAuth:
      return "auth";
    case ErrorCode::kBudget:
      return "budget";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kConflict:
      return "conflict";
    case ErrorCode::kRefused:
      return "refused";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kNotSent:
      return "not_sent";
    case ErrorCode::kTransport:
      return "transport";
    case ErrorCode::kBadAnswer:
      return "bad_answer";
    case ErrorCode::kRemoteFailed:
      return "remote_failed";
    case ErrorCode::kIo:
      return "io";
    case ErrorCode::kLocked:
      return "locked";
    case ErrorCode::kUnfinished:
      return "unfinished";
  }
  return "internal";
}

Error SystemError(std::string_view what, std::string_view path, int error_number) {
  const bool no_room = error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
  return Error{.code = ErrorCode::kIo,
               .message = fmt::format("cannot {} '{}': {}", what, path,
                                      std::generic_category().message(error_number)),
               .hint = no_room ? "make room; the same command then goes on" : ""};
}

void CheckFailed(std::string_view condition, std::string_view message, std::string_view file,
                 int line) {
  fmt::print(stderr, "sluice: internal check failed: {} ({}) at {}:{}\n", message, condition, file,
             line);
  std::abort();
}

}  // namespace sluice
