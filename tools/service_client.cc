#include "tools/service_client.h"

#include <fmt/format.h>

#include "api/auth/api_key.h"
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

// The library would read the file, too, but has nobody to warn.
Result<std::string> ReadKeyFile(const CommandContext& context) {
  const std::string path = context.arguments.TextOr("--api-key-file", "");
  if (path.empty()) {
    return std::string();
  }
  SLUICE_ASSIGN(ApiKey key, FindApiKey(path, {}));
  context.console.Warn(key.warning());
  return std::move(key.value);
}

Result<std::unique_ptr<Client>> MakeClientByFlags(const CommandContext& context,
                                                  const std::string& mime_type) {
  const Arguments& arguments = context.arguments;
  ClientOptions options{.base_url = arguments.TextOr("--base-url", ""),
                        .api_version = arguments.TextOr("--api-version", ""),
                        .user_agent = fmt::format("sluice/{}", kVersion)};
  SLUICE_ASSIGN(options.sign_in, ReadSignIn(arguments));
  SLUICE_ASSIGN(options.api_key, ReadKeyFile(context));
  if (!mime_type.empty()) {
    options.upload_mime_types = {mime_type};
  }
  return MakeClient(std::move(options));
}

}  // namespace

Result<std::unique_ptr<Client>> OpenClient(const CommandContext& context,
                                           const std::string& mime_type) {
  Result<std::unique_ptr<Client>> client = MakeClientByFlags(context, mime_type);
  if (!client.has_value() && client.error().code == ErrorCode::kAuth) {
    client.error().hint =
        "export GEMINI_API_KEY=..., or --api-key-file FILE, or try it without a key: sluice "
        "emulate, and --base-url with the address that it prints";
  }
  return client;
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
