// The signed request with which a service account asks for a token: a JWT by RS256 (RFC 7519,
// RFC 7523). An immutable function, thread-safe.
#pragma once

#include <string>

#include "api/auth/credential_file.h"
#include "io/base/clock.h"
#include "io/base/error.h"

namespace sluice {

// Good for an hour from `now` on, for the account's own token_url. Errors: kAuth when the private
// key is no RSA key in PEM.
[[nodiscard]] Result<std::string> SignAssertion(const ServiceAccountKey& key, const char* scope,
                                                WallTime now);

}  // namespace sluice
