#include "tools/service_access.h"

#include <cstdlib>
#include <fmt/format.h>
#include <utility>

#include "api/auth/api_key.h"
#include "api/http/curl_transport.h"
#include "tools/version.h"

namespace sluice {
namespace {

std::optional<std::string> ReadVariable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

Backend ParseBackend(std::string_view name) {
  return name == "local" ? Backend::kLocal : Backend::kGemini;
}

std::string_view BackendName(Backend backend) {
  return backend == Backend::kLocal ? "local" : "gemini";
}

std::string_view DefaultModel(Backend backend, Task task) {
  if (backend == Backend::kLocal) {
    return task == Task::kEmbed ? "sluice-lexical-1" : "sluice-echo-1";
  }
  return task == Task::kEmbed ? "gemini-embedding-001" : "gemini-2.5-flash";
}

Result<ServiceAccess> ServiceAccess::Open(const ServiceAccessOptions& options, Clock& clock) {
  ServiceAccess access;
  ProviderOptions provider;
  if (options.backend == Backend::kLocal) {
    SLUICE_ASSIGN(LocalService local, LocalService::Start(options.state_folder));
    provider.base_url = local.base_url();
    provider.api_key = LocalService::kApiKey;
    access.local_.emplace(std::move(local));
  } else {
    SLUICE_ASSIGN(ApiKey key, FindApiKey(options.api_key_file, ReadVariable));
    provider.base_url = options.base_url;
    access.warning_ = key.warning();
    provider.api_key = std::move(key.value);
  }
  if (!options.api_version.empty()) {
    provider.api_version = options.api_version;
  }
  provider.request_timeout = options.request_timeout.value_or(provider.request_timeout);
  provider.stall_timeout = options.stall_timeout.value_or(provider.stall_timeout);
  provider.answer_bytes_max = options.answer_bytes_max.value_or(provider.answer_bytes_max);
  access.base_url_ = provider.base_url;
  CurlTransportOptions transport;
  transport.user_agent = fmt::format("sluice/{}", kVersion);
  access.transport_ = MakeCurlTransport(transport);
  SLUICE_ASSIGN(access.provider_, MakeProvider("gemini", provider, *access.transport_, clock));
  return access;
}

void ServiceAccess::DiscardLocalState() {
  if (local_) {
    local_->Discard();
  }
}

}  // namespace sluice
