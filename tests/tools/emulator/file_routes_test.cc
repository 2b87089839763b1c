#include "io/json/json_document.h"
#include "tools/emulator/file_routes.h"

#include "tests/tools/emulator/local_api.h"

namespace sluice {
namespace {

std::string MessageOf(const WireReply& reply) {
  return ParseOrderedJson(reply.body).at("error").at("message");
}

// A result file of some lines, and its bytes.
struct Results {
  std::string name;
  std::string bytes;
};

Results MakeResults(const LocalApi& api) {
  const OrderedJson operation = api.WaitForEnd(api.Create(api.Upload(RequestLines(50))));
  return {operation["response"]["responsesFile"], api.Download(operation)};
}

TEST(FileRoutes, ListPagesNewestFirst) {
  LocalApi api;
  api.Start();
  EXPECT_EQ(api.CallJson("GET", "/v1beta/files"), OrderedJson::object());
  std::vector<std::string> uploaded;
  for (int i = 0; i < 5; ++i) {
    uploaded.insert(uploaded.begin(), api.Upload("x" + std::to_string(i)));
  }
  std::vector<std::string> listed;
  std::string token;
  do {
    const OrderedJson page = api.CallJson("GET", "/v1beta/files?pageSize=2&pageToken=" + token);
    EXPECT_LE(page["files"].size(), 2U);
    for (const OrderedJson& file : page["files"]) {
      listed.push_back(file["name"]);
    }
    token = page.value("nextPageToken", "");
  } while (!token.empty());
  EXPECT_EQ(listed, uploaded);
  EXPECT_EQ(api.Call("GET", "/v1beta/files?pageToken=nonsense").status, 400);
  EXPECT_EQ(api.Call("GET", "/v1beta/files?pageSize=-1").status, 400);
}

TEST(FileRoutes, MissingFilesAreForbidden) {
  LocalApi api;
  api.Start();
  const std::string name = api.Upload("abc");
  EXPECT_EQ(api.CallJson("DELETE", "/v1beta/" + name), OrderedJson::object());
  for (const auto& [method, target] :
       {std::pair("GET", "/v1beta/" + name), std::pair("DELETE", "/v1beta/" + name),
        std::pair("GET", "/v1beta/" + name + ":download?alt=media")}) {
    const WireReply reply = api.Call(method, target);
    EXPECT_EQ(reply.status, 403) << method << target;
    EXPECT_EQ(MessageOf(reply), "You do not have permission to access the File " + name.substr(6) +
                                    " or it may not exist.");
  }
}

TEST(FileRoutes, FilesExpireAfterTwoDays) {
  HandClock clock;
  LocalApi api;
  api.options.clock = &clock;
  api.Start();
  const std::string name = api.Upload("abc");
  clock.Advance(std::chrono::hours(48) - std::chrono::seconds(1));
  EXPECT_EQ(api.Call("GET", "/v1beta/" + name).status, 200);
  clock.Advance(std::chrono::seconds(2));
  EXPECT_EQ(api.Call("GET", "/v1beta/" + name).status, 403);
  EXPECT_EQ(api.CallJson("GET", "/v1beta/files"), OrderedJson::object());
}

TEST(FileRoutes, ResultFilesCanBeDownloadedAndNothingElse) {
  LocalApi api;
  api.Start();
  const Results results = MakeResults(api);
  EXPECT_EQ(results.name.size(), std::string("files/").size() + 42);
  const WireReply got = api.Call("GET", "/v1beta/" + results.name);
  EXPECT_EQ(got.status, 400);
  EXPECT_EQ(MessageOf(got),
            "* GetFileRequest.name: File ID (name excluding 'files/') cannot be more than 40 "
            "characters.\n");
  EXPECT_EQ(api.Call("DELETE", "/v1beta/" + results.name).status, 400);
  EXPECT_EQ(api.Call("GET", "/download/v1beta/" + results.name + ":download?alt=media").body,
            results.bytes);
  // Result files are not listed beside the uploaded one.
  EXPECT_EQ(api.CallJson("GET", "/v1beta/files")["files"].size(), 1U);
}

TEST(FileRoutes, UploadedFilesCannotBeDownloaded) {
  LocalApi api;
  api.Start();
  EXPECT_EQ(api.Call("GET", "/v1beta/" + api.Upload("abc") + ":download?alt=media").status, 400);
}

TEST(FileRoutes, DownloadsGoOnFromAByte) {
  LocalApi api;
  api.Start();
  const Results results = MakeResults(api);
  const std::string target = "/v1beta/" + results.name + ":download?alt=media";
  const std::string size = std::to_string(results.bytes.size());
  const WireReply rest = api.Call("GET", target, "", {{"Range", "bytes=100-"}});
  EXPECT_EQ(rest.status, 206);
  EXPECT_EQ(rest.body, results.bytes.substr(100));
  EXPECT_EQ(rest.Header("content-range"),
            "bytes 100-" + std::to_string(results.bytes.size() - 1) + "/" + size);
  EXPECT_EQ(api.Call("GET", target, "", {{"Range", "bytes=3-7"}}).body, results.bytes.substr(3, 5));
  const WireReply beyond = api.Call("GET", target, "", {{"Range", "bytes=" + size + "-"}});
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.Header("content-range"), "bytes */" + size);
}

TEST(FileRoutes, DownloadFaultsHappen) {
  LocalApi api({"cut-download=1", "range-wrong=1"});
  api.Start();
  const OrderedJson operation = api.WaitForEnd(api.Create(api.Upload(RequestLines(50))));
  const std::string file = operation["response"]["responsesFile"];
  const std::string target = "/v1beta/" + file + ":download?alt=media";
  EXPECT_FALSE(api.Call("GET", target).whole);
  const std::string bytes = api.Call("GET", target).body;
  EXPECT_EQ(api.Call("GET", target, "", {{"Range", "bytes=10-"}}).body, bytes.substr(11));
  EXPECT_EQ(api.Call("GET", target, "", {{"Range", "bytes=10-"}}).body, bytes.substr(10));

  api.options.faults = {"range-ignored"};
  api.Start();
  const WireReply whole = api.Call("GET", target, "", {{"Range", "bytes=10-"}});
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.body, bytes);
}

}  // namespace
}  // namespace sluice
