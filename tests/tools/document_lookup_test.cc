#include "tools/document_lookup.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/file/temporary_folder.h"

namespace sluice {
namespace {

using testing::HasSubstr;

class DocumentLookup : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& bytes) {
    const std::filesystem::path path = std::filesystem::path(folder_.path()) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }

  TemporaryFolder folder_ = TemporaryFolder::Make("sluice-lookup-test-").value();
  std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
};

constexpr char kIds[] = R"({"row":0,"id":"a","file":"c.jsonl","line":1,"offset":0})"
                        "\n"
                        R"({"row":1,"id":7,"file":"c.jsonl","line":3,"offset":40})"
                        "\n"
                        R"({"row":2,"id":"c","file":"-","line":1,"offset":0})"
                        "\n";

TEST_F(DocumentLookup, GivesThePlacesInTheOrderAsked) {
  const std::string ids = Write("ids", kIds);
  const std::vector<uint64_t> rows = {2, 0, 1, 2};
  const auto places = FindDocuments(*files_, ids, rows);
  ASSERT_TRUE(places.has_value()) << places.error().message;
  ASSERT_EQ(places->size(), 4U);
  EXPECT_EQ((*places)[0].id, "c");
  EXPECT_EQ((*places)[1].id, "a");
  EXPECT_EQ((*places)[2].id, "7");
  EXPECT_EQ((*places)[2].place.line, 3U);
  EXPECT_EQ((*places)[2].place.offset, 40U);
  EXPECT_EQ((*places)[3].id, "c");
}

TEST_F(DocumentLookup, RefusesIdsOfAnotherArray) {
  const std::string ids = Write("ids", kIds);
  const auto behind = FindDocuments(*files_, ids, std::vector<uint64_t>{3});
  ASSERT_FALSE(behind.has_value());
  EXPECT_EQ(behind.error().code, ErrorCode::kInput);
  EXPECT_THAT(behind.error().hint, HasSubstr("--ids"));
  for (const char* line : {"not json\n", "{}\n", "[]\n",
                           R"({"row":5,"id":"x"})"
                           "\n"}) {
    const auto wrong = FindDocuments(*files_, Write("wrong", line), std::vector<uint64_t>{0});
    ASSERT_FALSE(wrong.has_value()) << line;
    EXPECT_THAT(wrong.error().message, HasSubstr("wrong:1"));
  }
}

TEST_F(DocumentLookup, ReadsARecordAgainAtItsPlace) {
  const std::string first = R"({"text":"first"})"
                            "\n";
  const std::string path =
      Write("c.jsonl", first + "\n" + R"({"body":{"de":"zw\u00f6lf\n"},"text":1})" + "\nrest");
  const DocumentPlace second{.row = 1,
                             .id = "b",
                             .file = path,
                             .place = {.file = 0, .line = 3, .offset = first.size() + 1}};
  EXPECT_EQ(ReadDocument(*files_, second, {.paths = {}, .text_field = "body.de"}), "zwölf\n");
  EXPECT_EQ(ReadDocument(*files_, second, {.paths = {}, .text_field = "text"}), std::nullopt);
  EXPECT_EQ(ReadDocument(*files_, second, {.paths = {}, .text_field = "nothing"}), std::nullopt);
}

TEST_F(DocumentLookup, FindsATextWhereTheRunFoundIt) {
  const std::string path = Write("docs/sub/a.md", "the text\n");
  const DocumentPlace document{.row = 0, .id = "sub/a.md", .file = "sub/a.md", .place = {}};
  const DocumentSource source{.paths = {{"sub/b.md", "/nowhere/b.md"}, {"sub/a.md", path}},
                              .text_field = "text"};
  EXPECT_EQ(ReadDocument(*files_, document, source), "the text\n");
  EXPECT_EQ(ReadDocument(*files_, document, {.paths = {}, .text_field = "text"}), std::nullopt);
}

TEST_F(DocumentLookup, WhatIsGoneHasNoText) {
  const DocumentSource source{.paths = {}, .text_field = "text"};
  EXPECT_EQ(ReadDocument(*files_, {.row = 0, .id = "x", .file = "-", .place = {}}, source),
            std::nullopt);
  EXPECT_EQ(ReadDocument(*files_, {.row = 0, .id = "x", .file = "", .place = {}}, source),
            std::nullopt);
  const std::string path = Write("short.jsonl", "{}\n");
  const DocumentPlace behind{
      .row = 0, .id = "x", .file = path, .place = {.file = 0, .line = 9, .offset = 4000}};
  EXPECT_EQ(ReadDocument(*files_, behind, source), std::nullopt);
}

}  // namespace
}  // namespace sluice
