// Service: the parts of the local service that its routes share, and the call that a route answers.
// A Service is thread-safe as its parts are; a Call belongs to one thread.
#pragma once

#include <expected>
#include <optional>
#include <stop_token>
#include <string>

#include "tools/emulator/answer.h"
#include "tools/emulator/emulator.h"
#include "tools/emulator/file_store.h"
#include "tools/emulator/http_server.h"
#include "tools/emulator/jobs.h"
#include "tools/emulator/journal.h"
#include "tools/emulator/object_store.h"
#include "tools/emulator/service_account.h"
#include "tools/emulator/shifted_clock.h"
#include "tools/emulator/table_store.h"
#include "tools/emulator/token_store.h"
#include "tools/emulator/uploads.h"

namespace sluice {

struct Service {
  const EmulatorOptions& options;
  FileSystem& files;
  ShiftedClock& clock;
  Faults& faults;
  Journal& journal;
  Counters& counters;
  FileStore& store;
  Uploads& uploads;
  Jobs& jobs;
  ObjectStore& objects;
  Uploads& object_uploads;
  TableStore& tables;
  Jobs& cloud_jobs;  // of Vertex AI
  TokenStore& tokens;
  const std::optional<ServiceAccount>& account;  // who may sign in; nothing: anybody
  std::stop_token stop;
};

struct Call {
  Exchange& exchange;
  std::string id;        // of the model, file or job in the path
  std::string base_url;  // as the client sees the service
};

// The JSON answer or refusal of a route; nothing when the route answered by itself, or means never
// to answer.
using RouteAnswer = std::optional<ApiAnswer>;

// An Error of the disk as the service tells of it.
[[nodiscard]] ApiError ToApiError(const Error& error);

// The whole body, which may not be larger than the service takes.
[[nodiscard]] ApiAnswer ReadSmallBody(const Service& service, Exchange& exchange);

// Pretty-printed unless the client asked for something else; refusals as the faults have it.
void SendAnswer(Service& service, Exchange& exchange, const ApiAnswer& answer);
// A refusal in an API's own shape (`compact` JSON), or as the faults have it.
void SendErrorBody(Service& service, Exchange& exchange, int status, const std::string& compact);
// Whether the request has a token that lives, or needs none.
[[nodiscard]] bool IsSignedIn(Service& service, const Exchange& exchange);
// "http://127.0.0.1:8787", as the client sees the service.
[[nodiscard]] std::string BaseUrl(const Exchange& exchange);
// `compact` as the client wants to read it.
[[nodiscard]] std::string FormatJson(const Exchange& exchange, std::string compact);

// A query parameter in camelCase or snake_case, as the service takes both.
[[nodiscard]] std::optional<std::string> QueryField(const Exchange& exchange,
                                                    std::string_view camel_name);

// A page size between 1 and 100, or the refusal.
[[nodiscard]] std::expected<size_t, ApiError> PageSize(const Exchange& exchange, size_t fallback);
// Page tokens hold the creation time of the last thing on the page; they are opaque and need
// percent-encoding, like the service's. INT64_MAX without a token.
[[nodiscard]] std::string PageToken(int64_t last_create_ns);
[[nodiscard]] std::expected<int64_t, ApiError> PageStart(const Exchange& exchange);

}  // namespace sluice
