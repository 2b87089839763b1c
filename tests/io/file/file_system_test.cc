#include "io/file/file_system.h"

#include <csignal>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FileSystemTest : public testing::Test {
 protected:
  static mode_t ModeOf(const std::string& path) {
    struct stat status = {};
    EXPECT_EQ(stat(path.c_str(), &status), 0);
    return status.st_mode & 0777;
  }

  TempFolder folder_;
  std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
};

TEST_F(FileSystemTest, WritesAndReadsAtPlaces) {
  const std::string path = folder_.Path("x");
  const auto file = files_->Open(path, OpenMode::kCreate).value();
  ASSERT_TRUE(file->Write(AsBytes("0123456789")).has_value());
  ASSERT_TRUE(file->WriteAt(3, AsBytes("abc")).has_value());
  ASSERT_TRUE(file->Sync().has_value());
  EXPECT_EQ(file->Size().value(), 10U);
  std::string text(4, '\0');
  EXPECT_EQ(file->ReadAt(2, std::as_writable_bytes(std::span(text))).value(), 4U);
  EXPECT_EQ(text, "2abc");
  EXPECT_EQ(file->ReadAt(10, std::as_writable_bytes(std::span(text))).value(), 0U);
  ASSERT_TRUE(file->Truncate(5).has_value());
  EXPECT_EQ(ReadWholeFile(*files_, path, 100).value(), "012ab");
}

TEST_F(FileSystemTest, ReservedRoomIsNeitherContentNorSize) {
  const std::string path = folder_.Path("x");
  const auto file = files_->Open(path, OpenMode::kCreate).value();
  ASSERT_TRUE(file->WriteAt(0, AsBytes("abc")).has_value());
  file->Reserve(1, 1 << 20);
  EXPECT_EQ(file->Size().value(), 3U);
  ASSERT_TRUE(file->WriteAt(5, AsBytes("xyz")).has_value());
  EXPECT_EQ(ReadWholeFile(*files_, path, 100).value(), std::string("abc\0\0xyz", 8));
  // A wish that cannot be granted.
  files_->Open(path, OpenMode::kRead).value()->Reserve(8, 1);
  EXPECT_EQ(file->Size().value(), 8U);
}

TEST_F(FileSystemTest, ModesDoWhatTheySay) {
  const std::string path = folder_.Path("x");
  EXPECT_EQ(files_->Open(path, OpenMode::kRead).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files_->Open(path, OpenMode::kReadWrite).error().code, ErrorCode::kNotFound);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(files_->Open(path, OpenMode::kAppend).value()->Write(AsBytes("ab")).has_value());
  }
  EXPECT_EQ(TempFolder::Read(path), "abab");
  ASSERT_TRUE(files_->Open(path, OpenMode::kReadWrite).value()->Write(AsBytes("X")).has_value());
  EXPECT_EQ(TempFolder::Read(path), "Xbab");
  ASSERT_TRUE(files_->Open(path, OpenMode::kCreate).has_value());
  EXPECT_EQ(TempFolder::Read(path), "");
}

TEST_F(FileSystemTest, NewFilesAndFoldersAreForTheUserOnly) {
  const mode_t old = umask(0);
  ASSERT_TRUE(files_->MakeFolders(folder_.Path("a/b/c")).has_value());
  ASSERT_TRUE(files_->Open(folder_.Path("a/x"), OpenMode::kCreate).has_value());
  ASSERT_TRUE(files_->Open(folder_.Path("a/y"), OpenMode::kAppend).has_value());
  umask(old);
  EXPECT_EQ(ModeOf(folder_.Path("a")), 0700U);
  EXPECT_EQ(ModeOf(folder_.Path("a/b/c")), 0700U);
  EXPECT_EQ(ModeOf(folder_.Path("a/x")), 0600U);
  EXPECT_EQ(ModeOf(folder_.Path("a/y")), 0600U);
}

TEST_F(FileSystemTest, APlantedLinkIsNotWrittenThrough) {
  const std::string victim = folder_.Write("victim", "precious");
  const std::string link = folder_.Path("link");
  ASSERT_EQ(symlink(victim.c_str(), link.c_str()), 0);
  for (const OpenMode mode : {OpenMode::kAppend, OpenMode::kReadWrite}) {
    EXPECT_FALSE(files_->Open(link, mode).has_value());
  }
  EXPECT_EQ(ReadWholeFile(*files_, link, 100).value(), "precious");
  EXPECT_TRUE(files_->Stat(link)->is_link);
  EXPECT_TRUE(files_->Stat(link)->is_regular);
  ASSERT_TRUE(files_->Open(link, OpenMode::kCreate).value()->Write(AsBytes("new")).has_value());
  EXPECT_EQ(TempFolder::Read(victim), "precious");
  EXPECT_EQ(TempFolder::Read(link), "new");
  EXPECT_FALSE(files_->Stat(link)->is_link);
}

