// CachedTokens: AccessTokens over anything that fetches a token. One caller fetches, the others
// wait. Thread-safe.
//
// A token is renewed when a quarter of its life is left, or kRenewBefore. When that does not
// succeed and the old one still lives, the old one serves on. A sign-in that was refused stays
// refused: later calls say so without asking again.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "api/auth/access_tokens.h"
#include "api/auth/token_service.h"
#include "io/base/clock.h"

namespace sluice {

class CachedTokens final : public AccessTokens {
 public:
  // As google-auth of Python has it (2.x, 2026).
  static constexpr std::chrono::seconds kRenewBefore{225};

  using Fetch = std::function<Result<FreshToken>(std::stop_token stop)>;

  // `fetch` is called by one thread at a time; `clock` must outlive the object.
  CachedTokens(Fetch fetch, std::string account, std::string quota_project, Clock& clock)
      : fetch_(std::move(fetch)),
        account_(std::move(account)),
        quota_project_(std::move(quota_project)),
        clock_(clock) {}

  [[nodiscard]] Result<std::string> Token(std::stop_token stop) override;
  void Refused(const std::string& token) override;
  [[nodiscard]] std::string account() const override { return account_; }
  [[nodiscard]] std::string quota_project() const override { return quota_project_; }

 private:
  struct Kept {
    std::string value;
    MonotonicTime renew_at;
    MonotonicTime end;
  };

  // What `fetch_` gave becomes the answer of the call, and perhaps of later ones. Needs the lock.
  Result<std::string> Take(Result<FreshToken> fetched, MonotonicTime asked_at);

  const Fetch fetch_;
  const std::string account_;
  const std::string quota_project_;
  Clock& clock_;
  std::mutex mutex_;  // guards all below
  std::condition_variable_any fetched_;
  bool fetching_ = false;
  std::optional<Kept> kept_;
  std::optional<Error> refusal_;
};

}  // namespace sluice
