#include "api/client.h"

#include <csignal>
#include <optional>

#include "api/auth/default_credentials.h"
#include "api/batches/vertex_services.h"
#include "api/http/curl_transport.h"
#include "api/http/google_service.h"
#include "io/base/clock.h"

namespace sluice {
namespace {

class GeminiClient final : public Client {
 public:
  static Result<std::unique_ptr<Client>> Make(GoogleServiceOptions service_options,
                                              const CurlTransportOptions& transport_options,
                                              std::vector<std::string> mime_types) {
    auto clock = std::make_unique<SystemClock>();
    auto transport = MakeCurlTransport(transport_options);
    SLUICE_ASSIGN(auto service,
                  GoogleService::Make(std::move(service_options), *transport, *clock));
    return std::unique_ptr<Client>(new GeminiClient(std::move(clock), std::move(transport),
                                                    std::move(service), std::move(mime_types)));
  }

  const Batches& batches() const override { return batches_; }
  Files& files() override { return files_; }

 private:
  GeminiClient(std::unique_ptr<Clock> clock, std::unique_ptr<Transport> transport,
               std::unique_ptr<GoogleService> service, std::vector<std::string> mime_types)
      : clock_(std::move(clock)),
        transport_(std::move(transport)),
        service_(std::move(service)),
        batches_(*service_),
        files_(*service_, std::move(mime_types)) {}

  const std::unique_ptr<Clock> clock_;
  const std::unique_ptr<Transport> transport_;
  const std::unique_ptr<GoogleService> service_;
  const Batches batches_;
  Files files_;
};

// Behind the Files of a client of Vertex AI.
class NoFilesTransport final : public Transport {
 public:
  Result<HttpResponse> Send(const HttpRequest& /*request*/) override {
    return Fail(ErrorCode::kUsage, "Vertex AI has no files of its own",
                "its jobs read objects in Cloud Storage (gs://bucket/object)");
  }
};

class VertexClient final : public Client {
 public:
  static Result<std::unique_ptr<Client>> Make(VertexServicesOptions options,
                                              const CurlTransportOptions& transport_options) {
    auto client = std::make_unique<VertexClient>(transport_options);
    SLUICE_ASSIGN(VertexSignIn sign_in, SignInToVertex(options.base_url, options.environment,
                                                       *client->transport_, client->clock_));
    options.tokens = std::move(sign_in.tokens);
    if (options.place.project.empty()) {
      options.place.project = std::move(sign_in.project_id);
    }
    SLUICE_ASSIGN(client->services_,
                  VertexServices::Make(options, *client->transport_, client->clock_));
    SLUICE_ASSIGN(client->no_service_, GoogleService::Make({}, client->no_files_, client->clock_));
    client->files_.emplace(*client->no_service_);
    return client;
  }

  explicit VertexClient(const CurlTransportOptions& options)
      : transport_(MakeCurlTransport(options)) {}

  const Batches& batches() const override { return services_->batches(); }
  Files& files() override { return *files_; }

 private:
  SystemClock clock_;
  const std::unique_ptr<Transport> transport_;
  std::unique_ptr<VertexServices> services_;
  NoFilesTransport no_files_;
  std::unique_ptr<GoogleService> no_service_;
  std::optional<Files> files_;
};

// The first that is not empty.
std::string FirstOf(std::string given, const std::optional<std::string>& variable,
                    const std::string& fallback) {
  if (!given.empty()) {
    return given;
  }
  return variable && !variable->empty() ? *variable : fallback;
}

Result<std::string> ChooseKey(const ClientOptions& options, const std::string& base_url) {
  if (!options.api_key.empty()) {
    return options.api_key;
  }
  SLUICE_ASSIGN(ApiKey key, FindApiKeyFor(base_url, options.api_key_file, options.environment));
  return std::move(key.value);
}

// Thread-safe only as far as nobody else sets the same signal at the same time.
void IgnoreSigpipe() {
  struct sigaction action{};
  if (sigaction(SIGPIPE, nullptr, &action) == 0 && action.sa_handler == SIG_DFL) {
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, nullptr);
  }
}

// As the official SDKs have it (@google/genai 3.1.0, 2026-11).
std::string WholeVersion(const std::string& version) {
  return version == "beta" ? "v1beta" : version;
}

// The same preview bears another name at Vertex AI.
std::string VertexVersion(const std::string& version) {
  return version == "v1beta" ? "v1beta1" : version;
}

Result<std::unique_ptr<Client>> MakeGeminiClient(ClientOptions options) {
  if (options.upload_mime_types.empty()) {
    return Fail(ErrorCode::kUsage, "uploads need at least one MIME type");
  }
  GoogleServiceOptions service;
  service.base_url =
      FirstOf(options.base_url, options.environment("GOOGLE_GEMINI_BASE_URL"), service.base_url);
  service.api_version = WholeVersion(FirstOf(
      options.api_version, options.environment("GOOGLE_GENAI_API_VERSION"), service.api_version));
  SLUICE_ASSIGN(service.api_key, ChooseKey(options, service.base_url));
  service.request_timeout = options.request_timeout;
  service.stall_timeout = options.stall_timeout;
  service.retry = options.retry;
  return GeminiClient::Make(std::move(service),
                            {.user_agent = options.user_agent, .ca_file = options.ca_file},
                            std::move(options.upload_mime_types));
}

Result<std::unique_ptr<Client>> MakeVertexClient(const ClientOptions& options) {
  if (!options.api_key.empty() || !options.api_key_file.empty()) {
    return Fail(ErrorCode::kUsage, "Vertex AI takes no API key",
                "sign in: gcloud auth application-default login, or "
                "GOOGLE_APPLICATION_CREDENTIALS=FILE");
  }
  const EnvironmentLookup& environment = options.environment;
  VertexServicesOptions services{
      .place = {.project = FirstOf(options.project, ProjectOfEnvironment(environment), ""),
                .location = FirstOf(options.location, LocationOfEnvironment(environment), "")},
      .base_url = FirstOf(options.base_url, environment("GOOGLE_VERTEX_BASE_URL"), ""),
      .api_version = VertexVersion(
          WholeVersion(FirstOf(options.api_version, environment("GOOGLE_GENAI_API_VERSION"), ""))),
      .environment = environment,
      .request_timeout = options.request_timeout,
      .stall_timeout = options.stall_timeout,
      .retry = options.retry};
  return VertexClient::Make(std::move(services),
                            {.user_agent = options.user_agent, .ca_file = options.ca_file});
}

}  // namespace

Result<std::unique_ptr<Client>> MakeClient(ClientOptions options) {
  if (!options.environment) {
    options.environment = ProcessVariable;
  }
  if (options.ignore_sigpipe) {
    IgnoreSigpipe();
  }
  return options.sign_in == SignIn::kVertex ? MakeVertexClient(options)
                                            : MakeGeminiClient(std::move(options));
}  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks): it does not see the owner in a Result

}  // namespace sluice
