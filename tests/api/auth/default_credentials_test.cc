// Sign-ins against the local service, and against a scripted one that says what none should.
#include "api/auth/default_credentials.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/auth/credential_file.h"
#include "api/auth/token_service.h"
#include "io/json/json_document.h"
#include "tests/support/local_cloud.h"
#include "tests/support/scripted_server.h"
#include "tests/support/manual_clock.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

struct Files {
  std::string Write(const std::string& name, const Json& json) const {
    std::ofstream(folder.Path(name)) << json.dump();
    return folder.Path(name);
  }
  TempFolder folder;
};

Json UserJson(const std::string& token_url) {
  return {{"type", "authorized_user"},        {"client_id", "client"},
          {"client_secret", "client-secret"}, {"refresh_token", "refresh-token"},
          {"quota_project_id", "quota-1"},    {"token_uri", token_url}};
}

struct SignIn {
  Result<Credentials> Find(std::map<std::string, std::string> variables) {
    variables.emplace("NO_GCE_CHECK", "true");
    return FindDefaultCredentials(EnvironmentOf(std::move(variables)), *transport, clock);
  }
  // The error of the first token.
  Error TokenError(const std::string& path) {
    auto credentials = Find({{"GOOGLE_APPLICATION_CREDENTIALS", path}});
    return credentials ? credentials->tokens->Token({}).error() : credentials.error();
  }
  ManualClock clock;
  std::unique_ptr<Transport> transport = MakeCurlTransport({});
};

TEST(DefaultCredentials, AServiceAccountSignsForItsToken) {
  LocalCloud cloud;
  cloud.WithSignIn();
  static_cast<void>(cloud.service());
  const auto found = FindDefaultCredentials(
      EnvironmentOf({{"GOOGLE_APPLICATION_CREDENTIALS", cloud.options.credentials_file}}),
      *cloud.transport, cloud.clock);
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->project_id, "local-project");
  EXPECT_EQ(found->tokens->account(), "sluice@local-project.iam.gserviceaccount.com");
  EXPECT_EQ(found->origin, cloud.options.credentials_file);
  const auto token = found->tokens->Token({});
  ASSERT_TRUE(token.has_value()) << token.error().message;
  EXPECT_EQ(found->tokens->Token({}).value(), *token);
}

TEST(DefaultCredentials, AnotherKeyIsRefused) {
  LocalCloud cloud;
  LocalCloud other;
  cloud.WithSignIn();
  other.WithSignIn();
  static_cast<void>(cloud.service());
  static_cast<void>(other.service());
  Json file = ParseJson(TempFolder::Read(cloud.options.credentials_file));
  file["private_key"] =
      ParseJson(TempFolder::Read(other.options.credentials_file)).at("private_key");
  const std::string path = cloud.folder.Path("mixed.json");
  std::ofstream(path) << file.dump();
  std::filesystem::permissions(path, std::filesystem::perms::owner_read);
  SignIn sign_in;
  const Error error = sign_in.TokenError(path);
  EXPECT_EQ(error.code, ErrorCode::kAuth);
  EXPECT_NE(error.message.find("invalid_grant: Invalid JWT Signature"), std::string::npos)
      << error.message;
}

TEST(DefaultCredentials, AUserHasARefreshTokenAndAQuotaProject) {
  LocalCloud cloud;
  static_cast<void>(cloud.service());
  const Files files;
  const std::string path =
      files.Write("user.json", UserJson(cloud.emulator->base_url() + "/token"));
  SignIn sign_in;
  const auto found = sign_in.Find({{"GOOGLE_APPLICATION_CREDENTIALS", path}}).value();
  EXPECT_EQ(found.tokens->quota_project(), "quota-1");
  EXPECT_TRUE(found.tokens->Token({}).has_value());
  const auto overruled =
      sign_in.Find({{"GOOGLE_APPLICATION_CREDENTIALS", path}, {"GOOGLE_CLOUD_QUOTA_PROJECT", "q2"}})
          .value();
  EXPECT_EQ(overruled.tokens->quota_project(), "q2");
}

