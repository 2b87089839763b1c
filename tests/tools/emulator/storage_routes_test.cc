// Cloud Storage and the sign-in of the local service, as they stand on the wire.
#include <fstream>
#include <gtest/gtest.h>

#include "io/json/json_document.h"
#include "tests/tools/emulator/local_api.h"

namespace sluice {
namespace {

constexpr size_t kGranularity = 256 << 10;

class StorageRoutes : public testing::Test {
 protected:
  StorageRoutes() { api.options.buckets = {"bucket"}; }
  void SetUp() override { api.Start(); }

  WireReply Call(const std::string& method, const std::string& target, std::string_view body = "",
                 const WireHeaders& headers = {}) const {
    return CallOnce(api.emulator->port(), method, target, headers, body);
  }
  OrderedJson CallJson(const std::string& method, const std::string& target,
                       std::string_view body = "", const WireHeaders& headers = {}) const {
    const WireReply reply = Call(method, target, body, headers);
    EXPECT_EQ(reply.status, 200) << method << ' ' << target << '\n' << reply.body;
    return ParseOrderedJson(reply.body);
  }
  // Why a call was refused.
  std::string Reason(const WireReply& reply) const {
    const OrderedJson json = ParseOrderedJson(reply.body);
    return json.at("error").at("errors").at(0).at("reason");
  }
  OrderedJson Put(const std::string& name, std::string_view bytes) const {
    return CallJson("POST", "/upload/storage/v1/b/bucket/o?uploadType=media&name=" + name, bytes);
  }
  // The path and query of a new session.
  std::string StartSession(const std::string& query = "&name=x", std::string_view body = "") const {
    const WireReply reply =
        Call("POST", "/upload/storage/v1/b/bucket/o?uploadType=resumable" + query, body);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.Header("location").substr(std::string("http://localhost").size());
  }
  WireReply PutPiece(const std::string& session, const std::string& range,
                     std::string_view bytes) const {
    return Call("PUT", session, bytes, {{"Content-Range", range}});
  }

