#include "engine/repack.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "io/file/line_reader.h"
#include "io/shard/shard_file.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

class RepackTest : public testing::Test {
 protected:
  RepackTest() {
    std::string lines;
    for (Ordinal row = 20; row < 30; ++row) {
      lines += Line(row) + "\n";
    }
    request_ = {.shard_path = folder_.Write("00001.jsonl", lines),
                .new_path = folder_.Path("00001.r1.jsonl.zst"),
                .rows = {20, 23, 29},
                .key_offset = 8,
                .zstd_level = 1};
  }

  static std::string Line(Ordinal row) {
    return fmt::format("{{\"key\":\"{:012}\",\"request\":{{\"n\":{}}}}}", row, row);
  }

  Result<RequestFile> Go() { return Repack(*files_, request_, {}); }

  TempFolder folder_;
  std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
  RepackRequest request_;
};

TEST_F(RepackTest, TakesTheLinesOfTheRowsAsTheyStand) {
  for (const std::optional<int> level : {std::optional(1), std::optional<int>()}) {
    request_.zstd_level = level;
    request_.new_path = folder_.Path(level ? "r.jsonl.zst" : "r.jsonl");
    const auto file = Go();
    ASSERT_TRUE(file.has_value()) << file.error().message;
    EXPECT_EQ(file->name, level ? "r.jsonl.zst" : "r.jsonl");
    LineReader lines(OpenShard(*files_, request_.new_path).value());
    uint64_t bytes = 0;
    for (const Ordinal row : request_.rows) {
      EXPECT_EQ(lines.Next().value(), Line(row));
      bytes += Line(row).size() + 1;
    }
    EXPECT_FALSE(lines.Next().value().has_value());
    EXPECT_EQ(file->plain_bytes, bytes);
  }
}

TEST_F(RepackTest, GivesTheSameFileEveryTime) {
  const auto first = Go();
  const auto second = Go();
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_EQ(first->checksum, second->checksum);
}

TEST_F(RepackTest, RefusesAShardThatLacksARow) {
  request_.rows = {20, 31};
  const auto file = Go();
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().code, ErrorCode::kIo);
  EXPECT_FALSE(files_->Exists(request_.new_path));
}

}  // namespace
}  // namespace sluice