TEST(DefaultCredentials, TheWellKnownFileIsFound) {
  const Files files;
  const std::string name = "application_default_credentials.json";
  files.Write(name, UserJson("https://host/token"));
  SignIn sign_in;
  EXPECT_EQ(sign_in.Find({{"CLOUDSDK_CONFIG", files.folder.path()}}).value().origin,
            files.folder.Path(name));
  std::filesystem::create_directories(files.folder.Path(".config/gcloud"));
  files.Write(".config/gcloud/" + name, UserJson("https://host/token"));
  EXPECT_EQ(sign_in.Find({{"HOME", files.folder.path()}}).value().origin,
            files.folder.Path(".config/gcloud/" + name));
  EXPECT_EQ(sign_in.Find({{"HOME", files.folder.Path("nowhere")}}).error().code, ErrorCode::kAuth);
  EXPECT_EQ(sign_in.Find({}).error().code, ErrorCode::kAuth);
}

TEST(DefaultCredentials, AFileThatIsNamedMustBeOne) {
  const Files files;
  SignIn sign_in;
  for (const std::string& path :
       {files.folder.Path("absent.json"), files.folder.path(), files.Write("a.json", Json::array()),
        files.Write("b.json", {{"type", "service_account"}}),
        files.Write("c.json", {{"type", "gdch_service_account"}})}) {
    const Error error = sign_in.TokenError(path);
    EXPECT_EQ(error.code, ErrorCode::kAuth) << path;
    EXPECT_NE(error.message.find(path), std::string::npos) << error.message;
    EXPECT_FALSE(error.hint.empty());
  }
}

TEST(DefaultCredentials, AnExternalAccountExchangesItsSubjectsToken) {
  LocalCloud cloud;
  static_cast<void>(cloud.service());
  const std::string url = cloud.emulator->base_url();
  const Files files;
  std::ofstream(files.folder.Path("subject.json")) << R"({"id_token": "subject-1"})";
  Json file = {{"type", "external_account"},
               {"audience", "//iam.googleapis.com/pool"},
               {"subject_token_type", "urn:ietf:params:oauth:token-type:jwt"},
               {"token_url", url + "/v1/token"},
               {"service_account_impersonation_url",
                url + "/v1/projects/-/serviceAccounts/a@b:generateAccessToken"},
               {"credential_source",
                {{"file", files.folder.Path("subject.json")},
                 {"format", {{"type", "json"}, {"subject_token_field_name", "id_token"}}}}}};
  SignIn sign_in;
  const auto by_file =
      sign_in.Find({{"GOOGLE_APPLICATION_CREDENTIALS", files.Write("e.json", file)}}).value();
  const auto token = by_file.tokens->Token({});
  ASSERT_TRUE(token.has_value()) << token.error().message;
  EXPECT_EQ(cloud.emulator->counters().requests["generateAccessToken"], 1U);

  ScriptedServer source({{.answer = HttpAnswer(200, "subject-2\n")}});
  file["credential_source"] = {{"url", source.url() + "/id"}, {"headers", {{"X-Id", "yes"}}}};
  file.erase("service_account_impersonation_url");
  const auto by_url =
      sign_in.Find({{"GOOGLE_APPLICATION_CREDENTIALS", files.Write("u.json", file)}}).value();
  EXPECT_TRUE(by_url.tokens->Token({}).has_value());
  EXPECT_EQ(source.requests().at(0).Header("x-id"), "yes");

  std::filesystem::remove(files.folder.Path("subject.json"));
  EXPECT_EQ(sign_in.TokenError(files.folder.Path("e.json")).code, ErrorCode::kAuth);
}

TEST(DefaultCredentials, TheMetadataServerIsAskedLast) {
  LocalCloud cloud;
  static_cast<void>(cloud.service());
  const std::string host = cloud.emulator->base_url().substr(7);
  for (const char* variable : {"GCE_METADATA_HOST", "GCE_METADATA_IP"}) {
    const auto found =
        FindDefaultCredentials(EnvironmentOf({{variable, host}}), *cloud.transport, cloud.clock);
    ASSERT_TRUE(found.has_value()) << found.error().message;
    EXPECT_EQ(found->project_id, "local-project");
    EXPECT_TRUE(found->tokens->Token({}).has_value());
  }
  ScriptedServer other({JsonPlay(200, "{}")});  // Something else that answers there.
  EXPECT_EQ(FindDefaultCredentials(EnvironmentOf({{"GCE_METADATA_HOST", other.url().substr(7)}}),
                                   *cloud.transport, cloud.clock)
                .error()
                .code,
            ErrorCode::kAuth);
}

