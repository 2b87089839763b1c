// ServiceAccess: the provider that a command talks to, with all that it needs: the local service
// when that is the backend, the API key, the transport. One thread at a time; the provider itself
// is thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "api/http/transport.h"
#include "api/protocol/line_protocol.h"
#include "api/provider/provider.h"
#include "engine/run.h"
#include "io/base/clock.h"
#include "io/base/error.h"
#include "tools/arguments.h"
#include "tools/local_service.h"

namespace sluice {

enum class Backend { kGemini, kVertex, kLocal };
[[nodiscard]] Backend ParseBackend(std::string_view name);
[[nodiscard]] std::string_view BackendName(Backend backend);
// As the line protocols and providers call it: the local service speaks the Gemini Developer API.
[[nodiscard]] std::string_view ProviderNameOf(Backend backend);
[[nodiscard]] std::string_view DefaultModel(Backend backend, Task task);
// --base-url, else the variable that names the address of this service; empty: its own.
[[nodiscard]] std::string ReadBaseUrl(const Arguments& arguments, bool vertex);

struct ServiceAccessOptions {
  Backend backend = Backend::kGemini;
  Task task = Task::kEmbed;  // what will be asked, and of which model
  std::string model = {};
  RunCloud cloud = {};            // kVertex
  std::string base_url = {};      // empty: the service's own; not for kLocal
  std::string api_version = {};   // empty: the usual one
  std::string api_key_file = {};  // empty: from the environment
  std::string state_folder = {};  // of the local service; empty: a temporary one
  // Else those of ProviderOptions.
  std::optional<std::chrono::milliseconds> request_timeout = {}, stall_timeout = {};
  std::optional<uint64_t> answer_bytes_max = {};
};

// Where objects of Cloud Storage are for such a service: at its own --base-url when that serves
// Vertex AI; empty: at their usual address.
[[nodiscard]] std::string AddressOfObjects(const ServiceAccessOptions& options);

class ServiceAccess {
 public:
  // Errors: kAuth without a key or a sign-in, kUsage for a base URL, a project or a place for
  // shards that may not be used.
  [[nodiscard]] static Result<ServiceAccess> Open(const ServiceAccessOptions& options,
                                                  Clock& clock);

  [[nodiscard]] Provider& provider() { return *provider_; }
  [[nodiscard]] const std::string& base_url() const { return base_url_; }
  // What the user should know about the key, or empty.
  [[nodiscard]] const std::string& warning() const { return warning_; }
  // Throws away what the local service kept; nothing to do for other backends.
  void DiscardLocalState();

 private:
  ServiceAccess() = default;

  std::optional<LocalService> local_;
  std::string base_url_;
  std::string warning_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Provider> provider_;  // uses the transport
};

}  // namespace sluice
