#include "tools/emulator/sign_in_routes.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/http/json_fields.h"
#include "io/json/json_document.h"
#include "tools/emulator/timestamp.h"

namespace sluice {

namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view kImpersonation = "/v1/projects/-/serviceAccounts/";
constexpr std::string_view kMetadata = "/computeMetadata/v1/";
constexpr std::string_view kJwtGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
constexpr std::string_view kExchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange";

bool IsFromMetadataClient(const Exchange& exchange) {
  return exchange.Header("metadata-flavor").value_or("") == "Google";
}

void Send(Exchange& exchange, int status, const OrderedJson& body, HttpHeaders more = {}) {
  more.emplace_back("Content-Type", "application/json; charset=UTF-8");
  more.emplace_back("Cache-Control", "no-store");
  exchange.Respond(status, more,
                   body.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + '\n');
}

// RFC 6749 section 5.2.
void Refuse(Exchange& exchange, const std::string& error, const std::string& description) {
  Send(exchange, 400, {{"error", error}, {"error_description", description}});
}

void SendToken(Service& service, Exchange& exchange, HttpHeaders more = {}) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(service.tokens.life());
  Send(exchange, 200,
       {{"access_token", service.tokens.Issue()},
        {"expires_in", seconds.count()},
        {"scope", "https://www.googleapis.com/auth/cloud-platform"},
        {"token_type", "Bearer"}},
       std::move(more));
}

// A member of a form or of a JSON object: clients send both.
std::string BodyField(const std::string& body, std::string_view name) {
  const OrderedJson json = ParseOrderedJson(body);
  if (json.is_object()) {
    return TextMember(json, name);
  }
  std::string_view rest = body;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const size_t equals = pair.find('=');
    if (equals != std::string_view::npos && PercentDecode(pair.substr(0, equals), true) == name) {
      return PercentDecode(pair.substr(equals + 1), true);
    }
  }
  return "";
}

void AnswerJwtGrant(Service& service, Exchange& exchange, const std::string& body) {
  const std::string assertion = BodyField(body, "assertion");
  const std::string refusal =
      service.account.has_value()
          ? service.account->RefusalOf(assertion, BaseUrl(exchange) + "/token",
                                       service.clock.WallNow())
          : "";
  if (!refusal.empty() || service.tokens.IsRevoked(std::string(ServiceAccount::kEmail))) {
    return Refuse(exchange, "invalid_grant",
                  refusal.empty() ? "Invalid grant: account not found" : refusal);
  }
  assertion.empty() ? Refuse(exchange, "invalid_request", "Missing parameter: assertion")
                    : SendToken(service, exchange);
}

void AnswerRefreshGrant(Service& service, Exchange& exchange, const std::string& body) {
  const std::string refresh_token = BodyField(body, "refresh_token");
  if (refresh_token.empty() || BodyField(body, "client_id").empty()) {
    return Refuse(exchange, "invalid_request", "Missing required parameter");
  }
  service.tokens.IsRevoked(refresh_token)
      ? Refuse(exchange, "invalid_grant", "Token has been expired or revoked.")
      : SendToken(service, exchange);
}

void AnswerExchangeGrant(Service& service, Exchange& exchange, const std::string& body) {
  for (const char* name : {"audience", "subject_token", "subject_token_type"}) {
    if (BodyField(body, name).empty()) {
      return Refuse(exchange, "invalid_request", fmt::format("Missing parameter: {}", name));
    }
  }
  service.tokens.IsRevoked(BodyField(body, "subject_token"))
      ? Refuse(exchange, "invalid_grant", "The subject token is no longer accepted.")
      : SendToken(service, exchange);
}