TEST(DefaultCredentials, AGivenTokenComesFirstAndCannotBeRenewed) {
  SignIn sign_in;
  const auto found = sign_in
                         .Find({{"SLUICE_GOOGLE_ACCESS_TOKEN", "given"},
                                {"GOOGLE_APPLICATION_CREDENTIALS", "/nowhere"}})
                         .value();
  EXPECT_EQ(found.tokens->Token({}).value(), "given");
  found.tokens->Refused("given");
  EXPECT_EQ(found.tokens->Token({}).error().code, ErrorCode::kAuth);
  EXPECT_EQ(sign_in.Find({{"SLUICE_GOOGLE_ACCESS_TOKEN", "two words"}}).error().code,
            ErrorCode::kAuth);
}

TEST(SignIn, FaultsThatPassAreAskedThrough) {
  ScriptedServer server({JsonPlay(503, ""),
                         {.answer = "", .end = Play::End::kReset},
                         JsonPlay(400, R"({"error":"temporarily_unavailable"})"),
                         JsonPlay(429, "{}"),
                         JsonPlay(200, R"({"access_token":"good","expires_in":3599})")});
  const Files files;
  SignIn sign_in;
  const auto found = sign_in
                         .Find({{"GOOGLE_APPLICATION_CREDENTIALS",
                                 files.Write("u.json", UserJson(server.url() + "/token"))}})
                         .value();
  EXPECT_EQ(found.tokens->Token({}).value(), "good");
  EXPECT_EQ(server.requests().size(), 5U);
  EXPECT_EQ(server.requests().back().body,
            "grant_type=refresh_token&client_id=client&client_secret=client-secret&"
            "refresh_token=refresh-token");
}

TEST(SignIn, ASecretThatIsEchoedAsItWasSentIsCutOutToo) {
  const std::string echo = "refresh_token=1%2F%2F0secret";
  ScriptedServer server({JsonPlay(
      400, R"({"error":"invalid_request","error_description":"cannot read: )" + echo + "\"}")});
  const Files files;
  SignIn sign_in;
  Json user = UserJson(server.url() + "/token");
  user["refresh_token"] = "1//0secret";
  const Error error = sign_in.TokenError(files.Write("u.json", user));
  EXPECT_EQ(error.code, ErrorCode::kAuth);
  EXPECT_NE(error.message.find("refresh_token=[key]"), std::string::npos) << error.message;
}

// They say nothing about who signs in: exit code 4 would end a run of hours.
TEST(SignIn, APageOfAGatewayIsNoRefusal) {
  for (const int status : {302, 307, 403, 404}) {
    ScriptedServer server(std::vector<Play>(20, JsonPlay(status, "<html>sign in</html>")));
    const Files files;
    SignIn sign_in;
    EXPECT_EQ(sign_in.TokenError(files.Write("u.json", UserJson(server.url() + "/token"))).code,
              ErrorCode::kBadAnswer)
        << status;
  }
}

