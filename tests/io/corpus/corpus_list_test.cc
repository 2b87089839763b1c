#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/corpus/corpus.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class CorpusListTest : public testing::Test {
 protected:
  // Makes empty files.
  void Make(std::initializer_list<const char*> names) {
    for (const char* name : names) {
      std::ignore = folder_.Write(name, "");
    }
  }
  std::vector<std::string> Names(const CorpusOptions& options) {
    std::vector<std::string> names;
    const auto list = ListCorpusFiles(*files_, options);
    EXPECT_TRUE(list.has_value()) << list.error().message;
    for (const CorpusFile& file : list.value_or(std::vector<CorpusFile>())) {
      names.push_back(file.name);
    }
    return names;
  }
  Error Refusal(const CorpusOptions& options) {
    const auto list = ListCorpusFiles(*files_, options);
    EXPECT_FALSE(list.has_value());
    return list.has_value() ? Error() : list.error();
  }

  TempFolder folder_;
  std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
};

TEST_F(CorpusListTest, FoldersAreWalkedInByteOrderOfEachLevel) {
  Make({"b.txt", "B.txt", "a/z.txt", "a/y/1.txt", ".hidden", ".git/config", "a/.x"});
  EXPECT_THAT(Names({.inputs = {folder_.path()}}),
              ElementsAre("B.txt", "a/y/1.txt", "a/z.txt", "b.txt"));
}

TEST_F(CorpusListTest, NamesDecideFormatAndCompression) {
  Make({"a.jsonl", "b.ndjson.gz", "c.JSON.ZST", "d.md", "e.txt.gz", "f", "g.zst"});
  const auto list = ListCorpusFiles(*files_, {.inputs = {folder_.path()}}).value();
  using enum InputFormat;
  using enum InputCompression;
  const std::pair<InputFormat, InputCompression> expected[] = {
      {kJsonLines, kNone}, {kJsonLines, kGzip}, {kJsonLines, kZstd}, {kText, kNone},
      {kText, kGzip},      {kText, kNone},      {kText, kZstd}};
  ASSERT_EQ(list.size(), std::size(expected));
  for (size_t i = 0; i < list.size(); ++i) {
    EXPECT_EQ(list[i].format, expected[i].first) << list[i].name;
    EXPECT_EQ(list[i].compression, expected[i].second) << list[i].name;
  }
}

TEST_F(CorpusListTest, FormatCanBeForced) {
  Make({"a.jsonl", "b.txt"});
  for (const auto& [format, expected] :
       {std::pair(CorpusOptions::Format::kText, InputFormat::kText),
        std::pair(CorpusOptions::Format::kJsonLines, InputFormat::kJsonLines)}) {
    const CorpusOptions options = {.inputs = {folder_.path(), "-"}, .format = format};
    const auto list = ListCorpusFiles(*files_, options).value();
    for (const CorpusFile& file : list) {
      EXPECT_EQ(file.format, expected);
    }
  }
}

TEST_F(CorpusListTest, PatternsChooseByNameOrByPath) {
  Make({"a.md", "docs/b.md", "docs/deep/c.md", "docs/c.txt", "skip/d.md"});
  const auto names = [&](std::vector<std::string> globs, std::vector<std::string> excludes) {
    return Names({.inputs = {folder_.path()}, .globs = globs, .excludes = excludes});
  };
  EXPECT_THAT(names({"*.md"}, {}), ElementsAre("a.md", "docs/b.md", "docs/deep/c.md", "skip/d.md"));
  EXPECT_THAT(names({"docs/*.md"}, {}), ElementsAre("docs/b.md", "docs/deep/c.md"));
  EXPECT_THAT(names({"*.txt", "a.*"}, {}), ElementsAre("a.md", "docs/c.txt"));
  EXPECT_THAT(names({"*.md"}, {"skip"}), ElementsAre("a.md", "docs/b.md", "docs/deep/c.md"));
  EXPECT_THAT(names({}, {"docs/*", "skip/d*"}), ElementsAre("a.md"));
}