TEST_F(FileSystemTest, WhatIsMadeAnewTakesOtherNamesOfTheOldFileNothingAway) {
  const std::string victim = folder_.Write("victim", "precious");
  ASSERT_EQ(link(victim.c_str(), folder_.Path("x").c_str()), 0);
  ASSERT_TRUE(files_->Open(folder_.Path("x"), OpenMode::kCreate).has_value());
  EXPECT_EQ(TempFolder::Read(victim), "precious");
  ASSERT_EQ(mkfifo(folder_.Path("fifo").c_str(), 0600), 0);
  ASSERT_TRUE(files_->Open(folder_.Path("fifo"), OpenMode::kCreate).has_value());
  EXPECT_TRUE(files_->Stat(folder_.Path("fifo"))->is_regular);
  EXPECT_FALSE(files_->Open(folder_.path(), OpenMode::kCreate).has_value());
  ASSERT_TRUE(files_->Open("/dev/null", OpenMode::kCreate).has_value());
  EXPECT_FALSE(files_->Stat("/dev/null")->is_regular);
}

TEST_F(FileSystemTest, NeverTakesAStandardDescriptor) {
  const std::string path = folder_.Write("x", "text");
  EXPECT_EXIT(
      {
        close(STDIN_FILENO);
        const auto file = files_->Open(path, OpenMode::kRead);
        const bool is_free = fcntl(STDIN_FILENO, F_GETFD) == -1;
        _exit(file.has_value() && is_free ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

TEST_F(FileSystemTest, StatTellsKindsApart) {
  ASSERT_EQ(mkfifo(folder_.Path("fifo").c_str(), 0600), 0);
  const std::string path = folder_.Write("x", "four");
  EXPECT_EQ(files_->Stat(path)->size, 4U);
  EXPECT_GT(files_->Stat(path)->mtime_ns, 1'000'000'000'000'000'000);
  EXPECT_TRUE(files_->Stat(path)->is_regular);
  EXPECT_TRUE(files_->Stat(folder_.path())->is_folder);
  EXPECT_FALSE(files_->Stat(folder_.Path("fifo"))->is_regular);
  EXPECT_EQ(files_->Stat(folder_.Path("none")).error().code, ErrorCode::kNotFound);
  EXPECT_THAT(files_->Stat(folder_.Path("none")).error().message, HasSubstr("none"));
}

TEST_F(FileSystemTest, RenamesRemovesAndLists) {
  ASSERT_TRUE(files_->Rename(folder_.Write("b", "1"), folder_.Path("a")).has_value());
  const std::string extra = folder_.Write("B", "2");
  const std::string hidden = folder_.Write(".h", "3");
  EXPECT_THAT(files_->List(folder_.path()).value(), ElementsAre(".h", "B", "a"));
  ASSERT_TRUE(files_->Remove(extra).has_value());
  ASSERT_TRUE(files_->Remove(extra).has_value());
  ASSERT_TRUE(files_->SyncFolderOf(hidden).has_value());
  EXPECT_FALSE(files_->Exists(extra));
  EXPECT_TRUE(files_->Exists(hidden));
  EXPECT_FALSE(files_->List(folder_.Path("none")).has_value());
}

TEST_F(FileSystemTest, MakeFoldersRefusesAFileInTheWay) {
  const std::string file = folder_.Write("x", "");
  EXPECT_FALSE(files_->MakeFolders(file).has_value());
  EXPECT_FALSE(files_->MakeFolders(file + "/y").has_value());
  EXPECT_TRUE(files_->MakeFolders(folder_.path()).has_value());
}

TEST_F(FileSystemTest, ReadWholeFileKeepsToItsBound) {
  const std::string path = folder_.Write("x", "12345");
  EXPECT_EQ(ReadWholeFile(*files_, path, 5).value(), "12345");
  EXPECT_THAT(ReadWholeFile(*files_, path, 4).error().message, HasSubstr("larger than 4 bytes"));
  EXPECT_FALSE(ReadWholeFile(*files_, "/proc/self/maps", 10).has_value());
  EXPECT_THAT(ReadWholeFile(*files_, "/proc/self/maps", 1 << 20).value(), HasSubstr("[stack]"));
}

TEST_F(FileSystemTest, AFullDiskIsAnError) {
  const auto file = files_->Open("/dev/full", OpenMode::kReadWrite);
  ASSERT_TRUE(file.has_value());
  const Error error = (*file)->Write(AsBytes("x")).error();
  EXPECT_THAT(error.message, HasSubstr("/dev/full"));
  EXPECT_THAT(error.hint, HasSubstr("make room"));
}

TEST_F(FileSystemTest, AWriteThatIsCutShortIsContinuedOrAnError) {
  const std::string path = folder_.Path("x");
  EXPECT_EXIT(
      {
        std::signal(SIGXFSZ, SIG_IGN);
        rlimit limit = {};
        limit.rlim_cur = 100;
        limit.rlim_max = RLIM_INFINITY;
        setrlimit(RLIMIT_FSIZE, &limit);
        // The kernel takes 100 bytes of the 150 and refuses the rest.
        const auto file = files_->Open(path, OpenMode::kCreate);
        const auto written = (*file)->Write(AsBytes(std::string(150, 'x')));
        const bool said_so = !written.has_value() && !written.error().hint.empty();
        _exit(said_so && (*file)->Size() == 100U ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace sluice
