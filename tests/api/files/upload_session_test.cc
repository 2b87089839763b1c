// Uploads that outlive the process: what is kept, when it is used, and when it is not.
#include "api/files/upload_session.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "api/files/files_client.h"
#include "api/files/sha256.h"
#include "tests/support/service_under_test.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

const std::string kContent(100'000, 'x');

std::string FinalJson() {
  return fmt::format(R"({{"file":{{"name":"files/sl-1","sizeBytes":"{}","state":"ACTIVE"}}}})",
                     kContent.size());
}

// One life of a process: plays what its service says, and uploads.
class Life : public ServiceUnderTest {
 public:
  explicit Life(const TempFolder& folder) : ServiceUnderTest({}), state_(folder.Path("state")) {}

  // A service at another port would be another account: the lives share the address in the file.
  Life& Begins(const std::string& id) {
    server.Add(
        {.answer = HttpAnswer(200, "",
                              {"X-Goog-Upload-Status: active",
                               "X-Goog-Upload-URL: " + server.url() + "/u?upload_id=" + id})});
    return *this;
  }
  Life& Dies() {  // Every query is refused for good, which ends the call like a kill would.
    server.Add({.answer = {}, .end = Play::End::kReset, .read_body_max = 60'000});
    server.Add(JsonPlay(401, R"({"error":{"code":401,"message":"x"}})"));
    return *this;
  }
  Life& Received(uint64_t count) {
    server.Add({.answer = HttpAnswer(200, "",
                                     {"X-Goog-Upload-Status: active",
                                      fmt::format("X-Goog-Upload-Size-Received: {}", count)})});
    return *this;
  }
  Life& Final() {
    server.Add({.answer = HttpAnswer(200, FinalJson(), {"X-Goog-Upload-Status: final"})});
    return *this;
  }
  Life& Gone() {
    server.Add({.answer = HttpAnswer(404, "unknown upload")});
    return *this;
  }

  Result<UploadedFile> Upload(const std::string& content = kContent,
                              const std::string& display_name = "") {
    return Files(*service).UploadBytes(
        content, {.file_id = "sl-1", .display_name = display_name, .state_file = state_});
  }
  std::string Command(size_t request) const {
    return server.requests().at(request).Header("x-goog-upload-command");
  }

 private:
  std::string state_;
};

class UploadSessionTest : public testing::Test {
 protected:
  // Two lives at one service: the first dies in the middle.
  UploadSessionTest() {
    life.Begins("s1").Dies();
    EXPECT_EQ(life.Upload().error().code, ErrorCode::kAuth);
    EXPECT_EQ(life.server.requests().size(), 3U);
  }

  std::string State() const { return TempFolder::Read(folder.Path("state")); }
  bool HasState() const { return std::filesystem::exists(folder.Path("state")); }

  TempFolder folder;
  Life life{folder};
};

TEST_F(UploadSessionTest, KeepsTheAddressForItsOwnerOnly) {
  struct stat status{};
  ASSERT_EQ(stat(folder.Path("state").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_NE(State().find("upload_id=s1"), std::string::npos);
  EXPECT_EQ(State().find(kTestKey), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder.Path("state.tmp")));
}

TEST_F(UploadSessionTest, AsksFirstAndSendsTheRest) {
  life.Received(40'000).Final();
  const auto uploaded = life.Upload();
  ASSERT_TRUE(uploaded.has_value()) << uploaded.error().message;
  EXPECT_EQ(uploaded->sha256, Sha256Hex(kContent));
  const auto sent = life.server.requests();
  ASSERT_EQ(sent.size(), 5U);
  EXPECT_EQ(sent[3].target, "/u?upload_id=s1");
  EXPECT_EQ(sent[3].Header("x-goog-upload-command"), "query");
  EXPECT_EQ(sent[4].Header("x-goog-upload-offset"), "40000");
  EXPECT_EQ(sent[4].body.size(), 60'000U);
  EXPECT_FALSE(HasState());
}

TEST_F(UploadSessionTest, AnUploadThatWasWholeAlreadyIsDone) {
  life.Final();
  EXPECT_EQ(life.Upload().value().sha256, Sha256Hex(kContent));
  EXPECT_EQ(life.server.requests().size(), 4U);
  EXPECT_FALSE(HasState());
}

TEST_F(UploadSessionTest, ASessionThatIsGoneIsReplaced) {
  life.Gone().Begins("s2").Final();
  EXPECT_TRUE(life.Upload().has_value());
  EXPECT_EQ(life.server.requests().at(5).target, "/u?upload_id=s2");
  EXPECT_FALSE(HasState());
}

TEST_F(UploadSessionTest, AnotherContentOrNameBeginsAnew) {
  std::string other = kContent;
  other[5] = 'y';
  life.Begins("s2").Dies();
  EXPECT_FALSE(life.Upload(other).has_value());
  EXPECT_EQ(life.Command(3), "start");
  EXPECT_NE(State().find("upload_id=s2"), std::string::npos);
  life.Begins("s3").Final();
  EXPECT_TRUE(life.Upload(other, "another name").has_value());
  EXPECT_EQ(life.Command(6), "start");
}

TEST_F(UploadSessionTest, ABrokenOrPlantedStateIsNotFollowed) {
  std::string planted = State();
  const size_t at = planted.find(life.server.url());
  planted.replace(at, life.server.url().size(), "http://127.0.0.1:1");
  for (const std::string& text : {planted, State().substr(0, 30), std::string("[]")}) {
    static_cast<void>(folder.Write("state", text));
    const size_t before = life.server.requests().size();
    life.Begins("s2").Final();
    ASSERT_TRUE(life.Upload().has_value());
    EXPECT_EQ(life.Command(before), "start");
    EXPECT_FALSE(HasState());
  }
}

TEST_F(UploadSessionTest, ARefusalEndsTheSession) {
  life.Gone();
  life.server.Add(JsonPlay(400, R"({"error":{"code":400,"message":"no","status":"X"}})"));
  EXPECT_EQ(life.Upload().error().code, ErrorCode::kRefused);
  EXPECT_FALSE(HasState());
}

TEST_F(UploadSessionTest, AFileThatWasStoredWrongIsNotGoneOnWith) {
  life.server.Add({.answer = HttpAnswer(200, R"({"file":{"name":"files/sl-1","sizeBytes":"5"}})",
                                        {"X-Goog-Upload-Status: final"})});
  life.server.Add(JsonPlay(200, "{}"));
  EXPECT_EQ(life.Upload().error().code, ErrorCode::kBadAnswer);
  EXPECT_EQ(life.server.requests().back().method, "DELETE");
  EXPECT_FALSE(HasState());
}

TEST(SourceOfFile, IsKnownByItsSizeAndTimeAndMustBeAFile) {
  const TempFolder folder;
  const std::string path = folder.Write("a", "first");
  const StageSource first = SourceOfFile(path).value();
  EXPECT_EQ(first.size, 5U);
  EXPECT_EQ(first.identity, SourceOfFile(path).value().identity);
  static_cast<void>(folder.Write("a", "longer"));
  EXPECT_NE(first.identity, SourceOfFile(path).value().identity);
  EXPECT_EQ(SourceOfFile(folder.path()).error().code, ErrorCode::kInput);
  EXPECT_FALSE(SourceOfFile(folder.Path("none")).has_value());
}

}  // namespace
}  // namespace sluice