TEST_F(CorpusListTest, FilesGivenByNameNeedNoPattern) {
  Make({"a.txt"});
  const std::string path = folder_.Path("a.txt");
  EXPECT_THAT(Names({.inputs = {path}, .globs = {"*.md"}}), ElementsAre(path));
}

TEST_F(CorpusListTest, GlobsAreExpandedComponentByComponent) {
  Make({"x1/a.jsonl", "x1/b.jsonl", "x2/a.jsonl", "x2/.a.jsonl", "y/a.jsonl", "x3"});
  EXPECT_THAT(Names({.inputs = {folder_.Path("x*/*.jsonl")}}),
              ElementsAre(folder_.Path("x1/a.jsonl"), folder_.Path("x1/b.jsonl"),
                          folder_.Path("x2/a.jsonl")));
  EXPECT_THAT(Names({.inputs = {folder_.Path("?/a.jsonl")}}),
              ElementsAre(folder_.Path("y/a.jsonl")));
  // A folder that a glob names is walked; a name with pattern letters that exists is just a name.
  EXPECT_THAT(Names({.inputs = {folder_.Path("[y]")}}), ElementsAre("a.jsonl"));
  Make({"[y]"});
  EXPECT_THAT(Names({.inputs = {folder_.Path("[y]")}}), ElementsAre(folder_.Path("[y]")));
}

TEST_F(CorpusListTest, OrderOfInputsIsKept) {
  Make({"b.jsonl", "a.jsonl"});
  EXPECT_THAT(Names({.inputs = {folder_.Path("b.jsonl"), "-", folder_.Path("a.jsonl")}}),
              ElementsAre(folder_.Path("b.jsonl"), "-", folder_.Path("a.jsonl")));
}

TEST_F(CorpusListTest, ANameWithALineBreakIsJustAName) {
  Make({"d/two\nlines.txt"});
  EXPECT_THAT(Names({.inputs = {folder_.Path("d")}}), ElementsAre("two\nlines.txt"));
}

TEST_F(CorpusListTest, UnusableInputsAreNamedAtOnce) {
  ASSERT_EQ(mkfifo(folder_.Path("fifo").c_str(), 0600), 0);
  std::filesystem::create_directory(folder_.Path("empty"));
  for (const std::string& input :
       {folder_.Path("absent"), folder_.Path("absent*"), folder_.Path("fifo"),
        std::string("/dev/null"), folder_.Path("empty"), folder_.Path("fifo/x")}) {
    const Error error = Refusal({.inputs = {input}});
    EXPECT_EQ(error.code, ErrorCode::kInput) << input;
    EXPECT_THAT(error.message, HasSubstr(input));
  }
  EXPECT_EQ(Refusal({}).code, ErrorCode::kUsage);
  EXPECT_THAT(Refusal({.inputs = {"-", "-"}}).message, HasSubstr("twice"));
}

TEST_F(CorpusListTest, PipesInAFolderAreLeftOut) {
  Make({"d/a.txt"});
  ASSERT_EQ(mkfifo(folder_.Path("d/fifo").c_str(), 0600), 0);
  EXPECT_THAT(Names({.inputs = {folder_.Path("d")}}), ElementsAre("a.txt"));
}

TEST_F(CorpusListTest, LinksToFilesCountAndLinksToFoldersDoNotLoop) {
  Make({"d/a.txt"});
  std::filesystem::create_symlink("a.txt", folder_.Path("d/b.txt"));
  std::filesystem::create_directory_symlink(".", folder_.Path("d/loop"));
  std::filesystem::create_directory_symlink("d", folder_.Path("named"));
  EXPECT_THAT(Names({.inputs = {folder_.Path("d")}}), ElementsAre("a.txt", "b.txt"));
  EXPECT_THAT(Names({.inputs = {folder_.Path("named")}}), ElementsAre("a.txt", "b.txt"));
}

TEST_F(CorpusListTest, ALinkToNothingIsAnError) {
  std::filesystem::create_symlink("absent", folder_.Path("dangling"));
  EXPECT_THAT(Refusal({.inputs = {folder_.path()}}).message, HasSubstr("dangling"));
}

}  // namespace
}  // namespace sluice
