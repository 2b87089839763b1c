#include "io/json/json_document.h"
#include "tools/emulator/upload_routes.h"

#include "tests/tools/emulator/local_api.h"

namespace sluice {
namespace {

constexpr size_t kGranule = 8'388'608;

std::string FileNameOf(const WireReply& reply) {
  return ParseOrderedJson(reply.body).at("file").at("name");
}

std::string StoredBytes(const LocalApi& api, const std::string& file) {
  return TempFolder::Read(api.folder.Path(file + ".data"));
}

std::string Received(const LocalApi& api, const std::string& upload) {
  return api.Send(upload, "query", 0, "").Header("x-goog-upload-size-received");
}

TEST(UploadRoutes, StartAnswersAsTheUploadServerDoes) {
  LocalApi api;
  api.Start();
  const WireReply reply =
      api.Call("POST", "/upload/v1beta/files", "",
               {{"X-Goog-Upload-Command", "start"}, {"X-Goog-Upload-Header-Content-Length", "10"}});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "");
  EXPECT_EQ(reply.Header("x-goog-upload-status"), "active");
  EXPECT_EQ(reply.Header("x-goog-upload-chunk-granularity"), "8388608");
  EXPECT_EQ(reply.Header("x-goog-upload-control-url"), reply.Header("x-goog-upload-url"));
}

TEST(UploadRoutes, SeveralPiecesBecomeOneFile) {
  LocalApi api;
  api.Start();
  std::string bytes(2 * kGranule + 1000, 'x');
  for (size_t i = 0; i < bytes.size(); i += 997) {
    bytes[i] = '\n';
  }
  const std::string upload =
      api.StartUpload(R"({"display_name":"shard","mime_type":"text/plain"})");
  for (const size_t offset : {size_t{0}, kGranule}) {
    const WireReply reply =
        api.Send(upload, "upload", offset, std::string_view(bytes).substr(offset, kGranule));
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.Header("x-goog-upload-status"), "active");
    EXPECT_EQ(reply.body, "");
  }
  const WireReply last = api.Send(upload, "upload,Finalize", 2 * kGranule,
                                  std::string_view(bytes).substr(2 * kGranule));
  EXPECT_EQ(last.Header("x-goog-upload-status"), "final");
  const OrderedJson file = ParseOrderedJson(last.body).at("file");
  EXPECT_EQ(file["sizeBytes"], std::to_string(bytes.size()));
  EXPECT_EQ(file["displayName"], "shard");
  EXPECT_EQ(file["mimeType"], "text/plain");
  EXPECT_EQ(file["state"], "ACTIVE");
  EXPECT_EQ(file["source"], "UPLOADED");
  EXPECT_EQ(StoredBytes(api, file["name"]), bytes);
  EXPECT_EQ(api.CallJson("GET", "/v1beta/" + file["name"].get<std::string>()), file);
}

// SHA-256 of "abc", from FIPS 180-2: as hex text, then in base64.
TEST(UploadRoutes, HashIsTheHexTextInBase64) {
  LocalApi api;
  api.Start();
  const std::string name = api.Upload("abc");
  EXPECT_EQ(
      api.CallJson("GET", "/v1beta/" + name)["sha256Hash"],
      "YmE3ODE2YmY4ZjAxY2ZlYTQxNDE0MGRlNWRhZTIyMjNiMDAzNjFhMzk2MTc3YTljYjQxMGZmNjFmMjAwMTVhZA==");
}

TEST(UploadRoutes, FinalizeAloneEndsAnUpload) {
  LocalApi api;
  api.Start();
  const std::string upload = api.StartUpload();
  EXPECT_EQ(api.Send(upload, "upload", 0, std::string(kGranule, 'a')).status, 200);
  const WireReply reply = api.Send(upload, "finalize", 0, "");
  EXPECT_EQ(reply.Header("x-goog-upload-status"), "final");
  EXPECT_EQ(StoredBytes(api, FileNameOf(reply)).size(), kGranule);
}

TEST(UploadRoutes, RefusesPiecesThatAreNoMultipleOfTheGranularity) {
  LocalApi api;
  api.Start();
  const std::string upload = api.StartUpload();
  EXPECT_EQ(api.Send(upload, "upload", 0, "abc").status, 400);
  EXPECT_EQ(Received(api, upload), "0");
}

TEST(UploadRoutes, RefusesAnOffsetThatIsNotWhereTheBytesEnd) {
  LocalApi api;
  api.Start();
  const std::string upload = api.StartUpload();
  EXPECT_EQ(api.Send(upload, "upload, finalize", 5, "abc").status, 409);
  EXPECT_EQ(api.Send(upload, "upload, finalize", 0, "abc").status, 200);
}

