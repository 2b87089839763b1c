#include "api/auth/default_credentials.h"

#include <algorithm>
#include <atomic>
#include <fmt/format.h>
#include <variant>

#include "api/auth/account_tokens.h"
#include "api/auth/cached_tokens.h"
#include "api/auth/credential_file.h"
#include "api/auth/metadata_server.h"
#include "api/auth/token_service.h"
#include "io/file/file_system.h"

namespace sluice {
namespace {

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

Credentials CredentialsOf(CredentialFile file, const std::string& path,
                          const std::string& quota_project, Transport& transport, Clock& clock) {
  const TokenService service(transport, clock);
  const std::string quota = quota_project.empty() ? file.quota_project : quota_project;
  return std::visit(
      [&](auto& account) {
        std::string word = AccountWord(account);
        auto fetch = [service, account](const std::stop_token& stop) {
          return FetchToken(service, account, stop);
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
