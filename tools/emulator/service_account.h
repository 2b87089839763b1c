// ServiceAccount: the one account that may sign in at the local service, with its RSA key.
// Immutable once made; thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "io/base/clock.h"
#include "io/base/error.h"
#include "io/file/file_system.h"

namespace sluice {

class ServiceAccount {
 public:
  static constexpr std::string_view kEmail = "sluice@local-project.iam.gserviceaccount.com";
  static constexpr std::string_view kProject = "local-project";

  // With the key of the key file at `path`, or with a new one when there is no such file. Errors:
  // kUsage for a file that is something else; kIo.
  [[nodiscard]] static Result<ServiceAccount> OfFile(FileSystem& files, const std::string& path);

  // Writes the key file as Google's console makes them; tokens are to be had at `base_url`.
  [[nodiscard]] Result<void> WriteFile(FileSystem& files, const std::string& path,
                                       const std::string& base_url) const;

  // Why this signed request for a token is not one of this account's for the service at
  // `token_url`, or nothing. RFC 7523.
  [[nodiscard]] std::string RefusalOf(std::string_view assertion, const std::string& token_url,
                                      WallTime now) const;

 private:
  struct Key;  // OpenSSL's
  explicit ServiceAccount(std::shared_ptr<const Key> key) : key_(std::move(key)) {}

  std::shared_ptr<const Key> key_;
};

}  // namespace sluice
