#include "tools/service_access.h"

#include <fmt/format.h>
#include <utility>

#include "api/auth/api_key.h"
#include "api/auth/default_credentials.h"
#include "api/batches/vertex_services.h"
#include "api/http/curl_transport.h"
#include "tools/version.h"

namespace sluice {
namespace {

// Fills in what Vertex AI needs of `provider`.
Result<void> SignInForRun(const ServiceAccessOptions& options, Transport& transport, Clock& clock,
                          ProviderOptions& provider) {
  if (!options.api_key_file.empty()) {
    return Fail(ErrorCode::kUsage, "--api-key-file: Vertex AI takes no API key",
                "sign in: gcloud auth application-default login, or "
                "GOOGLE_APPLICATION_CREDENTIALS=FILE");
  }
  SLUICE_ASSIGN(VertexSignIn sign_in,
                SignInToVertex(options.base_url, ProcessVariable, transport, clock));
  provider.tokens = std::move(sign_in.tokens);
  const RunCloud& cloud = options.cloud;
  provider.project = cloud.project.empty() ? ProjectOfEnvironment(ProcessVariable) : cloud.project;
  if (provider.project.empty()) {
    provider.project = std::move(sign_in.project_id);
  }
  provider.location =
      cloud.location.empty() ? LocationOfEnvironment(ProcessVariable) : cloud.location;
  provider.bucket = cloud.bucket;
  provider.bigquery_dataset = cloud.bigquery_dataset;
  provider.environment = ProcessVariable;
  return {};
}

}  // namespace

Backend ParseBackend(std::string_view name) {
  return name == "local" ? Backend::kLocal : name == "vertex" ? Backend::kVertex : Backend::kGemini;
}

std::string_view BackendName(Backend backend) {
  return backend == Backend::kLocal ? "local" : ProviderNameOf(backend);
}

std::string_view ProviderNameOf(Backend backend) {
  return backend == Backend::kVertex ? "vertex" : "gemini";
}

std::string ReadBaseUrl(const Arguments& arguments, bool vertex) {
  // The flag's own variable is that of the Gemini Developer API.
  constexpr std::string_view kFlag = "--base-url";
  const auto origin = arguments.origins.find(kFlag);
  const bool is_for_gemini = !arguments.Has(kFlag) || (origin != arguments.origins.end() &&
                                                       origin->second == "GOOGLE_GEMINI_BASE_URL");
  return vertex && is_for_gemini ? ProcessVariable("GOOGLE_VERTEX_BASE_URL").value_or("")
                                 : arguments.TextOr(kFlag, "");
}

std::string_view DefaultModel(Backend backend, Task task) {
  if (backend == Backend::kLocal) {
    return task == Task::kEmbed ? "sluice-lexical-1" : "sluice-echo-1";
  }
  return task == Task::kEmbed ? "gemini-embedding-001" : "gemini-2.5-flash";
}

std::string AddressOfObjects(const ServiceAccessOptions& options) {
  return options.backend == Backend::kVertex ? options.base_url : std::string();
}

Result<ServiceAccess> ServiceAccess::Open(const ServiceAccessOptions& options, Clock& clock) {
  ServiceAccess access;
  CurlTransportOptions transport;
  transport.user_agent = fmt::format("sluice/{}", kVersion);
  access.transport_ = MakeCurlTransport(transport);
  ProviderOptions provider{.task = options.task,
                           .model = options.model,
                           .base_url = options.base_url,
                           .api_version = options.api_version};
  switch (options.backend) {
    case Backend::kLocal: {
      SLUICE_ASSIGN(LocalService local, LocalService::Start(options.state_folder));
      provider.base_url = local.base_url();
      provider.api_key = LocalService::kApiKey;
      access.local_.emplace(std::move(local));
      break;
    }
    case Backend::kGemini: {
      SLUICE_ASSIGN(ApiKey key,
                    FindApiKeyFor(options.base_url, options.api_key_file, ProcessVariable));
      access.warning_ = key.warning();
      provider.api_key = std::move(key.value);
      break;
    }
    case Backend::kVertex:
      SLUICE_TRY(SignInForRun(options, *access.transport_, clock, provider));
      break;
  }
  provider.request_timeout = options.request_timeout.value_or(provider.request_timeout);
  provider.stall_timeout = options.stall_timeout.value_or(provider.stall_timeout);
  provider.answer_bytes_max = options.answer_bytes_max.value_or(provider.answer_bytes_max);
  access.base_url_ = provider.base_url;
  SLUICE_ASSIGN(access.provider_,
                MakeProvider(ProviderNameOf(options.backend), provider, *access.transport_, clock));
  return access;
}

void ServiceAccess::DiscardLocalState() {
  if (local_) {
    local_->Discard();
  }
}

}  // namespace sluice
