// AccessTokens: the OAuth access tokens that calls of Google Cloud carry. Tokens live in memory
// only, and are renewed before they end. Thread-safe; see default_credentials.h for where they come
// from.
#pragma once

#include <stop_token>
#include <string>

#include "io/base/error.h"

namespace sluice {

// What Vertex AI, Cloud Storage and BigQuery all take.
inline constexpr const char* kCloudPlatformScope = "https://www.googleapis.com/auth/cloud-platform";

class AccessTokens {
 public:
  virtual ~AccessTokens() = default;

  // One that still lives for a while. Waits for the token service when there is none; one caller
  // asks, the others wait for its answer. Ask right before sending: what is kept for later ends.
  // Errors: kAuth (nobody is signed in, or the sign-in was revoked: asking again does not help),
  // kUnavailable, kTransport or kNotSent (the token service does not answer), kUnfinished.
  [[nodiscard]] virtual Result<std::string> Token(std::stop_token stop) = 0;
  // A service answered 401 to `token`: it is not given out again.
  virtual void Refused(const std::string& token) = 0;

  // Who is signed in, as a word that stays the same over sign-ins and holds no secret: a service
  // account's address where there is one.
  [[nodiscard]] virtual std::string account() const = 0;
  // The project whose quota calls count against; empty: the one they name.
  [[nodiscard]] virtual std::string quota_project() const = 0;
};

}  // namespace sluice