void AnswerTokenRequest(Service& service, Exchange& exchange) {
  service.counters.CountRequest("token");
  const ApiAnswer body = ReadSmallBody(service, exchange);
  if (!body.has_value()) {
    return SendAnswer(service, exchange, body);
  }
  if (service.faults.Happens(Fault::kToken503)) {
    return Send(exchange, 503, {{"error", "temporarily_unavailable"}});
  }
  if (service.faults.Happens(Fault::kTokenRevoked)) {
    return Refuse(exchange, "invalid_grant", "Token has been expired or revoked.");
  }
  const std::string grant = BodyField(*body, "grant_type");
  const bool exchanges = exchange.path() == "/v1/token";
  if (exchanges && grant == kExchangeGrant) {
    AnswerExchangeGrant(service, exchange, *body);
  } else if (!exchanges && grant == kJwtGrant) {
    AnswerJwtGrant(service, exchange, *body);
  } else if (!exchanges && grant == "refresh_token") {
    AnswerRefreshGrant(service, exchange, *body);
  } else {
    Refuse(exchange, "unsupported_grant_type", "Invalid grant_type: " + grant);
  }
}

void AnswerImpersonation(Service& service, Exchange& exchange) {
  service.counters.CountRequest("generateAccessToken");
  if (!IsSignedIn(service, exchange)) {
    return SendAnswer(service, exchange,
                      std::unexpected(ApiError{.code = RpcCode::kUnauthenticated,
                                               .message = "Invalid authentication credentials."}));
  }
  const WallTime end = service.clock.WallNow() + service.tokens.life();
  Send(exchange, 200,
       {{"accessToken", service.tokens.Issue()},
        {"expireTime", FormatTimestamp(UnixNanoseconds(end))}});
}

void AnswerRevocation(Service& service, Exchange& exchange) {
  if (exchange.path() == "/_sluice/revoke") {
    service.tokens.RevokeAll();
  } else {
    const ApiAnswer body = ReadSmallBody(service, exchange);
    service.tokens.Revoke(exchange.Query("token").value_or(BodyField(body.value_or(""), "token")));
  }
  Send(exchange, 200, OrderedJson::object());
}

void AnswerMetadata(Service& service, Exchange& exchange) {
  service.counters.CountRequest("metadata");
  const HttpHeaders flavor = {{"Metadata-Flavor", "Google"}, {"Server", "Metadata Server for VM"}};
  const std::string_view path = exchange.path();
  const std::string_view name =
      path.starts_with(kMetadata) ? path.substr(kMetadata.size()) : std::string_view();
  const std::string email(ServiceAccount::kEmail);
  HttpHeaders text = flavor;
  text.emplace_back("Content-Type", "application/text");
  if (path == "/") {
    exchange.Respond(200, text, "computeMetadata/\n");
  } else if (name == "instance/service-accounts/default/token") {
    SendToken(service, exchange, flavor);
  } else if (name == "instance/service-accounts/default/" &&
             exchange.Query("recursive").has_value()) {
    Send(exchange, 200,
         {{"aliases", {"default"}}, {"email", email}, {"scopes", OrderedJson::array()}}, flavor);
  } else if (name == "instance/service-accounts/default/email") {
    exchange.Respond(200, text, email);
  } else if (name == "project/project-id") {
    exchange.Respond(200, text, ServiceAccount::kProject);
  } else if (name == "universe/universe-domain") {
    exchange.Respond(200, text, "googleapis.com");
  } else {
    exchange.Respond(404, text, "Not Found\n");
  }
}

}  // namespace

bool ServesSignIn(const Exchange& exchange) {
  const std::string_view path = exchange.path();
  if (exchange.method() == "GET") {
    return (path == "/" || path.starts_with(kMetadata)) && IsFromMetadataClient(exchange);
  }
  return exchange.method() == "POST" &&
         (path == "/token" || path == "/v1/token" || path == "/revoke" ||
          path == "/_sluice/revoke" || path.starts_with(kImpersonation));
}

void AnswerSignIn(Service& service, Exchange& exchange) {
  const std::string_view path = exchange.path();
  if (exchange.method() == "GET") {
    AnswerMetadata(service, exchange);
  } else if (path.ends_with("/token")) {
    AnswerTokenRequest(service, exchange);
  } else if (path.ends_with("/revoke")) {
    AnswerRevocation(service, exchange);
  } else {
    AnswerImpersonation(service, exchange);
  }
}

}  // namespace sluice
