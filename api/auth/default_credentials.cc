#include "api/auth/default_credentials.h"

#include <algorithm>
#include <atomic>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/auth/cached_tokens.h"
#include "api/auth/credential_file.h"
#include "api/auth/signed_assertion.h"
#include "api/auth/token_service.h"
#include "api/http/json_fields.h"
#include "api/http/url.h"
#include "io/file/file_system.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr const char* kTokenVariable = "SLUICE_GOOGLE_ACCESS_TOKEN";
constexpr const char* kFileVariable = "GOOGLE_APPLICATION_CREDENTIALS";
constexpr const char* kNobodyHint =
    "gcloud auth application-default login, or export GOOGLE_APPLICATION_CREDENTIALS=FILE with a "
    "service account's key file";
constexpr uint64_t kFileBytesMax = 1 << 20;

std::string Variable(const EnvironmentLookup& environment, const char* name) {
  return environment(name).value_or("");
}

// A token that somebody else got. It cannot be renewed.
class GivenToken final : public AccessTokens {
 public:
  GivenToken(std::string token, std::string quota_project)
      : token_(std::move(token)), quota_project_(std::move(quota_project)) {}

  Result<std::string> Token(std::stop_token) override {
    if (refused_) {
      return Fail(ErrorCode::kAuth,
                  fmt::format("the access token in {} is no longer accepted", kTokenVariable),
                  fmt::format("export {}=$(gcloud auth print-access-token)", kTokenVariable));
    }
    return token_;
  }
  void Refused(const std::string&) override { refused_ = true; }
  [[nodiscard]] std::string account() const override { return "given token"; }
  [[nodiscard]] std::string quota_project() const override { return quota_project_; }

 private:
  const std::string token_;
  const std::string quota_project_;
  std::atomic<bool> refused_ = false;
};

// --- what fetches a token, for each kind of account

