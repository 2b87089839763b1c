// Retry: which calls may be repeated, when, and after how long. One table for all services.
//
// "May I retry", "how long do I wait" and "is a second try safe" are three separate questions:
// IsTransient() of the error answers the first, Backoff the second, Repeat the third.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <random>
#include <stop_token>

#include "io/base/clock.h"
#include "io/base/error.h"

namespace sluice {

// Whether a second try of a call is safe.
enum class Repeat {
  kSafe,  // reads, deletes, and writes under a name or offset that we chose
  kOnce,  // creates something paid: never repeated here, not even after kNotSent
};

// However long a service asks to be left alone, somebody looks again after this.
inline constexpr std::chrono::hours kAskedWaitMax{1};

struct RetryPolicy {
  int attempts_max = 5;
  std::chrono::milliseconds first_wait{500};
  std::chrono::milliseconds wait_max{60'000};
};

// Waits before the n-th repetition (n from 1): exponential with full jitter, never less than what
// the service asked for in Error::retry_after (kAskedWaitMax at most).
class Backoff {
 public:
  Backoff(RetryPolicy policy, uint64_t seed) : policy_(policy), random_(seed) {}
  [[nodiscard]] std::chrono::milliseconds Wait(int repetition, const Error& error);

 private:
  RetryPolicy policy_;
  std::mt19937_64 random_;
};

// Calls `call` until it gives a value, an error that is not transient, or attempts are used up.
// Stops at once when asked to.
template <typename T>
Result<T> CallWithRetry(Repeat repeat, const RetryPolicy& policy, Clock& clock,
                        const std::stop_token& stop, const std::function<Result<T>()>& call) {
  Backoff backoff(policy, std::random_device{}());
  for (int attempt = 1;; ++attempt) {
    Result<T> result = call();
    if (result.has_value() || repeat == Repeat::kOnce || !IsTransient(result.error().code) ||
        attempt >= policy.attempts_max) {
      return result;
    }
    const auto wait = backoff.Wait(attempt, result.error());
    if (!clock.SleepUntil(clock.Now() + wait, stop)) {
      return Fail(ErrorCode::kUnfinished, "stopped while waiting to repeat a request");
    }
  }
}

}  // namespace sluice
