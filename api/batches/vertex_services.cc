#include "api/batches/vertex_services.h"

#include <algorithm>
#include <array>

#include "api/auth/default_credentials.h"
#include "api/batches/vertex_batch_api.h"

namespace sluice {
namespace {

// Where a service is and who signs in there.
GoogleServiceOptions Reach(GoogleServiceOptions own, bool is_emulator,
                           const VertexServicesOptions& options) {
  if (!is_emulator) {
    own.tokens = options.tokens;
    own.base_url = options.base_url.empty() ? own.base_url : options.base_url;
  }
  own.request_timeout = options.request_timeout;
  own.stall_timeout = options.stall_timeout;
  own.retry = options.retry;
  return own;
}

// Whether a variable names somebody to sign in as.
bool NamesCredentials(const EnvironmentLookup& environment) {
  constexpr std::array kVariables = {"SLUICE_GOOGLE_ACCESS_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS",
                                     "GCE_METADATA_HOST", "GCE_METADATA_IP"};
  return std::ranges::any_of(
      kVariables, [&](const char* name) { return !environment(name).value_or("").empty(); });
}

}  // namespace

VertexServices::VertexServices(VertexPlace place, Parts parts)
    : place_(std::move(place)),
      vertex_(std::move(parts.vertex)),
      storage_service_(std::move(parts.storage)),
      tables_service_(std::move(parts.tables)),
      storage_(*storage_service_),
      tables_(*tables_service_, place_.project, place_.location),
      answers_(storage_, tables_) {}

Result<std::unique_ptr<VertexServices>> VertexServices::Make(const VertexServicesOptions& options,
                                                             Transport& transport, Clock& clock) {
  SLUICE_TRY(CheckVertexPlace(options.place));
  const EnvironmentLookup nothing = [](const std::string&) -> std::optional<std::string> {
    return std::nullopt;
  };
  const EnvironmentLookup& environment = options.environment ? options.environment : nothing;
  const GoogleServiceOptions vertex{
      .base_url = options.place.base_url(),
      .api_version = options.api_version.empty() ? "v1" : options.api_version};
  const StoragePlace storage = StorageOfEnvironment(environment);
  const BigQueryPlace tables = BigQueryOfEnvironment(environment);
  Parts parts;
  SLUICE_ASSIGN(parts.vertex, GoogleService::Make(Reach(vertex, false, options), transport, clock));
  SLUICE_ASSIGN(
      parts.storage,
      GoogleService::Make(Reach(storage.options, storage.is_emulator, options), transport, clock));
  SLUICE_ASSIGN(
      parts.tables,
      GoogleService::Make(Reach(tables.options, tables.is_emulator, options), transport, clock));
  std::unique_ptr<VertexServices> services(new VertexServices(options.place, std::move(parts)));
  SLUICE_ASSIGN(auto api, MakeVertexBatchApi(options.place, services->answers_));
  services->batches_ =
      std::make_unique<const Batches>(*services->vertex_, std::move(api), kAnswerBytesMax);
  return services;
}

Result<VertexSignIn> SignInToVertex(const std::string& base_url,
                                    const EnvironmentLookup& environment, Transport& transport,
                                    Clock& clock, const std::stop_token& stop) {
  const auto origin = ParseOrigin(base_url);
  if (origin.has_value() && IsLoopback(*origin) && !NamesCredentials(environment)) {
    return VertexSignIn{};
  }
  SLUICE_ASSIGN(Credentials found, FindDefaultCredentials(environment, transport, clock, stop));
  return VertexSignIn{.tokens = std::move(found.tokens), .project_id = std::move(found.project_id)};
}

}  // namespace sluice