Result<FreshToken> Fetch(const TokenService& service, const ServiceAccountKey& key,
                         std::stop_token stop) {
  SLUICE_ASSIGN(const std::string assertion,
                SignAssertion(key, kCloudPlatformScope, service.clock().WallNow()));
  return service.Ask(
      key.token_url,
      {{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, {"assertion", assertion}},
      {assertion}, std::move(stop));
}

Result<FreshToken> Fetch(const TokenService& service, const AuthorizedUser& user,
                         std::stop_token stop) {
  return service.Ask(user.token_url,
                     {{"grant_type", "refresh_token"},
                      {"client_id", user.client_id},
                      {"client_secret", user.client_secret},
                      {"refresh_token", user.refresh_token}},
                     {user.client_secret, user.refresh_token}, std::move(stop));
}

Result<std::string> ReadSubject(const TokenService& service, const SubjectSource& source,
                                std::stop_token stop) {
  if (!source.file.empty()) {
    const auto files = MakePosixFileSystem();
    return ReadWholeFile(*files, source.file, kFileBytesMax);
  }
  HttpRequest request;
  request.url = source.url;
  request.headers.assign(source.headers.begin(), source.headers.end());
  request.stop = std::move(stop);
  return service.Send(std::move(request), {});
}

// Read anew for each exchange: its owner renews it.
Result<std::string> SubjectToken(const TokenService& service, const SubjectSource& source,
                                 std::stop_token stop) {
  auto text = ReadSubject(service, source, std::move(stop));
  if (!text && !IsTransient(text.error().code) && text.error().code != ErrorCode::kUnfinished) {
    return Fail(ErrorCode::kAuth, "no subject token to sign in with: " + text.error().message);
  }
  if (!text) {
    return text;
  }
  std::string token =
      source.json_member.empty() ? *text : TextMember(ParseJson(*text), source.json_member);
  token.erase(token.find_last_not_of(" \t\r\n") + 1);
  if (token.empty()) {
    return Fail(ErrorCode::kAuth, "the subject token to sign in with is empty");
  }
  return token;
}

Result<FreshToken> Impersonate(const TokenService& service, const std::string& url,
                               const std::string& token, std::stop_token stop) {
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Authorization", "Bearer " + token}, {"Content-Type", "application/json"}};
  request.body = Json{{"scope", {kCloudPlatformScope}}, {"lifetime", "3600s"}}.dump();
  request.stop = std::move(stop);
  SLUICE_ASSIGN(const std::string body, service.Send(std::move(request), {token}));
  return ParseImpersonationAnswer(body, service.clock().WallNow());
}

Result<FreshToken> Fetch(const TokenService& service, const ExternalAccount& account,
                         const std::stop_token& stop) {
  SLUICE_ASSIGN(const std::string subject, SubjectToken(service, account.source, stop));
  SLUICE_ASSIGN(
      FreshToken token,
      service.Ask(account.token_url,
                  {{"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"},
                   {"audience", account.audience},
                   {"scope", kCloudPlatformScope},
                   {"requested_token_type", "urn:ietf:params:oauth:token-type:access_token"},
                   {"subject_token", subject},
                   {"subject_token_type", account.subject_token_type}},
                  {subject}, stop));
  return account.impersonation_url.empty()
             ? Result<FreshToken>(std::move(token))
             : Impersonate(service, account.impersonation_url, token.value, stop);
}

std::string AccountWord(const ServiceAccountKey& key) { return key.client_email; }
std::string AccountWord(const AuthorizedUser& user) { return "user of " + user.client_id; }
std::string AccountWord(const ExternalAccount& account) {
  return account.audience + account.impersonation_url;
}

Credentials CredentialsOf(CredentialFile file, const std::string& path,
                          const std::string& quota_project, Transport& transport, Clock& clock) {
  const TokenService service(transport, clock);
  const std::string quota = quota_project.empty() ? file.quota_project : quota_project;
  return std::visit(
      [&](auto& account) {
        std::string word = AccountWord(account);
        auto fetch = [service, account](const std::stop_token& stop) {
          return Fetch(service, account, stop);
        };
        return Credentials{.tokens = std::make_shared<CachedTokens>(std::move(fetch),
                                                                    std::move(word), quota, clock),
                           .project_id = file.project_id,
                           .origin = path};
      },
      file.account);
}

Result<Credentials> OfFile(const std::string& path, const std::string& quota_project,
                           Transport& transport, Clock& clock) {
  const auto files = MakePosixFileSystem();
  auto text = ReadWholeFile(*files, path, kFileBytesMax);
  auto file = text ? ParseCredentialFile(*text) : std::unexpected(text.error());
  if (!file) {
    return Fail(ErrorCode::kAuth, fmt::format("{}: {}", path, file.error().message), kNobodyHint);
  }
  return CredentialsOf(*std::move(file), path, quota_project, transport, clock);
}

// --- the metadata server

class MetadataServer {
 public:
  MetadataServer(std::string host, const TokenService& service, Transport& transport)
      : root_("http://" + std::move(host)), service_(service), transport_(transport) {}

  // Asked three times for three seconds, as google-auth does it (2.x, 2026): a server that is not
  // there is often silence.
  [[nodiscard]] bool IsThere(const std::stop_token& stop) const {
    constexpr int kTries = 3;
    constexpr std::chrono::seconds kPatience{3};
    HttpRequest request = Request("/", stop);
    request.timeout = kPatience;
    for (int i = 0; i < kTries && !stop.stop_requested(); ++i) {
      const auto answer = transport_.Send(request);
      if (answer || answer.error().code != ErrorCode::kTransport) {
        return answer && answer->Header("metadata-flavor") == "Google";
      }
    }
    return false;
  }

  // Empty when it does not tell.
  [[nodiscard]] std::string ProjectId(const std::stop_token& stop) const {
    return service_.Send(Request("/computeMetadata/v1/project/project-id", stop), {}).value_or("");
  }

  [[nodiscard]] Result<FreshToken> Token(const std::stop_token& stop) const {
    SLUICE_ASSIGN(
        const std::string body,
        service_.Send(
            Request(
                fmt::format("/computeMetadata/v1/instance/service-accounts/default/token?scopes={}",
                            EncodeQueryValue(kCloudPlatformScope)),
                stop),
            {}));
    return ParseTokenAnswer(body);
  }

 private:
  [[nodiscard]] HttpRequest Request(std::string_view path, const std::stop_token& stop) const {
    HttpRequest request;
    request.url = root_ + std::string(path);
    request.headers = {{"Metadata-Flavor", "Google"}};
    request.stop = stop;
    return request;
  }

  std::string root_;
  TokenService service_;
  Transport& transport_;
};

std::string MetadataHost(const EnvironmentLookup& environment) {
  for (const char* name : {"GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP"}) {
    if (std::string host = Variable(environment, name); !host.empty()) {
      return host;
    }
  }
  return "169.254.169.254";
}

std::optional<Credentials> OfMetadataServer(const EnvironmentLookup& environment,
                                            const std::string& quota_project, Transport& transport,
                                            Clock& clock, const std::stop_token& stop) {
  const MetadataServer server(MetadataHost(environment), TokenService(transport, clock), transport);
  if (Variable(environment, "NO_GCE_CHECK") == "true" || !server.IsThere(stop)) {
    return std::nullopt;
  }
  auto fetch = [server](const std::stop_token& fetch_stop) { return server.Token(fetch_stop); };
  return Credentials{.tokens = std::make_shared<CachedTokens>(std::move(fetch), "metadata server",
                                                              quota_project, clock),
                     .project_id = server.ProjectId(stop),
                     .origin = "the metadata server"};
}

Result<void> CheckGivenToken(std::string_view token) {
  if (std::ranges::all_of(token, [](char c) { return c > 0x20 && c < 0x7f; })) {
    return {};
  }
  return Fail(ErrorCode::kAuth,
              fmt::format("{} holds no access token: it must be one word of plain "
                          "characters",
                          kTokenVariable));
}

std::string WellKnownFile(const EnvironmentLookup& environment) {
  std::string folder = Variable(environment, "CLOUDSDK_CONFIG");
  const std::string home = Variable(environment, "HOME");
  if (folder.empty() && !home.empty()) {
    folder = home + "/.config/gcloud";
  }
  return folder.empty() ? "" : folder + "/application_default_credentials.json";
}

}  // namespace

