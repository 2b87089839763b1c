#include "api/auth/cached_tokens.h"

#include <algorithm>

namespace sluice {

Result<std::string> CachedTokens::Token(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  if (!fetched_.wait(lock, stop, [&] { return !fetching_; })) {
    return Fail(ErrorCode::kUnfinished, "stopped while signing in");
  }
  if (refusal_) {
    return std::unexpected(*refusal_);
  }
  const MonotonicTime now = clock_.Now();
  if (kept_ && now < kept_->renew_at) {
    return kept_->value;
  }
  fetching_ = true;
  lock.unlock();
  Result<FreshToken> fetched = fetch_(stop);
  lock.lock();
  fetching_ = false;
  fetched_.notify_all();
  return Take(std::move(fetched), now);
}

Result<std::string> CachedTokens::Take(Result<FreshToken> fetched, MonotonicTime asked_at) {
  if (fetched) {
    // Its life began while we waited for it.
    const auto margin = std::min<std::chrono::milliseconds>(kRenewBefore, fetched->life / 4);
    kept_ = {.value = fetched->value,
             .renew_at = asked_at + fetched->life - margin,
             .end = asked_at + fetched->life};
    return std::move(fetched->value);
  }
  if (fetched.error().code == ErrorCode::kAuth) {
    kept_.reset();
    refusal_ = fetched.error();
  }
  if (kept_ && clock_.Now() < kept_->end && IsTransient(fetched.error().code)) {
    return kept_->value;
  }
  return std::unexpected(std::move(fetched).error());
}

void CachedTokens::Refused(const std::string& token) {
  const std::scoped_lock lock(mutex_);
  if (kept_ && kept_->value == token) {
    kept_.reset();
  }
}

}  // namespace sluice
