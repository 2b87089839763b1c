#include "api/http/google_service.h"

#include <algorithm>
#include <fmt/format.h>

#include "api/files/sha256.h"
#include "api/http/cut_out.h"
#include "api/http/google_error.h"
#include "api/http/json_depth.h"

namespace sluice {
namespace {

bool IsWord(std::string_view text, std::string_view also) {
  return std::ranges::all_of(text, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           also.find(c) != std::string_view::npos;
  });
}

// Readers of a parsed answer recurse; nothing that this service says is nested even a tenth as
// deep.
constexpr int kAnswerDepthMax = 256;

constexpr std::string_view kSignInHint =
    "sign in again: gcloud auth application-default login, or name a service account's key file in "
    "GOOGLE_APPLICATION_CREDENTIALS; the account also needs a role that allows the call";

// What is streamed passes by whoever reads the answer: the secret is made unreadable on its way.
Result<HttpResponse> SendMasked(Transport& transport, const HttpRequest& request,
                                std::string_view secret) {
  if (!request.body_writer || !IsSecret(secret)) {
    return transport.Send(request);
  }
  SecretMask mask(secret, request.body_writer);
  HttpRequest masked = request;
  masked.body_writer = [&](std::span<const std::byte> bytes) { return mask.Write(bytes); };
  SLUICE_ASSIGN(HttpResponse answer, transport.Send(masked));
  SLUICE_TRY(mask.Flush());
  return answer;
}

// Nothing was asked of the API itself when the token service failed, or when the wait for a place
// or a token was stopped, whatever the call. Who repeats calls stops by its own stop token.
Error BeforeSending(Error error) {
  if (IsTransient(error.code) || error.code == ErrorCode::kUnfinished) {
    error.code = ErrorCode::kNotSent;
  }
  return error;
}

}  // namespace

Result<std::unique_ptr<GoogleService>> GoogleService::Make(GoogleServiceOptions options,
                                                           Transport& transport, Clock& clock) {
  while (options.base_url.ends_with('/')) {
    options.base_url.pop_back();
  }
  auto origin = ParseOrigin(options.base_url);
  if (!origin || options.base_url.find('?') != std::string::npos) {
    // It may hold a password or a key.
    const std::string shown = options.base_url.find_first_of("@?") == std::string::npos
                                  ? PrintableText(options.base_url, 200)
                                  : "what was given";
    return Fail(ErrorCode::kUsage,
                fmt::format("'{}' is not a base address like https://host, without a user, a "
                            "password or a question mark",
                            shown));
  }
  if (origin->scheme != "https" && !IsLoopback(*origin)) {
    return Fail(ErrorCode::kUsage,
                fmt::format("the base address of {} must be https: a key is not sent in the clear",
                            origin->host));
  }
  if (options.api_version.empty() || !IsWord(options.api_version, "")) {
    return Fail(ErrorCode::kUsage, fmt::format("'{}' is not an API version like v1beta",
                                               PrintableText(options.api_version, 64)));
  }
  if (!std::ranges::all_of(options.api_key, [](char c) { return c > 0x20 && c < 0x7f; })) {
    return Fail(ErrorCode::kUsage, "the API key holds characters that no key has");
  }
  return std::unique_ptr<GoogleService>(
      new GoogleService(std::move(options), *std::move(origin), transport, clock));
}

HttpRequest GoogleService::Request(std::string method, std::string_view path, std::stop_token stop,
                                   std::string_view prefix) const {
  HttpRequest request = SessionRequest(
      std::move(method),
      fmt::format("{}{}/{}{}", options_.base_url, prefix, options_.api_version, path), "",
      std::move(stop));
  if (!options_.api_key.empty() && !options_.tokens) {
    request.headers.emplace_back("x-goog-api-key", options_.api_key);
  }
  return request;
}

HttpRequest GoogleService::SessionRequest(std::string method, std::string url, std::string label,
                                          std::stop_token stop) const {
  HttpRequest request;
  request.method = std::move(method);
  request.url = std::move(url);
  request.label = std::move(label);
  request.timeout = options_.request_timeout;
  request.stall_timeout = options_.stall_timeout;
  request.answer_bytes_max = kAnswerBytesMax;
  request.stop = std::move(stop);
  return request;
}

Result<void> GoogleService::CheckSession(std::string_view url, std::string_view label) const {
  const auto named = ParseOrigin(url);
  if (named && *named == origin_) {
    return {};
  }
  return Fail(ErrorCode::kRefused,
              fmt::format("{}: the service named an upload address at another origin ({}); "
                          "nothing was sent to it",
                          label, named ? named->host : "unreadable"));
}

HttpRequest GoogleService::JsonRequest(std::string method, std::string_view path, std::string body,
                                       std::stop_token stop, std::string_view prefix) const {
  HttpRequest request = Request(std::move(method), path, std::move(stop), prefix);
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = std::move(body);
  return request;
}