Result<Credentials> FindDefaultCredentials(const EnvironmentLookup& environment,
                                           Transport& transport, Clock& clock,
                                           const std::stop_token& stop) {
  const std::string quota_project = Variable(environment, "GOOGLE_CLOUD_QUOTA_PROJECT");
  if (std::string token = Variable(environment, kTokenVariable); !token.empty()) {
    SLUICE_TRY(CheckGivenToken(token));
    return Credentials{.tokens = std::make_shared<GivenToken>(std::move(token), quota_project),
                       .project_id = {},
                       .origin = kTokenVariable};
  }
  if (const std::string path = Variable(environment, kFileVariable); !path.empty()) {
    return OfFile(path, quota_project, transport, clock);
  }
  const std::string well_known = WellKnownFile(environment);
  if (!well_known.empty() && MakePosixFileSystem()->Exists(well_known)) {
    return OfFile(well_known, quota_project, transport, clock);
  }
  if (auto found = OfMetadataServer(environment, quota_project, transport, clock, stop)) {
    return *std::move(found);
  }
  if (stop.stop_requested()) {
    return Fail(ErrorCode::kUnfinished, "stopped while looking for a sign-in");
  }
  return Fail(ErrorCode::kAuth, "nobody is signed in to Google Cloud", kNobodyHint);
}

std::string ProjectOfEnvironment(const EnvironmentLookup& environment) {
  const std::string project = Variable(environment, "GOOGLE_CLOUD_PROJECT");
  return project.empty() ? Variable(environment, "GCLOUD_PROJECT") : project;
}

std::string LocationOfEnvironment(const EnvironmentLookup& environment) {
  const std::string location = Variable(environment, "GOOGLE_CLOUD_LOCATION");
  return location.empty() ? "global" : location;
}

}  // namespace sluice
