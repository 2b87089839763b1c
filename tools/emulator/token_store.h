// TokenStore: the access tokens that the local service has given out, and who may get one.
// Thread-safe. Tokens live in memory: after a restart all are refused, and clients ask for new
// ones.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "io/base/clock.h"

namespace sluice {

class TokenStore {
 public:
  // `required`: whether calls of Google Cloud need a token at all.
  TokenStore(Clock& clock, std::chrono::milliseconds life, bool required)
      : clock_(clock), life_(life), required_(required) {}

  [[nodiscard]] std::chrono::milliseconds life() const { return life_; }

  // A new token.
  [[nodiscard]] std::string Issue();
  // Whether a call with this Authorization header may be answered.
  [[nodiscard]] bool Accepts(const std::optional<std::string>& authorization);

  // Ends the tokens and the sign-in (a refresh token, a service account's address) of that name.
  void Revoke(const std::string& name);
  // Ends all, for good.
  void RevokeAll();
  [[nodiscard]] bool IsRevoked(const std::string& name);

 private:
  Clock& clock_;
  const std::chrono::milliseconds life_;
  const bool required_;
  std::mutex mutex_;
  std::map<std::string, MonotonicTime, std::less<>> ends_;  // by token
  std::set<std::string> revoked_;
  bool all_revoked_ = false;
};

}  // namespace sluice
