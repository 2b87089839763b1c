#include "api/storage/object_file_system.h"

#include <gtest/gtest.h>

#include "io/corpus/corpus.h"
#include "tests/support/local_cloud.h"

namespace sluice {
namespace {

constexpr uint64_t kBlock = ObjectFileSystem::kBlockBytes;

struct CloudDisk {
  void Put(const std::string& object, const std::string& bytes) {
    const auto stored = cloud.storage().Upload({.bucket = kTestBucket, .object = object},
                                               SourceOfBytes(bytes), {.overwrite = true});
    ASSERT_TRUE(stored.has_value()) << stored.error().message;
  }
  static std::string Path(const std::string& object) {
    return std::string("gs://") + kTestBucket + '/' + object;
  }

  LocalCloud cloud;
  std::unique_ptr<FileSystem> local = MakePosixFileSystem();
  int opened = 0;
  ObjectFileSystem files{*local,
                         [this]() -> Result<StorageClient> {
                           ++opened;
                           return cloud.storage();
                         },
                         {}};
};

std::string Numbers(size_t size) {
  std::string text;
  for (size_t i = 0; text.size() < size; ++i) {
    text += std::to_string(i) + '\n';
  }
  text.resize(size);
  return text;
}

TEST(ObjectFileSystem, ReadsObjectsInBlocksFromAnywhere) {
  CloudDisk disk;
  const std::string content = Numbers(kBlock * 2 + 12'345);
  disk.Put("a.txt", content);
  EXPECT_EQ(ReadWholeFile(disk.files, CloudDisk::Path("a.txt"), UINT64_MAX).value(), content);
  const auto file = disk.files.Open(CloudDisk::Path("a.txt"), OpenMode::kRead).value();
  EXPECT_EQ(file->Size().value(), content.size());
  for (const uint64_t offset : {uint64_t{0}, kBlock - 3, kBlock * 2, kBlock, uint64_t{77}}) {
    std::string part(7, '\0');
    ASSERT_TRUE(ReadExactly(*file, offset, std::as_writable_bytes(std::span(part))).has_value());
    EXPECT_EQ(part, content.substr(offset, 7));
  }
  std::byte byte{};
  EXPECT_EQ(file->ReadAt(content.size(), {&byte, 1}).value(), 0U);
  EXPECT_EQ(disk.opened, 1);
}

TEST(ObjectFileSystem, KeepsToTheContentThatWasOpened) {
  CloudDisk disk;
  disk.Put("a.txt", Numbers(kBlock + 1));
  const auto file = disk.files.Open(CloudDisk::Path("a.txt"), OpenMode::kRead).value();
  const FileStat before = disk.files.Stat(CloudDisk::Path("a.txt")).value();
  std::byte byte{};
  EXPECT_EQ(file->ReadAt(0, {&byte, 1}).value(), 1U);
  disk.Put("a.txt", Numbers(kBlock + 1));
  EXPECT_EQ(file->ReadAt(kBlock, {&byte, 1}).error().code, ErrorCode::kInput);
  EXPECT_NE(disk.files.Stat(CloudDisk::Path("a.txt"))->inode, before.inode);
}

TEST(ObjectFileSystem, PrefixesAreFolders) {
  CloudDisk disk;
  for (const char* name : {"f/b.txt", "f/a.txt", "f/sub/c.txt", "f/", "g"}) {
    disk.Put(name, "x");
  }
  EXPECT_EQ(disk.files.List(CloudDisk::Path("f")).value(),
            (std::vector<std::string>{"a.txt", "b.txt", "sub"}));
  EXPECT_EQ(disk.files.List(std::string("gs://") + kTestBucket).value(),
            (std::vector<std::string>{"f", "g"}));
  EXPECT_TRUE(disk.files.Stat(CloudDisk::Path("f"))->is_folder);
  EXPECT_TRUE(disk.files.Stat(CloudDisk::Path("f/"))->is_folder);
  EXPECT_TRUE(disk.files.Stat(CloudDisk::Path("g"))->is_regular);
  EXPECT_EQ(disk.files.Stat(CloudDisk::Path("h")).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(disk.files.Exists(CloudDisk::Path("h")));
  const auto list = ListCorpusFiles(disk.files, {.inputs = {CloudDisk::Path("f")}}).value();
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[2].path, CloudDisk::Path("f/sub/c.txt"));
  EXPECT_EQ(list[2].name, "sub/c.txt");
}

// Names of objects are not paths: none may hide another.
TEST(ObjectFileSystem, AFolderHoldsEveryObjectBelowItWhateverItIsCalled) {
  CloudDisk disk;
  for (const char* name : {"f/a.txt", "f/a.txt/b.txt", "f//c.txt", "f/-.txt", "f/d/e\tf.txt",
                           "f/.hidden/g.txt", "f/x.sluice/h.txt", "f/skip/i.txt", "f2/j.txt"}) {
    disk.Put(name, "x");
  }
  disk.Put("f/empty/", "");
  const CorpusOptions options{.inputs = {CloudDisk::Path("f")}, .excludes = {"skip"}};
  const auto list = ListCorpusFiles(disk.files, options).value();
  std::vector<std::string> names;
  for (const CorpusFile& file : list) {
    EXPECT_EQ(file.path, CloudDisk::Path("f/") + file.name);
    EXPECT_EQ(file.size, 1U);
    names.push_back(file.name);
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{"/c.txt", "-.txt", "a.txt", "a.txt/b.txt", "d/e\tf.txt"}));
  disk.Put("f/full/", "text");
  EXPECT_EQ(ListCorpusFiles(disk.files, options).error().code, ErrorCode::kInput);
}

TEST(ObjectFileSystem, WritesNoObjectAndLeavesOtherPathsAlone) {
  CloudDisk disk;
  const std::string path = CloudDisk::Path("a");
  EXPECT_EQ(disk.files.Open(path, OpenMode::kCreate).error().code, ErrorCode::kUsage);
  EXPECT_EQ(disk.files.Remove(path).error().code, ErrorCode::kUsage);
  EXPECT_EQ(disk.files.Rename("/tmp/x", path).error().code, ErrorCode::kUsage);
  EXPECT_EQ(disk.files.MakeFolders(path).error().code, ErrorCode::kUsage);
  EXPECT_EQ(disk.files.SyncFolderOf(path).error().code, ErrorCode::kUsage);
  const TempFolder folder;
  ASSERT_TRUE(disk.files.Open(folder.Path("b"), OpenMode::kCreate)->get()->Write({}).has_value());
  EXPECT_TRUE(disk.files.Exists(folder.Path("b")));
  EXPECT_EQ(disk.files.List(folder.path()).value(), std::vector<std::string>{"b"});
  EXPECT_EQ(disk.opened, 0);
}

TEST(ObjectFileSystem, ASignInThatFailsIsNoMissingFile) {
  const auto local = MakePosixFileSystem();
  ObjectFileSystem files(
      *local,
      []() -> Result<StorageClient> { return Fail(ErrorCode::kAuth, "nobody is signed in"); }, {});
  EXPECT_TRUE(files.Exists("gs://bucket/a"));
  EXPECT_EQ(ListCorpusFiles(files, {.inputs = {"gs://bucket/a"}}).error().code, ErrorCode::kAuth);
}

}  // namespace
}  // namespace sluice
