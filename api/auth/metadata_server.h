// MetadataServer: what a machine of Google Cloud tells those who run on it. Thread-safe.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "api/auth/token_service.h"
#include "api/http/transport.h"
#include "io/base/error.h"

namespace sluice {

class MetadataServer {
 public:
  // `host`: a name or an address, perhaps with a port. `transport` must outlive the object.
  MetadataServer(const std::string& host, const TokenService& service, Transport& transport)
      : root_("http://" + host), service_(service), transport_(transport) {}

  [[nodiscard]] bool IsThere(const std::stop_token& stop) const;
  // Empty when it does not tell.
  [[nodiscard]] std::string ProjectId(const std::stop_token& stop) const;
  // Of the machine's own account. Errors: as TokenService.
  [[nodiscard]] Result<FreshToken> Token(const std::stop_token& stop) const;

 private:
  [[nodiscard]] HttpRequest Request(std::string_view path, const std::stop_token& stop) const;

  std::string root_;
  TokenService service_;
  Transport& transport_;
};

}  // namespace sluice
