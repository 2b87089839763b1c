// Error and Result: how every operation of sluice reports that it could not be done.
//
// Three roads, never mixed: a document's failure is data and travels with the document; an
// operation's failure is an Error inside a Result; a mistake of ours is a SLUICE_CHECK that stops
// the process. Whether a failure may be tried again is decided in one place, IsTransient().
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

// What kind of failure it was. The command line turns it into an exit code (see ExitCode()).
enum class ErrorCode {
  kInternal,      // a bug of ours, or a state that should not exist
  kUsage,         // wrong flags, wrong configuration
  kInput,         // the corpus cannot be read, or too much of it was refused
  kAuth,          // no key, or a key that the service does not accept
  kBudget,        // a limit of money, quota or size does not fit
  kNotFound,      // the service or the disk does not have the named thing
  kConflict,      // it is there already, or in a state that forbids the call
  kRefused,       // the service understood and will never do it (other 4xx)
  kUnavailable,   // overload, 5xx, 408, 429: may work later
  kNotSent,       // no byte reached the service: safe to repeat, whatever the call
  kTransport,     // the exchange broke; the service may or may not have acted
  kBadAnswer,     // the service answered with something that cannot be understood
  kRemoteFailed,  // a remote job failed, expired or was cancelled
  kIo,            // disk full, permission, short read
  kLocked,        // another live process owns the run directory
  kUnfinished,    // stopped by a signal or a deadline; the same command goes on
};

// A failure of one operation. `message` names the thing (file, shard, job, line) and the reason;
// `hint` says what to do about it and may be empty. Never holds a key, a token or an upload URL.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  std::string hint = {};
  // What the service asked us to wait (Retry-After, RetryInfo), when it did.
  std::optional<std::chrono::milliseconds> retry_after = {};
  // The HTTP status, 0 when the failure did not come from an HTTP answer.
  int http_status = 0;
};

template <typename T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> Fail(ErrorCode code, std::string message,
                                                 std::string hint = {}) {
  return std::unexpected(
      Error{.code = code, .message = std::move(message), .hint = std::move(hint)});
}

// True when the same call may work later without anything being mended. It does not say that
// repeating is safe: that depends on the call (see api/http/retry.h).
[[nodiscard]] bool IsTransient(ErrorCode code);

// The process exit code that docs/cli.md promises for this kind of failure.
[[nodiscard]] int ExitCode(ErrorCode code);

// A stable lower-case word for machines ("auth", "input", ...).
[[nodiscard]] std::string_view ErrorClass(ErrorCode code);

// errno as an Error: "cannot open 'x': No such file or directory".
[[nodiscard]] Error SystemError(std::string_view what, std::string_view path, int error_number);

}  // namespace sluice

// Passes an Error up to the caller of the function it stands in.
#define SLUICE_TRY(expression)                                             \
  do {                                                                     \
    if (auto sluice_result_ = (expression); !sluice_result_.has_value()) { \
      return std::unexpected(std::move(sluice_result_).error());           \
    }                                                                      \
  } while (false)

#define SLUICE_CONCAT_INNER_(a, b) a##b
#define SLUICE_CONCAT_(a, b) SLUICE_CONCAT_INNER_(a, b)

// SLUICE_ASSIGN(auto file, Open(path)): the value, or return with the Error.
#define SLUICE_ASSIGN(declaration, expression) \
  SLUICE_ASSIGN_(SLUICE_CONCAT_(sluice_result_, __LINE__), declaration, expression)
#define SLUICE_ASSIGN_(result, declaration, expression) \
  auto result = (expression);                           \
  if (!result.has_value()) {                            \
    return std::unexpected(std::move(result).error());  \
  }                                                     \
  declaration = std::move(result).value()

// An invariant of ours. Always on, in release builds too: a wrong ledger costs more than a stop.
#define SLUICE_CHECK(condition, message)                                \
  do {                                                                  \
    if (!(condition)) {                                                 \
      ::sluice::CheckFailed(#condition, (message), __FILE__, __LINE__); \
    }                                                                   \
  } while (false)

namespace sluice {
[[noreturn]] void CheckFailed(std::string_view condition, std::string_view message,
                              std::string_view file, int line);
}  // namespace sluice