TEST(SignIn, ARefusalIsOneClearErrorWithoutASecret) {
  const std::string answer =
      R"({"error":"invalid_grant","error_description":"refresh-token of client-secret is revoked"})";
  ScriptedServer server({JsonPlay(400, answer)});
  const Files files;
  SignIn sign_in;
  const Error error = sign_in.TokenError(files.Write("u.json", UserJson(server.url() + "/token")));
  EXPECT_EQ(error.code, ErrorCode::kAuth);
  EXPECT_EQ(error.message, "signing in at 127.0.0.1: invalid_grant: [key] of [key] is revoked");
  EXPECT_FALSE(error.hint.empty());
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(TokenAnswer, HoldsATokenThatAHeaderMayCarry) {
  EXPECT_EQ(ParseTokenAnswer(R"({"access_token":"a","expires_in":"60"})")->life,
            std::chrono::seconds(60));
  EXPECT_EQ(ParseTokenAnswer(R"({"access_token":"a"})")->life, std::chrono::hours(1));
  EXPECT_EQ(ParseTokenAnswer(R"({"access_token":"a","expires_in":-5})")->life.count(), 0);
  EXPECT_EQ(ParseTokenAnswer(R"({"access_token":"a","expires_in":9223372036854775807})")->life,
            std::chrono::hours(12));
  for (const std::string& body :
       {std::string(), std::string("{}"), std::string("[]"), std::string("{\"access_token\":1}"),
        std::string(R"({"access_token":""})"), std::string(R"({"access_token":"a\r\nX: y"})"),
        std::string(R"({"access_token":"a b"})"), std::string(100'000, '['),
        R"({"access_token":")" + std::string(20'000, 'a') + "\"}"}) {
    EXPECT_EQ(ParseTokenAnswer(body).error().code, ErrorCode::kBadAnswer) << body.substr(0, 40);
  }
  const WallTime now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26);
  EXPECT_EQ(
      ParseImpersonationAnswer(R"({"accessToken":"a","expireTime":"2026-11-26T00:10:00.5Z"})", now)
          ->life,
      std::chrono::minutes(10));
  EXPECT_EQ(ParseImpersonationAnswer(R"({"accessToken":"a","expireTime":"soon"})", now)->life,
            std::chrono::hours(1));
}

TEST(CredentialFile, MayNotSendSecretsInTheClear) {
  for (const char* url : {"http://oauth2.googleapis.com/token", "ftp://host/", "token",
                          "https://user@host/", "http://169.254.169.254/token"}) {
    const auto file = ParseCredentialFile(UserJson(url).dump());
    ASSERT_FALSE(file.has_value()) << url;
    EXPECT_EQ(file.error().code, ErrorCode::kAuth);
  }
  EXPECT_TRUE(ParseCredentialFile(UserJson("").dump()).has_value());
  EXPECT_TRUE(ParseCredentialFile(UserJson("http://127.0.0.1:1/token").dump()).has_value());
}

TEST(CredentialFile, SaysWhatIsMissingAndNoSecret) {
  for (const char* member : {"client_id", "client_secret", "refresh_token"}) {
    Json json = UserJson("");
    json.erase(member);
    const Error error = ParseCredentialFile(json.dump()).error();
    EXPECT_NE(error.message.find(std::string("no ") + member), std::string::npos) << error.message;
  }
  Json words = UserJson("");
  words["quota_project_id"] = "a\r\nb";
  EXPECT_FALSE(ParseCredentialFile(words.dump()).has_value());
  const Json aws = {{"type", "external_account"},
                    {"audience", "a"},
                    {"subject_token_type", "t"},
                    {"credential_source",
                     {{"environment_id", "aws1"},
                      {"region_url", "http://169.254.169.254/latest/meta-data/placement"},
                      {"url", "http://169.254.169.254/latest/meta-data/iam"}}}};
  EXPECT_NE(ParseCredentialFile(aws.dump()).error().message.find("credential_source"),
            std::string::npos);
}

TEST(Environment, TellsProjectAndLocation) {
  EXPECT_EQ(ProjectOfEnvironment(EnvironmentOf({})), "");
  EXPECT_EQ(ProjectOfEnvironment(EnvironmentOf({{"GCLOUD_PROJECT", "old"}})), "old");
  EXPECT_EQ(ProjectOfEnvironment(
                EnvironmentOf({{"GCLOUD_PROJECT", "old"}, {"GOOGLE_CLOUD_PROJECT", "new"}})),
            "new");
  EXPECT_EQ(LocationOfEnvironment(EnvironmentOf({})), "global");
  EXPECT_EQ(LocationOfEnvironment(EnvironmentOf({{"GOOGLE_CLOUD_LOCATION", "us-central1"}})),
            "us-central1");
}

}  // namespace
}  // namespace sluice
