#include "io/shard/manifest.h"

#include <cerrno>
#include <gtest/gtest.h>

#include "io/shard/shard_file.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

ShardEntry EntryOf(uint32_t shard) {
  ShardEntry entry;
  entry.shard = shard;
  entry.range = {.first = shard * 10u, .count = 10};
  entry.file = ShardFileName(shard, true);
  entry.plain_bytes = 5'000'000'000;
  entry.compressed_bytes = 77;
  entry.checksum = "0123456789abcdef";
  entry.ids_checksum = "fedcba9876543210";
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
  EXPECT_EQ(entry.ids_checksum, "fedcba9876543210");
  EXPECT_EQ(entry.after.place.offset, uint64_t{1} << 40);
  EXPECT_EQ(manifest.position().next, 20u);
  EXPECT_EQ(manifest.position().blank, 4u);
  EXPECT_FALSE(manifest.end().has_value());
}

TEST_F(ManifestTest, CutsALastLineOffThatLostASector) {
  {
    Manifest manifest = Open();
    ASSERT_TRUE(manifest.Append(EntryOf(0)).has_value());
    ASSERT_TRUE(manifest.Append(EntryOf(1)).has_value());
    ASSERT_TRUE(manifest.Append(EntryOf(2)).has_value());
  }
  const std::string whole = TempFolder::Read(path_);
  const size_t second = whole.find('\n') + 1;
  const size_t third = whole.find('\n', second) + 1;
  std::string lost = whole;
  lost.replace(third, 10, 10, '\0');
  path_ = folder_.Write("manifest.jsonl", lost);
  EXPECT_EQ(Open().shards().size(), 2u);
  EXPECT_EQ(TempFolder::Read(path_), whole.substr(0, third));
  lost.replace(second, 10, 10, '\0');  // was on stable storage before the third was begun
  path_ = folder_.Write("manifest.jsonl", lost);
  EXPECT_FALSE(Manifest::Open(*files_, path_).has_value());
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
  EXPECT_EQ(manifest.error().code, ErrorCode::kInput) << "another try does not help";
}

TEST_F(ManifestTest, RefusesShardsThatDoNotFollowEachOther) {
  {
    Manifest manifest = Open();
    ASSERT_TRUE(manifest.Append(EntryOf(0)).has_value());
    ASSERT_TRUE(manifest.AppendEnd({.place = {}, .next = 10}).has_value());
  }
  const std::string whole = TempFolder::Read(path_);
  const std::string shard = whole.substr(0, whole.find('\n') + 1);
  const std::string end = whole.substr(shard.size());
  EXPECT_TRUE(Manifest::Read(*files_, path_).has_value());
  for (const std::string& text : {shard + shard, end, end + shard, shard + end + end}) {
    (void)folder_.Write("manifest.jsonl", text);
    EXPECT_FALSE(Manifest::Read(*files_, path_).has_value()) << text;
  }
}

TEST_F(ManifestTest, ALineThatCouldNotBeSyncedIsTakenBack) {
  FaultyFileSystem disk(*files_, folder_.path());
  {
    Manifest manifest = Manifest::Open(disk, path_).value();
    ASSERT_TRUE(manifest.Append(EntryOf(0)).has_value());
    disk.Arm({.call = DiskCall::kSync, .error_number = EIO});
    EXPECT_FALSE(manifest.Append(EntryOf(1)).has_value());
  }
  disk.Disarm();
  Manifest manifest = Manifest::Open(disk, path_).value();
  EXPECT_EQ(manifest.shards().size(), 1U);
  ASSERT_TRUE(manifest.Append(EntryOf(1)).has_value());
  disk.Restore(CutImage::kSyncedOnly, 0);
  EXPECT_EQ(Open().shards().size(), 2U);
}

TEST_F(ManifestTest, ReadingChangesNothing) {
  const std::string torn = "{\"torn";
  (void)folder_.Write("manifest.jsonl", torn);
  EXPECT_TRUE(Manifest::Read(*files_, path_).has_value());
  EXPECT_EQ(TempFolder::Read(path_), torn);
}

}  // namespace
}  // namespace sluice