  LocalApi api;
};

TEST_F(StorageRoutes, ASessionTellsHowFarItCame) {
  const std::string session = StartSession();
  const std::string whole(2 * kGranularity + 5, 'a');
  const std::string total = std::to_string(whole.size());
  WireReply reply = PutPiece(session, "bytes */*", "");
  EXPECT_EQ(reply.status, 308);
  EXPECT_EQ(reply.Header("range"), "");
  reply = PutPiece(session, "bytes 0-262143/*", whole.substr(0, kGranularity));
  EXPECT_EQ(reply.status, 308);
  EXPECT_EQ(reply.Header("range"), "bytes=0-262143");
  // Bytes that are there are passed over, whatever they are.
  reply = PutPiece(session, "bytes 0-524287/" + total, std::string(2 * kGranularity, 'a'));
  EXPECT_EQ(reply.Header("range"), "bytes=0-524287");
  EXPECT_EQ(PutPiece(session, "bytes */" + total, "").Header("range"), "bytes=0-524287");
  reply = PutPiece(session, "bytes 524288-524292/" + total, "aaaaa");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(ParseOrderedJson(reply.body).at("size"), total);
  EXPECT_EQ(PutPiece(session, "bytes */*", "").status, 200);
  EXPECT_EQ(Call("GET", "/storage/v1/b/bucket/o/x?alt=media").body, whole);
}

TEST_F(StorageRoutes, PiecesThatCannotBeAreRefused) {
  const std::string session = StartSession();
  for (const auto& [range, bytes] :
       {std::pair("bytes 5-9/10", "56789"), std::pair("bytes 0-4/*", "01234"),
        std::pair("bytes x-y/z", ""), std::pair("items 0-4/5", "01234"),
        std::pair("bytes 0-4", "01234")}) {
    const WireReply reply = PutPiece(session, range, bytes);
    EXPECT_EQ(reply.status, 400) << range;
    EXPECT_EQ(Reason(reply), "invalid") << range;
  }
  EXPECT_EQ(PutPiece("/upload/storage/v1/b/bucket/o?upload_id=none", "bytes */*", "").status, 404);
  EXPECT_EQ(Call("DELETE", session).status, 499);
  EXPECT_EQ(PutPiece(session, "bytes */*", "").status, 404);
}

TEST_F(StorageRoutes, AnEmptyObjectAndOneWithoutARange) {
  EXPECT_EQ(PutPiece(StartSession("&name=empty"), "bytes */0", "").status, 200);
  EXPECT_EQ(Call("PUT", StartSession("&name=whole"), "content").status, 200);
  EXPECT_EQ(PutPiece(StartSession("&name=open"), "bytes 0-*/7", "content").status, 200);
  EXPECT_EQ(Call("GET", "/storage/v1/b/bucket/o/empty?alt=media").body, "");
  EXPECT_EQ(Call("GET", "/storage/v1/b/bucket/o/whole?alt=media").body, "content");
  EXPECT_EQ(Call("GET", "/storage/v1/b/bucket/o/open?alt=media").body, "content");
}

TEST_F(StorageRoutes, SumsAreChecked) {
  const auto multipart = [&](const std::string& sums) {
    const std::string body = "--X\r\nContent-Type: application/json\r\n\r\n{\"name\":\"x\"," +
                             sums +
                             "}\r\n--X\r\nContent-Type: text/plain\r\n\r\n123456789\r\n--X--";
    return Call("POST", "/upload/storage/v1/b/bucket/o?uploadType=multipart", body,
                {{"Content-Type", "multipart/related; boundary=X"}});
  };
  EXPECT_EQ(multipart(R"("crc32c":"AAAAAA==")").status, 400);
  EXPECT_EQ(multipart(R"("md5Hash":"AAAAAAAAAAAAAAAAAAAAAA==")").status, 400);
  EXPECT_EQ(multipart(R"("crc32c":"no")").status, 400);
  EXPECT_EQ(Call("GET", "/storage/v1/b/bucket/o/x").status, 404);
  const WireReply stored = multipart(R"("crc32c":"4waSgw==","md5Hash":"JfnnlDI7RTiF9RgfG2JNCw==")");
  EXPECT_EQ(stored.status, 200) << stored.body;
  EXPECT_EQ(ParseOrderedJson(stored.body).at("contentType"), "text/plain");
  const WireReply last = Call("PUT", StartSession("&name=y"), "123456789",
                              {{"x-goog-hash", "crc32c=AAAAAA==,md5=JfnnlDI7RTiF9RgfG2JNCw=="}});
  EXPECT_EQ(last.status, 400);
  EXPECT_EQ(Call("GET", "/storage/v1/b/bucket/o/y").status, 404);
}

TEST_F(StorageRoutes, ConditionsHoldOrTheCallIsNotDone) {
  const std::string generation = Put("x", "one").at("generation");
  const std::string object = "/storage/v1/b/bucket/o/x";
  const std::string upload = "/upload/storage/v1/b/bucket/o?uploadType=media&name=x";
  const WireReply taken = Call("POST", upload + "&ifGenerationMatch=0", "two");
  EXPECT_EQ(taken.status, 412);
  EXPECT_EQ(Reason(taken), "conditionNotMet");
  EXPECT_EQ(Call("POST",
                 "/upload/storage/v1/b/bucket/o?uploadType=resumable&name=x&"
                 "ifGenerationMatch=0")
                .status,
            412);
  EXPECT_EQ(Call("GET", object + "?ifGenerationNotMatch=" + generation).status, 304);
  EXPECT_EQ(Call("GET", object + "?ifGenerationMatch=1").status, 412);
  EXPECT_EQ(Call("GET", object + "?ifGenerationMatch=soon").status, 400);
  EXPECT_EQ(Call("GET", object + "?generation=1").status, 404);
  EXPECT_EQ(Call("DELETE", object + "?ifGenerationMatch=1").status, 412);
  EXPECT_EQ(Call("POST", upload + "&ifGenerationMatch=" + generation, "two").status, 200);
  EXPECT_EQ(Call("DELETE", object + "?ifGenerationMatch=" + generation).status, 412);
  EXPECT_EQ(Call("DELETE", object).status, 204);
  EXPECT_EQ(Call("DELETE", object).status, 404);
}

TEST_F(StorageRoutes, DownloadsTellOfTheObjectAndTakeRanges) {
  const OrderedJson stored = Put("x", "123456789");
  const std::string media = "/download/storage/v1/b/bucket/o/x?alt=media";
  const WireReply whole = Call("GET", media);
  EXPECT_EQ(whole.Header("x-goog-hash"), "crc32c=4waSgw==,md5=JfnnlDI7RTiF9RgfG2JNCw==");
  EXPECT_EQ(whole.Header("x-goog-generation"), stored.at("generation"));
  EXPECT_EQ(whole.Header("x-goog-stored-content-length"), "9");
  const WireReply part = Call("GET", media, "", {{"Range", "bytes=2-4"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "345");
  EXPECT_EQ(part.Header("content-range"), "bytes 2-4/9");
  EXPECT_EQ(Call("GET", media, "", {{"Range", "bytes=-2"}}).body, "89");
  EXPECT_EQ(Call("GET", media, "", {{"Range", "bytes=-20"}}).body, "123456789");
  EXPECT_EQ(Call("GET", media, "", {{"Range", "bytes=9-"}}).status, 416);
}

TEST_F(StorageRoutes, WhatIsNoCallOfTheApiIsRefused) {
  EXPECT_EQ(Call("GET", "/storage/v1/b/none/o").status, 404);
  EXPECT_EQ(Call("GET", "/storage/v1/b/bucket/acl").status, 404);
  EXPECT_EQ(Call("GET", "/storage/v1/").status, 404);
  EXPECT_EQ(Call("PATCH", "/storage/v1/b/bucket/o/x").status, 404);
  EXPECT_EQ(Call("POST", "/upload/storage/v1/b/bucket/o?uploadType=media", "x").status, 400);
  EXPECT_EQ(Call("POST", "/upload/storage/v1/b/bucket/o?name=x", "x").status, 400);
  EXPECT_EQ(Call("POST", "/upload/storage/v1/b/none/o?uploadType=media&name=x", "x").status, 404);
  EXPECT_EQ(Call("POST", "/storage/v1/b", "[[[").status, 400);
  EXPECT_EQ(Call("POST", "/storage/v1/b", R"({"name":"../x"})").status, 400);
  EXPECT_EQ(Call("GET", "/storage/v1/b/bucket/o?pageToken=x").status, 400);
  EXPECT_EQ(Call("GET", "/storage/v1/b/bucket/o?maxResults=0").status, 400);
  EXPECT_EQ(Call("POST", "/storage/v1/b/bucket/o/x/compose", "{}").status, 400);
}

TEST_F(StorageRoutes, TokensAreNeededOnceThereIsAnAccount) {
  api.options.credentials_file = api.folder.Path("credentials.json");
  api.options.token_life = std::chrono::seconds(60);
  HandClock clock;
  api.options.clock = &clock;
  api.Start();
  const std::string list = "/storage/v1/b/bucket/o";
  EXPECT_EQ(Call("GET", list).status, 401);
  EXPECT_EQ(Reason(Call("GET", list)), "authError");
  EXPECT_EQ(Call("GET", list, "", {{"Authorization", "Bearer made-up"}}).status, 401);
  const OrderedJson token = CallJson(
      "POST", "/token", "grant_type=refresh_token&client_id=c&client_secret=s&refresh_token=r");
  EXPECT_EQ(token.at("expires_in"), 60);
  const WireHeaders signed_in = {
      {"Authorization", "Bearer " + token.at("access_token").get<std::string>()}};
  EXPECT_EQ(Call("GET", list, "", signed_in).status, 200);
  clock.Advance(std::chrono::seconds(60));
  EXPECT_EQ(Call("GET", list, "", signed_in).status, 401);
  api.options.clock = nullptr;
  api.emulator.reset();
}

TEST_F(StorageRoutes, TokenRequestsThatCannotBeAreRefused) {
  for (const char* body :
       {"", "grant_type=password", "grant_type=refresh_token", "{\"grant_type\":7}",
        "&&&=", "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"}) {
    EXPECT_EQ(Call("POST", "/token", body).status, 400) << body;
    EXPECT_EQ(Call("POST", "/v1/token", body).status, 400) << body;
  }
  api.options.credentials_file = api.folder.Path("credentials.json");
  api.Start();
  for (const std::string& assertion :
       {std::string("x"), std::string("a.b.c"), std::string("e30.e30.e30"), std::string("..."),
        std::string(100'000, '.'), std::string("\xff.\xff.\xff")}) {
    const WireReply reply = Call(
        "POST", "/token",
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + assertion);
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(ParseOrderedJson(reply.body).at("error"), "invalid_grant");
  }
}

TEST_F(StorageRoutes, ARevokedRefreshTokenGetsNothing) {
  const std::string request = "grant_type=refresh_token&client_id=c&refresh_token=";
  EXPECT_EQ(Call("POST", "/token", request + "one").status, 200);
  EXPECT_EQ(Call("POST", "/revoke?token=one").status, 200);
  EXPECT_EQ(Call("POST", "/token", request + "one").status, 400);
  EXPECT_EQ(Call("POST", "/token", request + "two").status, 200);
  EXPECT_EQ(Call("POST", "/_sluice/revoke").status, 200);
  EXPECT_EQ(Call("POST", "/token", request + "two").status, 400);
}

TEST_F(StorageRoutes, TheMetadataServerAnswersOnlyThoseWhoAskForIt) {
  const std::string token = "/computeMetadata/v1/instance/service-accounts/default/token";
  EXPECT_EQ(Call("GET", token).status, 404);
  EXPECT_EQ(Call("GET", "/").status, 404);
  const WireHeaders flavor = {{"Metadata-Flavor", "Google"}};
  EXPECT_EQ(Call("GET", "/", "", flavor).Header("metadata-flavor"), "Google");
  EXPECT_TRUE(CallJson("GET", token, "", flavor).contains("access_token"));
  EXPECT_EQ(Call("GET", "/computeMetadata/v1/project/project-id", "", flavor).body,
            "local-project");
  EXPECT_EQ(Call("GET", "/computeMetadata/v1/none", "", flavor).status, 404);
}

TEST_F(StorageRoutes, AKeyFileKeepsItsKeyOverARestart) {
  const std::string path = api.folder.Path("credentials.json");
  api.options.credentials_file = path;
  api.Start();
  const OrderedJson before = ParseOrderedJson(TempFolder::Read(path));
  api.Start();
  const OrderedJson after = ParseOrderedJson(TempFolder::Read(path));
  EXPECT_EQ(before.at("private_key"), after.at("private_key"));
  EXPECT_EQ(after.at("token_uri"), api.emulator->base_url() + "/token");
  const std::string other = api.folder.Path("other.json");
  std::ofstream(other) << "{}";
  api.options.credentials_file = other;
  EXPECT_EQ(Emulator::Start(api.options).error().code, ErrorCode::kUsage);
  EXPECT_EQ(TempFolder::Read(other), "{}");
}

}  // namespace
}  // namespace sluice
