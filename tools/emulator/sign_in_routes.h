// The routes by which clients of Google Cloud sign in: OAuth tokens (RFC 6749, 7523, 8693), the
// impersonation of service accounts and the metadata server of a machine in the cloud. Thread-safe.
//
//   POST /token                                            service accounts, refresh tokens
//   POST /revoke?token=                                    ends one sign-in; /_sluice/revoke: all
//   POST /v1/token                                         token exchange (STS)
//   POST /v1/projects/-/serviceAccounts/...:generateAccessToken
//   GET  /  and  /computeMetadata/v1/...                   with Metadata-Flavor: Google
#pragma once

#include "tools/emulator/service.h"

namespace sluice {

[[nodiscard]] bool ServesSignIn(const Exchange& exchange);
void AnswerSignIn(Service& service, Exchange& exchange);

}  // namespace sluice
