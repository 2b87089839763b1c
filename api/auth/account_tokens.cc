#include "api/auth/account_tokens.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "api/auth/access_tokens.h"
#include "api/auth/signed_assertion.h"
#include "api/http/json_fields.h"
#include "io/file/file_system.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kSubjectBytesMax = 1 << 20;

Result<std::string> ReadSubject(const TokenService& service, const SubjectSource& source,
                                std::stop_token stop) {
  if (!source.file.empty()) {
    const auto files = MakePosixFileSystem();
    return ReadWholeFile(*files, source.file, kSubjectBytesMax);
  }
  HttpRequest request;
  request.url = source.url;
  request.headers.assign(source.headers.begin(), source.headers.end());
  request.stop = std::move(stop);
  return service.Send(std::move(request), {});
}

// Read anew for each exchange: its owner renews it.
Result<std::string> SubjectToken(const TokenService& service, const SubjectSource& source,
                                 std::stop_token stop) {
  auto text = ReadSubject(service, source, std::move(stop));
  if (!text && !IsTransient(text.error().code) && text.error().code != ErrorCode::kUnfinished) {
    return Fail(ErrorCode::kAuth, "no subject token to sign in with: " + text.error().message);
  }
  if (!text) {
    return text;
  }
  std::string token =
      source.json_member.empty() ? *text : TextMember(ParseJson(*text), source.json_member);
  token.erase(token.find_last_not_of(" \t\r\n") + 1);
  if (token.empty()) {
    return Fail(ErrorCode::kAuth, "the subject token to sign in with is empty");
  }
  return token;
}

Result<FreshToken> Impersonate(const TokenService& service, const std::string& url,
                               const std::string& token, std::stop_token stop) {
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Authorization", "Bearer " + token}, {"Content-Type", "application/json"}};
  request.body = Json{{"scope", {kCloudPlatformScope}}, {"lifetime", "3600s"}}.dump();
  request.stop = std::move(stop);
  SLUICE_ASSIGN(const std::string body, service.Send(std::move(request), {token}));
  return ParseImpersonationAnswer(body, service.clock().WallNow());
}

}  // namespace

Result<FreshToken> FetchToken(const TokenService& service, const ServiceAccountKey& key,
                              const std::stop_token& stop) {
  SLUICE_ASSIGN(const std::string assertion,
                SignAssertion(key, kCloudPlatformScope, service.clock().WallNow()));
  return service.Ask(
      key.token_url,
      {{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, {"assertion", assertion}},
      {assertion}, stop);
}

Result<FreshToken> FetchToken(const TokenService& service, const AuthorizedUser& user,
                              const std::stop_token& stop) {
  return service.Ask(user.token_url,
                     {{"grant_type", "refresh_token"},
                      {"client_id", user.client_id},
                      {"client_secret", user.client_secret},
                      {"refresh_token", user.refresh_token}},
                     {user.client_secret, user.refresh_token}, stop);
}

Result<FreshToken> FetchToken(const TokenService& service, const ExternalAccount& account,
                              const std::stop_token& stop) {
  SLUICE_ASSIGN(const std::string subject, SubjectToken(service, account.source, stop));
  SLUICE_ASSIGN(
      FreshToken token,
      service.Ask(account.token_url,
                  {{"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"},
                   {"audience", account.audience},
                   {"scope", kCloudPlatformScope},
                   {"requested_token_type", "urn:ietf:params:oauth:token-type:access_token"},
                   {"subject_token", subject},
                   {"subject_token_type", account.subject_token_type}},
                  {subject}, stop));
  return account.impersonation_url.empty()
             ? Result<FreshToken>(std::move(token))
             : Impersonate(service, account.impersonation_url, token.value, stop);
}

std::string AccountWord(const ServiceAccountKey& key) { return key.client_email; }
std::string AccountWord(const AuthorizedUser& user) { return "user of " + user.client_id; }
std::string AccountWord(const ExternalAccount& account) {
  return account.audience + account.impersonation_url;
}

}  // namespace sluice