// A request that breaks after `sent` of its announced bytes.
void SendBroken(const LocalApi& api, const std::string& upload, size_t announced, size_t sent) {
  WireClient client(api.emulator->port());
  client.Send("POST " + upload +
              " HTTP/1.1\r\nHost: x\r\nX-Goog-Upload-Command: upload, finalize\r\n" +
              "X-Goog-Upload-Offset: 0\r\nContent-Length: " + std::to_string(announced) +
              "\r\n\r\n" + std::string(sent, 'b'));
}

TEST(UploadRoutes, KeepsTheBytesOfABrokenRequest) {
  LocalApi api;
  api.Start();
  const std::string upload = api.StartUpload();
  SendBroken(api, upload, 20'000'000, 12'345'678);
  // The query waits for the broken request to end, so there is nothing to wait for here.
  std::string received;
  for (int i = 0; i < 1000 && received != "12345678"; ++i) {
    received = Received(api, upload);
  }
  ASSERT_EQ(received, "12345678");
  const WireReply rest = api.Send(upload, "upload, finalize", 12'345'678, std::string(10, 'c'));
  ASSERT_EQ(rest.status, 200) << rest.body;
  EXPECT_EQ(StoredBytes(api, FileNameOf(rest)),
            std::string(12'345'678, 'b') + std::string(10, 'c'));
}

TEST(UploadRoutes, KeepsWholePiecesOnlyWhenToldTo) {
  LocalApi api({"keep-whole-chunks", "cut-upload=10000000@1"});
  api.Start();
  const std::string upload = api.StartUpload();
  EXPECT_EQ(api.Send(upload, "upload, finalize", 0, std::string(20'000'000, 'b')).status, 0);
  EXPECT_EQ(Received(api, upload), "8388608");
}

TEST(UploadRoutes, QuerySaysWhatBecameOfAnUpload) {
  LocalApi api;
  api.Start();
  const std::string finalized = api.StartUpload();
  const WireReply final_reply = api.Send(finalized, "upload, finalize", 0, "abc");
  const WireReply again = api.Send(finalized, "query", 0, "");
  EXPECT_EQ(again.Header("x-goog-upload-status"), "final");
  EXPECT_EQ(again.body, final_reply.body);
  EXPECT_EQ(api.Send(finalized, "cancel", 0, "").status, 400);
  EXPECT_EQ(api.Send(finalized, "upload, finalize", 3, "def").status, 400);

  const std::string cancelled = api.StartUpload();
  EXPECT_EQ(api.Send(cancelled, "cancel", 0, "").Header("x-goog-upload-status"), "cancelled");
  EXPECT_EQ(api.Send(cancelled, "query", 0, "").status, 410);

  EXPECT_EQ(api.Send("/upload/v1beta/files?upload_id=nonsense", "query", 0, "").status, 404);
}

TEST(UploadRoutes, RefusesAtTheEndWhatCannotBecomeAFile) {
  LocalApi api({"mime-refused=jsonl"});
  api.options.store_bytes_max = 100;
  api.Start();
  const WireReply mime =
      api.Send(api.StartUpload(R"({"mimeType":"jsonl"})"), "upload, finalize", 0, "abc");
  EXPECT_EQ(mime.status, 400);
  EXPECT_EQ(mime.Header("x-goog-upload-status"), "final");
  EXPECT_EQ(ParseOrderedJson(mime.body)["error"]["message"], "Unsupported MIME type: jsonl");

  EXPECT_EQ(api.Send(api.StartUpload(), "upload, finalize", 0, "").status, 400);
  EXPECT_EQ(api.Send(api.StartUpload(), "upload, finalize", 0, std::string(101, 'x')).status, 429);
}

TEST(UploadRoutes, RefusesFilesBeyondTheLimit) {
  LocalApi api;
  api.options.file_bytes_max = 1000;
  api.Start();
  EXPECT_EQ(api.Call("POST", "/upload/v1beta/files", "",
                     {{"X-Goog-Upload-Command", "start"},
                      {"X-Goog-Upload-Header-Content-Length", "1001"}})
                .status,
            400);
  EXPECT_EQ(api.Send(api.StartUpload(), "upload, finalize", 0, std::string(1001, 'x')).status, 400);
}

