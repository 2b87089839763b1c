#include "api/auth/metadata_server.h"

#include <chrono>
#include <fmt/format.h>

#include "api/auth/access_tokens.h"
#include "api/http/url.h"

namespace sluice {

// Asked three times for three seconds, as google-auth does it (2.x, 2026): a server that is not
// there is often silence.
bool MetadataServer::IsThere(const std::stop_token& stop) const {
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

std::string MetadataServer::ProjectId(const std::stop_token& stop) const {
  return service_.Send(Request("/computeMetadata/v1/project/project-id", stop), {}).value_or("");
}

Result<FreshToken> MetadataServer::Token(const std::stop_token& stop) const {
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

HttpRequest MetadataServer::Request(std::string_view path, const std::stop_token& stop) const {
  HttpRequest request;
  request.url = root_ + std::string(path);
  request.headers = {{"Metadata-Flavor", "Google"}};
  request.stop = stop;
  return request;
}

}  // namespace sluice
