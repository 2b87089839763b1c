#include "tools/service_client.h"

#include <fmt/format.h>

#include "api/auth/api_key.h"
#include "api/bigquery/table_name.h"
#include "api/storage/object_name.h"
#include "tools/service_access.h"
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
  return Fail(ErrorCode::kUsage, fmt::format("--auth: '{}' is neither gemini nor vertex", name));
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
  ClientOptions options{.project = arguments.TextOr("--project", ""),
                        .location = arguments.TextOr("--location", ""),
                        .api_version = arguments.TextOr("--api-version", ""),
                        .user_agent = fmt::format("sluice/{}", kVersion)};
  SLUICE_ASSIGN(options.sign_in, ReadSignIn(arguments));
  options.base_url = ReadBaseUrl(arguments, options.sign_in == SignIn::kVertex);
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
  const bool by_key = context.arguments.TextOr("--auth", "gemini") == "gemini";
  if (!client.has_value() && by_key && client.error().code == ErrorCode::kAuth) {
    client.error().hint =
        "export GEMINI_API_KEY=..., or --api-key-file FILE, or try it without a key: sluice "
        "emulate, and --base-url with the address that it prints";
  }
  return client;
}

Result<void> RefuseCloudAddress(std::string_view address) {
  if (!IsObjectUri(address) && !IsTableUri(address)) {
    return {};
  }
  return Fail(ErrorCode::kUsage, fmt::format("{} is no file here", address),
              "where a job at Vertex AI writes its answers is said when it is created: sluice jobs "
              "create SOURCE --auth vertex --to URI");
}

Result<std::string> RequirePositional(const Arguments& arguments) {
  const CommandSpec& command = *arguments.command;
  if (arguments.positionals.empty()) {
    return Fail(ErrorCode::kUsage, fmt::format("'{}' needs a {}", command.name, command.positional),
                fmt::format("see sluice {} --help", command.name));
  }
  return arguments.positionals.front();
}

}  // namespace sluice
