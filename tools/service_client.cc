#include "tools/service_client.h"

#include <fmt/format.h>

#include "api/auth/vertex.h"
#include "tools/version.h"

namespace sluice {
namespace {

Result<SignIn> ReadSignIn(const Arguments& arguments) {
  const std::string name = arguments.TextOr("--auth", "gemini");
  if (name == "gemini") {
    return SignIn::kApiKey;
  }
  if (name == "vertex" || name == "vertex_ai") {
    return SignIn::kVertex;
  }
  return Fail(ErrorCode::kUsage, fmt::format("--auth: '{}' is not gemini", name));
}

}  // namespace

Result<std::unique_ptr<Client>> OpenClient(const Arguments& arguments,
                                           const std::string& mime_type) {
  ClientOptions options{.api_key_file = arguments.TextOr("--api-key-file", ""),
                        .base_url = arguments.TextOr("--base-url", ""),
                        .api_version = arguments.TextOr("--api-version", ""),
                        .user_agent = fmt::format("sluice/{}", kVersion)};
  SLUICE_ASSIGN(options.sign_in, ReadSignIn(arguments));
  if (!mime_type.empty()) {
    options.upload_mime_types = {mime_type};
  }
  return MakeClient(std::move(options));
}

Result<void> RefuseVertexAddress(std::string_view address) {
  if (address.starts_with("gs://") || address.starts_with("bq://")) {
    return FailForVertex(address);
  }
  return {};
}

Result<std::string> RequirePositional(const Arguments& arguments) {
  const CommandSpec& command = *arguments.command;
  if (arguments.positionals.empty()) {
    return Fail(ErrorCode::kUsage, fmt::format("'{}' needs a {}", command.name, command.positional),
                fmt::format("see sluice {} --help", command.name));
  }
  SLUICE_TRY(RefuseVertexAddress(arguments.positionals.front()));
  return arguments.positionals.front();
}

}  // namespace sluice