TEST(UploadRoutes, HonoursAChosenNameOnce) {
  LocalApi api;
  api.Start();
  const std::string upload = api.StartUpload(R"({"name":"files/my-shard-7"})");
  EXPECT_EQ(FileNameOf(api.Send(upload, "upload, finalize", 0, "abc")), "files/my-shard-7");
  const WireReply taken =
      api.Call("POST", "/upload/v1beta/files", R"({"file":{"name":"files/my-shard-7"}})",
               {{"X-Goog-Upload-Command", "start"}});
  EXPECT_EQ(taken.status, 409);
  EXPECT_EQ(ParseOrderedJson(taken.body)["error"]["status"], "ALREADY_EXISTS");
  for (const char* name : {"files/-x", "files/UPPER", "files/../x",
                           "files/aaaaaaaaaabbbbbbbbbbccccccccccddddddddddd"}) {
    EXPECT_EQ(
        api.Call("POST", "/upload/v1beta/files", OrderedJson{{"file", {{"name", name}}}}.dump(),
                 {{"X-Goog-Upload-Command", "start"}})
            .status,
        400)
        << name;
  }
}

TEST(UploadRoutes, MultipartMakesAFileAtOnce) {
  LocalApi api;
  api.Start();
  const std::string bytes = "{\"key\":\"1\"}\r\n--\n";
  const auto upload = [&](const std::string& body) {
    return api.Call("POST", "/upload/v1beta/files", body,
                    {{"X-Goog-Upload-Protocol", "multipart"},
                     {"Content-Type", "multipart/related; boundary=xyz"}});
  };
  const WireReply reply = upload(
      "--xyz\r\nContent-Type: application/json\r\n\r\n{\"file\":{\"display_name\":\"small\"}}"
      "\r\n--xyz\r\nContent-Type: text/plain\r\n\r\n" +
      bytes + "\r\n--xyz--\r\n");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const OrderedJson file = ParseOrderedJson(reply.body).at("file");
  EXPECT_EQ(file["displayName"], "small");
  EXPECT_EQ(file["mimeType"], "text/plain");
  EXPECT_EQ(StoredBytes(api, file["name"]), bytes);
  EXPECT_EQ(upload("--xyz\r\n\r\n{}\r\n--xyz--").status, 400);
  EXPECT_EQ(upload("--xyz\r\n\r\n{}\r\n--xyz\r\n\r\n\r\n--xyz--").status, 400);  // No bytes.
}

TEST(UploadRoutes, AFileMayBeMadeOfItsMetadataAlone) {
  LocalApi api;
  api.Start();
  const OrderedJson file = api.CallJson(
      "POST", "/v1beta/files", R"({"file":{"name":"files/bare","mimeType":"text/plain"}})")["file"];
  EXPECT_EQ(file["name"], "files/bare");
  EXPECT_FALSE(file.contains("sizeBytes"));
  EXPECT_EQ(api.CallJson("GET", "/v1beta/files/bare"), file);
  EXPECT_EQ(api.CreateFromFile("files/bare").status, 400);
}

TEST(UploadRoutes, SurvivesHeadersThatAreNoText) {
  LocalApi api;
  api.Start();
  EXPECT_EQ(
      api.Call("POST", "/upload/v1beta/files", "",
               {{"X-Goog-Upload-Command", "start"}, {"X-Goog-Upload-Header-Content-Type", "\xFF"}})
          .status,
      400);
  const std::string file = api.Upload("abc");
  WireClient client(api.emulator->port());
  client.Send("GET /v1beta/" + file + " HTTP/1.1\r\nHost: \xFF\r\nx-goog-api-key: k\r\n\r\n");
  EXPECT_EQ(client.Receive().status, 500);
  EXPECT_EQ(api.Call("GET", "/v1beta/models/%FF%00").status, 404);
  EXPECT_EQ(api.Call("GET", "/v1beta/files/%2e%2e%2fjournal").status, 403);
}

TEST(UploadRoutes, FaultsOfTheSendStepHappen) {
  LocalApi api({"chunk-no-status=1", "chunk-offset-409=1", "upload-gone=1", "corrupt-upload=1"});
  api.Start();
  EXPECT_EQ(api.Send(api.StartUpload(), "query", 0, "").status, 404);  // upload-gone
  const std::string upload = api.StartUpload();
  EXPECT_EQ(api.Send(upload, "upload", 0, std::string(kGranule, 'a')).status, 409);
  const WireReply without_status = api.Send(upload, "upload", 0, std::string(kGranule, 'a'));
  EXPECT_EQ(without_status.status, 200);
  EXPECT_EQ(without_status.Header("x-goog-upload-status"), "");
  EXPECT_EQ(Received(api, upload), std::to_string(kGranule));
  const std::string stored =
      StoredBytes(api, FileNameOf(api.Send(upload, "finalize", kGranule, "")));
  EXPECT_EQ(stored.size(), kGranule);
  EXPECT_EQ(std::ranges::count(stored, 'a'), static_cast<int64_t>(kGranule) - 1);
}

}  // namespace
}  // namespace sluice
