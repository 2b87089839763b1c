// TokenService: asks OAuth services for access tokens and reads what they say (RFC 6749 section 5).
// Thread-safe.
//
// Faults that pass are asked through for half a minute or so; what the service refuses is kAuth. A
// redirect and a page of a gateway's pass too: kBadAnswer.
// Whatever it says, no secret of a request comes through.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/http/transport.h"
#include "io/base/clock.h"
#include "io/base/error.h"

namespace sluice {

struct FreshToken {
  std::string value;
  std::chrono::milliseconds life{0};  // from now on
};

// {"access_token": ..., "expires_in": ...}; an hour when it does not say. Errors: kBadAnswer.
[[nodiscard]] Result<FreshToken> ParseTokenAnswer(std::string_view body);
// {"accessToken": ..., "expireTime": ...}, of an impersonation at `now`. Errors: kBadAnswer.
[[nodiscard]] Result<FreshToken> ParseImpersonationAnswer(std::string_view body, WallTime now);

class TokenService {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  // Both must outlive the object.
  TokenService(Transport& transport, Clock& clock) : transport_(transport), clock_(clock) {}

  // POSTs `form` to `url`. `secrets` are cut out of whatever comes back.
  [[nodiscard]] Result<FreshToken> Ask(const std::string& url, const Fields& form,
                                       const std::vector<std::string>& secrets,
                                       std::stop_token stop) const;
  // Sends a request of any kind; a 2xx body is the value.
  [[nodiscard]] Result<std::string> Send(HttpRequest request,
                                         const std::vector<std::string>& secrets) const;

  [[nodiscard]] Clock& clock() const { return clock_; }

 private:
  Transport& transport_;
  Clock& clock_;
};

}  // namespace sluice
