#include "tools/emulator/routes.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <nlohmann/json.hpp>
#include <string_view>

#include "tools/emulator/batch_routes.h"
#include "tools/emulator/file_routes.h"
#include "tools/emulator/model_routes.h"
#include "tools/emulator/sign_in_routes.h"
#include "tools/emulator/storage_routes.h"
#include "tools/emulator/table_routes.h"
#include "tools/emulator/upload_routes.h"
#include "tools/emulator/vertex_routes.h"

namespace sluice {

namespace {

using RouteHandler = RouteAnswer (*)(Service& service, Call& call);

// `/PREFIX/VERSION/COLLECTION[/ID][:VERB]`; the prefix is absent, "upload" or "download".
struct RoutePath {
  std::string prefix;
  std::string version;
  std::string collection;
  std::string id;
  std::string verb;
};

struct Route {
  std::string_view method;
  std::string_view prefix;
  std::string_view collection;
  bool has_id = false;
  std::string_view verb;
  std::string_view name;  // in the counters
  RouteHandler handler = nullptr;
};

constexpr Route kRoutes[] = {
    {"POST", "upload", "files", false, "", "upload", HandleUpload},
    {"PUT", "upload", "files", false, "", "upload", HandleUpload},
    {"POST", "", "files", false, "", "files.create", CreateFile},
    {"GET", "", "files", false, "", "files.list", ListFiles},
    {"POST", "", "files", false, "register", "files.register", RegisterFiles},
    {"GET", "", "files", true, "", "files.get", GetFile},
    {"DELETE", "", "files", true, "", "files.delete", DeleteFile},
    {"GET", "", "files", true, "download", "files.download", DownloadFile},
    {"GET", "download", "files", true, "download", "files.download", DownloadFile},
    {"POST", "", "models", true, "batchGenerateContent", "batches.create", CreateGenerateBatch},
    {"POST", "", "models", true, "asyncBatchEmbedContent", "batches.create", CreateEmbedBatch},
    {"POST", "", "tunedModels", true, "batchGenerateContent", "batches.create",
     CreateGenerateBatch},
    {"POST", "", "tunedModels", true, "asyncBatchEmbedContent", "batches.create", CreateEmbedBatch},
    {"GET", "", "batches", false, "", "batches.list", ListBatches},
    {"GET", "", "batches", true, "", "batches.get", GetBatch},
    {"POST", "", "batches", true, "cancel", "batches.cancel", CancelBatch},
    {"DELETE", "", "batches", true, "", "batches.delete", DeleteBatch},
    {"PATCH", "", "batches", true, "updateGenerateContentBatch", "batches.update",
     UpdateGenerateBatch},
    {"PATCH", "", "batches", true, "updateEmbedContentBatch", "batches.update", UpdateEmbedBatch},
    {"GET", "", "models", false, "", "models.list", ListModels},
    {"GET", "", "models", true, "", "models.get", GetModel},
    {"POST", "", "models", true, "embedContent", "embedContent", EmbedContent},
    {"POST", "", "models", true, "batchEmbedContents", "batchEmbedContents", BatchEmbedContents},
    {"POST", "", "models", true, "generateContent", "generateContent", GenerateContent},
    {"POST", "", "models", true, "countTokens", "countTokens", CountTokens},
};

constexpr std::string_view kVersions[] = {"v1beta", "v1alpha", "v1"};

// Cuts ":verb" off the end of a name.
std::string TakeVerb(std::string& name) {
  const size_t colon = name.find(':');
  if (colon == std::string::npos) {
    return "";
  }
  const std::string verb = name.substr(colon + 1);
  name.resize(colon);
  return verb;
}

std::optional<RoutePath> ParsePath(std::string_view path) {
  RoutePath parsed;
  parsed.version = TakeSegment(path);
  if (parsed.version == "upload" || parsed.version == "download") {
    parsed.prefix = std::exchange(parsed.version, TakeSegment(path));
  }
  parsed.collection = TakeSegment(path);
  parsed.id = TakeSegment(path);
  parsed.verb = TakeVerb(parsed.id.empty() ? parsed.collection : parsed.id);
  const bool known_version = std::ranges::find(kVersions, parsed.version) != std::end(kVersions);
  return known_version && path.empty() ? std::optional(parsed) : std::nullopt;
}

const Route* FindRoute(std::string_view method, const RoutePath& path) {
  const auto found = std::ranges::find_if(kRoutes, [&](const Route& route) {
    return route.method == method && route.prefix == path.prefix &&
           route.collection == path.collection && route.has_id == !path.id.empty() &&
           route.verb == path.verb;
  });
  return found == std::end(kRoutes) ? nullptr : &*found;
}

ApiError MissingKey() {
  return {.code = RpcCode::kPermissionDenied,
          .message =
              "Method doesn't allow unregistered callers (callers without established "
              "identity). Please use API Key or other form of API consumer identity to call "
              "this API."};
}

ApiError WrongKey() {
  return {.code = RpcCode::kInvalidArgument,
          .message = "API key not valid. Please pass a valid API key.",
          .details = R"([{"@type":"type.googleapis.com/google.rpc.ErrorInfo",)"
                     R"("reason":"API_KEY_INVALID","domain":"googleapis.com",)"
                     R"("metadata":{"service":"generativelanguage.googleapis.com"}}])"};
}

// An upload URL works without a key, and what takes no key looks for its own token.
std::optional<ApiError> CheckKey(const Service& service, const Exchange& exchange,
                                 const Route& route) {
  if ((route.prefix == "upload" && exchange.Query("upload_id").has_value()) ||
      route.handler == RegisterFiles) {
    return std::nullopt;
  }
  std::string key = exchange.Header("x-goog-api-key").value_or("");
  if (key.empty()) {
    key = exchange.Query("key").value_or("");
  }
  if (key.empty()) {
    return MissingKey();
  }
  const std::string& required = service.options.required_key;
  return required.empty() || key == required ? std::nullopt : std::optional(WrongKey());
}

void SendCounters(const Service& service, Exchange& exchange) {
  const EmulatorCounters counters = service.counters.Read();
  const nlohmann::ordered_json text = {{"requests", counters.requests},
                                       {"jobsCreated", counters.jobs_created},
                                       {"jobsEnded", counters.jobs_ended},
                                       {"bytesReceived", counters.bytes_received},
                                       {"bytesSent", counters.bytes_sent}};
  exchange.Respond(200, {{"Content-Type", "application/json"}}, text.dump(2) + '\n');
}

// Moves the clock by which things expire.
void AdvanceClock(Service& service, Exchange& exchange) {
  const std::string text = exchange.Query("advance").value_or("");
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  constexpr int64_t kAdvanceMax = int64_t{100} * 365 * 24 * 3600;
  const bool understood = exchange.method() == "POST" && error == std::errc() &&
                          end == text.data() + text.size() && seconds >= 0 &&
                          seconds <= kAdvanceMax;
  if (understood) {
    service.clock.Advance(std::chrono::seconds(seconds));
  }
  exchange.Respond(understood ? 200 : 400, {{"Content-Type", "application/json"}}, "{}\n");
}

// The front end's own page for a path that is no method of the API.
void SendNoSuchPage(Exchange& exchange) {
  exchange.Respond(
      404, {{"Content-Type", "text/html; charset=UTF-8"}},
      "<!DOCTYPE html>\n<html><title>Error 404 (Not Found)</title><p>The requested URL "
      "was not found on this server.</html>\n");
}

// The border where exceptions end: out of memory, or a Host header that is no text.
RouteAnswer AnswerCall(Service& service, Call& call, const Route& route) {
  try {
    return route.handler(service, call);
  } catch (const std::exception& error) {
    return std::unexpected(ApiError{.code = RpcCode::kInternal, .message = error.what()});
  }
}

// The faults that any call may meet; true when one did, and the call is over.
bool Fails(Service& service, Exchange& exchange) {
  if (service.faults.Happens(Fault::kStall)) {
    exchange.Stall();
    return true;
  }
  if (service.faults.Happens(Fault::kHttp503)) {
    SendAnswer(service, exchange,
               std::unexpected(ApiError{.code = RpcCode::kUnavailable,
                                        .message = "The service is currently unavailable."}));
    return true;
  }
  return false;
}

// The APIs beside the Gemini Developer API, each with routes of its own, by which paths are theirs.
struct OtherApi {
  bool (*serves)(const Exchange& exchange);
  void (*answer)(Service& service, Exchange& exchange);
};
constexpr OtherApi kOtherApis[] = {
    {ServesSignIn, AnswerSignIn},
    {ServesStorage, AnswerStorage},
    {ServesTables, AnswerTables},
    {ServesVertex, AnswerVertex},
};

void HandleOtherApi(Service& service, Exchange& exchange, const OtherApi& api) {
  if (Fails(service, exchange)) {
    return;
  }
  try {
    api.answer(service, exchange);
  } catch (const std::exception& error) {
    SendAnswer(service, exchange,
               std::unexpected(ApiError{.code = RpcCode::kInternal, .message = error.what()}));
  }
}

void HandleRoute(Service& service, Exchange& exchange, const Route& route, std::string id) {
  service.counters.CountRequest(std::string(route.name));
  if (Fails(service, exchange)) {
    return;
  }
  if (const auto refusal = CheckKey(service, exchange, route)) {
    SendAnswer(service, exchange, std::unexpected(*refusal));
    return;
  }
  Call call{.exchange = exchange, .id = std::move(id), .base_url = BaseUrl(exchange)};
  if (const RouteAnswer answer = AnswerCall(service, call, route)) {
    SendAnswer(service, exchange, *answer);
  }
}

}  // namespace

std::vector<std::string_view> RouteNames() {
  std::vector<std::string_view> names;
  for (const Route& route : kRoutes) {
    names.push_back(route.name);
  }
  return names;
}

void HandleExchange(Service& service, Exchange& exchange) {
  const std::optional<RoutePath> path = ParsePath(exchange.path());
  const Route* route = path.has_value() ? FindRoute(exchange.method(), *path) : nullptr;
  const auto other =
      std::ranges::find_if(kOtherApis, [&](const OtherApi& api) { return api.serves(exchange); });
  if (other != std::end(kOtherApis)) {
    HandleOtherApi(service, exchange, *other);
  } else if (route != nullptr) {
    HandleRoute(service, exchange, *route, path->id);
  } else if (exchange.path() == "/_sluice/counters") {
    SendCounters(service, exchange);
  } else if (exchange.path() == "/_sluice/clock") {
    AdvanceClock(service, exchange);
  } else {
    service.counters.CountRequest("unknown");
    SendNoSuchPage(exchange);
  }
  service.counters.CountBytes(exchange.bytes_received(), exchange.bytes_sent());
}

}  // namespace sluice
