#include "tools/emulator/token_store.h"

#include "tools/emulator/random_id.h"

namespace sluice {

namespace {

// By which a token is known wherever it should not be: see tests/leaks/leaks.py.
constexpr const char* kTokenStart = "ya29.emulated-token-";
constexpr size_t kTokenLength = 64;
constexpr std::string_view kScheme = "Bearer ";

}  // namespace

std::string TokenStore::Issue() {
  std::string token = kTokenStart + RandomId(kTokenLength);
  const std::scoped_lock lock(mutex_);
  const MonotonicTime now = clock_.Now();
  std::erase_if(ends_, [&](const auto& entry) { return entry.second <= now; });
  ends_[token] = now + life_;
  return token;
}

bool TokenStore::Accepts(const std::optional<std::string>& authorization) {
  if (!required_) {
    return true;
  }
  if (!authorization.has_value() || !authorization->starts_with(kScheme)) {
    return false;
  }
  const std::scoped_lock lock(mutex_);
  const auto found = ends_.find(std::string_view(*authorization).substr(kScheme.size()));
  return found != ends_.end() && clock_.Now() < found->second;
}

void TokenStore::Revoke(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  revoked_.insert(name);
  ends_.erase(name);
}

void TokenStore::RevokeAll() {
  const std::scoped_lock lock(mutex_);
  all_revoked_ = true;
  ends_.clear();
}

bool TokenStore::IsRevoked(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  return all_revoked_ || revoked_.contains(name);
}

}  // namespace sluice