Result<HttpResponse> GoogleService::Send(const HttpRequest& request) const {
  if (Result<void> may_begin = brake_.Await(request); !may_begin) {
    return std::unexpected(BeforeSending(std::move(may_begin).error()));
  }
  return options_.tokens ? SendSignedIn(request) : Exchange(request, options_.api_key);
}

Result<HttpResponse> GoogleService::SendSignedIn(const HttpRequest& request) const {
  const auto token = options_.tokens->Token(request.stop);
  if (!token) {
    return std::unexpected(BeforeSending(token.error()));
  }
  auto answer = SendWithToken(request, *token);
  if (!answer || answer->status != 401) {
    return answer;
  }
  options_.tokens->Refused(*token);
  // What must not be done twice is asked again only when the service itself says that it did
  // nothing: a gateway's page says nothing about what lies behind the gateway.
  const bool may_be_done = request.fresh_connection && !ParseGoogleStatus(answer->body);
  if (request.body_reader || may_be_done) {
    return answer;
  }
  const auto renewed = options_.tokens->Token(request.stop);
  if (!renewed) {
    return std::unexpected(BeforeSending(renewed.error()));
  }
  return SendWithToken(request, *renewed);
}

Result<HttpResponse> GoogleService::SendWithToken(const HttpRequest& request,
                                                  const std::string& token) const {
  HttpRequest signed_in = request;
  const auto target = ParseOrigin(request.url);
  if (target && *target == origin_) {
    signed_in.headers.emplace_back("Authorization", "Bearer " + token);
    if (const std::string project = options_.tokens->quota_project(); !project.empty()) {
      signed_in.headers.emplace_back("x-goog-user-project", project);
    }
  }
  return Exchange(signed_in, token);
}

Result<HttpResponse> GoogleService::Exchange(const HttpRequest& request,
                                             std::string_view secret) const {
  Result<HttpResponse> answer = SendMasked(transport_, request, secret);
  brake_.Note(answer);
  if (!answer) {
    return answer;
  }
  if (NestsDeeperThan(answer->body, kAnswerDepthMax)) {
    Error error{.code = ErrorCode::kBadAnswer,
                .message = WhatWasAsked(request) + ": the answer is nested too deeply"};
    error.http_status = answer->status;
    return std::unexpected(std::move(error));
  }
  CutOut(answer->body, secret);
  return answer;
}

Result<HttpResponse> GoogleService::SendForSuccess(const HttpRequest& request) const {
  SLUICE_ASSIGN(HttpResponse answer, Send(request));
  if (!answer.ok()) {
    return std::unexpected(ErrorOf(answer, request));
  }
  return answer;
}

Error GoogleService::ErrorOf(const HttpResponse& answer, const HttpRequest& request) const {
  const std::string what = WhatWasAsked(request);
  Error error = ErrorOfAnswer(answer, {.what = what,
                                       .is_file = request.url.find("/files/") != std::string::npos,
                                       .now = clock_.WallNow()});
  if (error.code == ErrorCode::kAuth && options_.api_key.empty()) {
    error.hint = kSignInHint;
  }
  return error;
}

std::string GoogleService::AccountFingerprint() const {
  constexpr size_t kHexDigits = 16;
  // A service on this machine may come back on another port.
  const std::string place = IsLoopback(origin_) ? "loopback" : options_.base_url;
  const std::string who = options_.tokens ? options_.tokens->account() : options_.api_key;
  return Sha256Hex(fmt::format("sluice-account:{}\n{}", place, who)).substr(0, kHexDigits);
}

bool IsResourceName(std::string_view name, std::string_view kind) {
  if (!name.starts_with(kind) || name.size() < kind.size() + 2 || name[kind.size()] != '/') {
    return false;
  }
  const std::string_view id = name.substr(kind.size() + 1);
  return id.size() <= 128 && IsWord(id, "_-");
}

Result<void> CheckResourceName(std::string_view name, std::string_view kind) {
  if (IsResourceName(name, kind)) {
    return {};
  }
  return Fail(ErrorCode::kUsage,
              fmt::format("'{}' is not a name like {}/abc123", PrintableText(name, 160), kind));
}

Result<std::string> ModelPath(std::string_view model) {
  const size_t slash = model.find('/');
  const std::string_view kind = slash == std::string_view::npos ? "models" : model.substr(0, slash);
  const std::string_view id = slash == std::string_view::npos ? model : model.substr(slash + 1);
  const bool plain = !id.empty() && id.size() <= 128 && IsWord(id, "._-") && !id.starts_with('.');
  if (!plain || (kind != "models" && kind != "tunedModels")) {
    return Fail(ErrorCode::kUsage, fmt::format("'{}' is not a model like gemini-embedding-001",
                                               PrintableText(model, 160)));
  }
  return fmt::format("{}/{}", kind, id);
}

}  // namespace sluice
