#include "api/auth/credential_file.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/http/google_error.h"
#include "api/http/json_depth.h"
#include "api/http/json_fields.h"
#include "api/http/url.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr int kFileDepthMax = 16;
constexpr const char* kTokenUrl = "https://oauth2.googleapis.com/token";
constexpr const char* kExchangeUrl = "https://sts.googleapis.com/v1/token";

// The address of a service account holds an "@", which our addresses may not (see url.h). Behind
// the host the same may be written as %40.
std::string WithoutAtSigns(std::string url) {
  const size_t host = url.find("://");
  size_t path = host == std::string::npos ? host : url.find('/', host + 3);
  while (path != std::string::npos && (path = url.find('@', path)) != std::string::npos) {
    url.replace(path, 1, "%40");
  }
  return url;
}

// Reads members one after the other and keeps the first thing that is wrong.
class Members {
 public:
  explicit Members(const Json& json) : json_(json) {}

  std::string Optional(const char* name) { return TextMember(json_, name); }

  std::string Required(const char* name) {
    std::string value = Optional(name);
    if (value.empty()) {
      Blame(fmt::format("it has no {}", name));
    }
    return value;
  }

  // An address that a secret may be sent to.
  std::string Url(const char* name, const std::string& fallback) {
    std::string value = WithoutAtSigns(Optional(name));
    value = value.empty() ? fallback : value;
    const auto origin = ParseOrigin(value);
    if (!value.empty() && (!origin || (origin->scheme != "https" && !IsLoopback(*origin)))) {
      Blame(fmt::format("its {} is not an https address", name));
    }
    return value;
  }

  // A word that goes into a header.
  std::string Word(const char* name) {
    std::string value = Optional(name);
    if (value != PrintableText(value, value.size()) || value.find(' ') != std::string::npos) {
      Blame(fmt::format("its {} is no word", name));
    }
    return value;
  }

  void Blame(std::string fault) {
    if (fault_.empty()) {
      fault_ = std::move(fault);
    }
  }
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  const Json& json_;
  std::string fault_;
};

ServiceAccountKey ReadServiceAccount(Members& members) {
  return {.client_email = members.Required("client_email"),
          .private_key = members.Required("private_key"),
          .private_key_id = members.Optional("private_key_id"),
          .token_url = members.Url("token_uri", kTokenUrl)};
}

AuthorizedUser ReadAuthorizedUser(Members& members) {
  return {.client_id = members.Required("client_id"),
          .client_secret = members.Required("client_secret"),
          .refresh_token = members.Required("refresh_token"),
          .token_url = members.Url("token_uri", kTokenUrl)};
}

// Another machine's metadata server speaks plain http, too.
bool IsSourceUrl(const std::string& url) {
  const auto origin = ParseOrigin(url);
  return origin && (origin->scheme == "https" || IsLoopback(*origin) || IsMetadataServer(*origin));
}

SubjectSource ReadSubjectSource(const Json& json, Members& members) {
  SubjectSource source{.file = TextMember(json, "file"),
                       .url = TextMember(json, "url"),
                       .headers = {},
                       .json_member = {}};
  for (const auto& [name, value] : ObjectMember(json, "headers").items()) {
    source.headers[name] = value.is_string() ? value.get<std::string>() : std::string();
  }
  const Json& format = ObjectMember(json, "format");
  if (TextMember(format, "type") == "json") {
    source.json_member = TextMember(format, "subject_token_field_name");
    if (source.json_member.empty()) {
      members.Blame("its credential_source names no subject_token_field_name");
    }
  }
  // The url of an AWS source gives keys to sign a request with, and no token.
  const bool is_signed = !TextMember(json, "environment_id").empty();
  if (is_signed || (source.file.empty() && source.url.empty())) {
    members.Blame(
        "its credential_source is neither a file nor a url, which is all that sluice has");
  } else if (source.file.empty() && !IsSourceUrl(source.url)) {
    members.Blame("the url of its credential_source is not an https address");
  }
  return source;
}

ExternalAccount ReadExternalAccount(const Json& json, Members& members) {
  return {.audience = members.Required("audience"),
          .subject_token_type = members.Required("subject_token_type"),
          .token_url = members.Url("token_url", kExchangeUrl),
          .impersonation_url = members.Url("service_account_impersonation_url", ""),
          .source = ReadSubjectSource(ObjectMember(json, "credential_source"), members)};
}

}  // namespace

Result<CredentialFile> ParseCredentialFile(std::string_view text) {
  const Json json = NestsDeeperThan(text, kFileDepthMax) ? Json() : ParseJson(text);
  Members members(json);
  CredentialFile file;
  const std::string type = TextMember(json, "type");
  if (type == "service_account") {
    file.account = ReadServiceAccount(members);
  } else if (type == "authorized_user") {
    file.account = ReadAuthorizedUser(members);
  } else if (type == "external_account") {
    file.account = ReadExternalAccount(json, members);
  } else if (!json.is_object() || type.empty()) {
    members.Blame("it is not a JSON object with a type");
  } else {
    members.Blame(
        fmt::format("its type is {}; sluice signs in with service_account, "
                    "authorized_user and external_account",
                    PrintableText(type, 64)));
  }
  file.quota_project = members.Word("quota_project_id");
  file.project_id = members.Word("project_id");
  if (!members.fault().empty()) {
    return Fail(ErrorCode::kAuth, "this is no sign-in of Google Cloud: " + members.fault());
  }
  return file;
}

}  // namespace sluice
