// CredentialFile: the JSON files in which Google keeps sign-ins. What stands in them is not
// trusted: addresses must be https (or http on this machine). Immutable functions, thread-safe.
//
// Source: google-auth 2.x of Python (2026-11), which reads the same files.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "io/base/error.h"

namespace sluice {

// A service account, by its private key.
struct ServiceAccountKey {
  std::string client_email;
  std::string private_key;  // PEM
  std::string private_key_id;
  std::string token_url;
};

// A person, by the refresh token that `gcloud auth application-default login` got.
struct AuthorizedUser {
  std::string client_id;
  std::string client_secret;
  std::string refresh_token;
  std::string token_url;
};

// Where somebody else's token lies: in a file or at an address.
struct SubjectSource {
  std::string file;
  std::string url;                             // when there is no file
  std::map<std::string, std::string> headers;  // for the address
  std::string json_member;  // of the JSON that holds the token; empty: plain text
};

// Somebody whom another cloud or an identity provider vouches for (workload identity federation).
struct ExternalAccount {
  std::string audience;
  std::string subject_token_type;
  std::string token_url;
  std::string impersonation_url;  // of a service account to act as; empty: none
  SubjectSource source;
};

struct CredentialFile {
  std::variant<ServiceAccountKey, AuthorizedUser, ExternalAccount> account;
  std::string quota_project;
  std::string project_id;
};

// Errors: kAuth, with what is missing or wrong and never with a secret.
[[nodiscard]] Result<CredentialFile> ParseCredentialFile(std::string_view json);

}  // namespace sluice
