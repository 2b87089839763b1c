#include "io/shard/manifest.h"

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

ShardEntry EntryOf(uint32_t shard) {
  ShardEntry entry;
  entry.shard = shard;
  entry.range = {.first = shard * 10u, .count = 10};
  entry.file = "00000.jsonl.zst";
  entry.plain_bytes = 5'000'000'000;
  entry.compressed_bytes = 77;
  entry.checksum = "0123456789abcdef";
  entry.tokens = 9;
  entry.after = {.place = {.file = 2, .line = 11, .offset = uint64_t{1} << 40},
                 .next = (shard + 1) * 10u,
                 .rejected = 3,
                 .blank = 4,
                 .ids_bytes = 5,
                 .rejects_bytes = 6};
  return entry;
}

class ManifestTest : public testing::Test {
 protected:
  Manifest Open() { return Manifest::Open(*files_, path_).value(); }

  TempFolder folder_;
  std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
  std::string path_ = folder_.Path("manifest.jsonl");
};

TEST_F(ManifestTest, GivesBackWhatWasAppended) {
  {
    Manifest manifest = Open();
    ASSERT_TRUE(manifest.Append(EntryOf(0)).has_value());
    ASSERT_TRUE(manifest.Append(EntryOf(1)).has_value());
  }
  const Manifest manifest = Open();
  ASSERT_EQ(manifest.shards().size(), 2u);
  const ShardEntry& entry = manifest.shards()[1];
  EXPECT_EQ(entry.range.first, 10u);
  EXPECT_EQ(entry.plain_bytes, 5'000'000'000u);
  EXPECT_EQ(entry.checksum, "0123456789abcdef");
  EXPECT_EQ(entry.after.place.offset, uint64_t{1} << 40);
  EXPECT_EQ(manifest.position().next, 20u);
  EXPECT_EQ(manifest.position().blank, 4u);
  EXPECT_FALSE(manifest.end().has_value());
}

TEST_F(ManifestTest, CutsATornLastLineOffAtEveryByte) {
  {
    Manifest manifest = Open();
    ASSERT_TRUE(manifest.Append(EntryOf(0)).has_value());
    ASSERT_TRUE(manifest.Append(EntryOf(1)).has_value());
  }
  const std::string whole = TempFolder::Read(path_);
  const size_t first_line = whole.find('\n') + 1;
  for (size_t size = first_line; size < whole.size(); ++size) {
    (void)folder_.Write("manifest.jsonl", whole.substr(0, size));
    Manifest manifest = Open();
    EXPECT_EQ(manifest.shards().size(), 1u);
    ASSERT_TRUE(manifest.Append(EntryOf(1)).has_value());
    EXPECT_EQ(TempFolder::Read(path_), whole);
  }
}

TEST_F(ManifestTest, KnowsWhenTheCorpusEnded) {
  {
    Manifest manifest = Open();
    ASSERT_TRUE(manifest.Append(EntryOf(0)).has_value());
    ASSERT_TRUE(manifest.AppendEnd({.place = {}, .next = 10, .rejected = 9}).has_value());
  }
  const Manifest manifest = Open();
  ASSERT_TRUE(manifest.end().has_value());
  EXPECT_EQ(manifest.position().rejected, 9u);
}

TEST_F(ManifestTest, RefusesDamageInTheMiddle) {
  (void)folder_.Write("manifest.jsonl", "{\"shard\":0\n{\"end\":{}}\n");
  const auto manifest = Manifest::Open(*files_, path_);
  ASSERT_FALSE(manifest.has_value());
  EXPECT_EQ(manifest.error().code, ErrorCode::kIo);
}

TEST_F(ManifestTest, ReadingChangesNothing) {
  const std::string torn = "{\"torn";
  (void)folder_.Write("manifest.jsonl", torn);
  EXPECT_TRUE(Manifest::Read(*files_, path_).has_value());
  EXPECT_EQ(TempFolder::Read(path_), torn);
}

}  // namespace
}  // namespace sluice
