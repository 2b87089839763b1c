// Access tokens for the accounts of credential files, each kind by an exchange of its own.
// Immutable functions, thread-safe.
#pragma once

#include <stop_token>
#include <string>

#include "api/auth/credential_file.h"
#include "api/auth/token_service.h"
#include "io/base/error.h"

namespace sluice {

// Errors: as TokenService; kAuth also when an account's subject token cannot be had.
[[nodiscard]] Result<FreshToken> FetchToken(const TokenService& service,
                                            const ServiceAccountKey& key,
                                            const std::stop_token& stop);
[[nodiscard]] Result<FreshToken> FetchToken(const TokenService& service, const AuthorizedUser& user,
                                            const std::stop_token& stop);
[[nodiscard]] Result<FreshToken> FetchToken(const TokenService& service,
                                            const ExternalAccount& account,
                                            const std::stop_token& stop);

// What tells an account from others, for AccessTokens::account(); no secret.
[[nodiscard]] std::string AccountWord(const ServiceAccountKey& key);
[[nodiscard]] std::string AccountWord(const AuthorizedUser& user);
[[nodiscard]] std::string AccountWord(const ExternalAccount& account);

}  // namespace sluice
