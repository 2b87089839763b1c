#include "io/file/atomic_file.h"

#include <cerrno>
#include <gtest/gtest.h>

#include "tests/support/faulty_file_system.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

class AtomicFileTest : public testing::Test {
 protected:
  TempFolder folder_;
  std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
};

TEST_F(AtomicFileTest, HasItsNameOnlyAfterCommit) {
  const std::string path = folder_.Write("x", "old");
  AtomicFile file = AtomicFile::Create(*files_, path).value();
  ASSERT_TRUE(file.Write("new ").has_value());
  ASSERT_TRUE(file.Write("text").has_value());
  EXPECT_EQ(file.size(), 8U);
  EXPECT_EQ(TempFolder::Read(path), "old");
  ASSERT_TRUE(file.Commit().has_value());
  EXPECT_EQ(TempFolder::Read(path), "new text");
  EXPECT_FALSE(files_->Exists(path + ".tmp"));
}

TEST_F(AtomicFileTest, WithoutCommitNothingHappened) {
  const std::string path = folder_.Write("x", "old");
  {
    AtomicFile file = AtomicFile::Create(*files_, path).value();
    ASSERT_TRUE(file.Write("new").has_value());
    EXPECT_TRUE(files_->Exists(path + ".tmp"));
  }
  EXPECT_EQ(TempFolder::Read(path), "old");
  EXPECT_FALSE(files_->Exists(path + ".tmp"));
}

TEST_F(AtomicFileTest, OfTwoWritersTheLaterOneHolds) {
  const std::string path = folder_.Write("x", "old");
  AtomicFile later = [&] {
    AtomicFile first = AtomicFile::Create(*files_, path).value();
    AtomicFile second = AtomicFile::Create(*files_, path).value();
    EXPECT_TRUE(first.Write("first").has_value());
    EXPECT_EQ(first.Commit().error().code, ErrorCode::kIo);
    EXPECT_EQ(TempFolder::Read(path), "old");
    return second;
  }();
  ASSERT_TRUE(later.Write("second").has_value());
  ASSERT_TRUE(later.Commit().has_value());
  EXPECT_EQ(TempFolder::Read(path), "second");
}

TEST_F(AtomicFileTest, AMovedFromFileRemovesNothing) {
  const std::string path = folder_.Path("x");
  AtomicFile first = AtomicFile::Create(*files_, path).value();
  {
    AtomicFile second = std::move(first);
    ASSERT_TRUE(second.Write("text").has_value());
    ASSERT_TRUE(second.Commit().has_value());
  }
  EXPECT_EQ(TempFolder::Read(path), "text");
}

TEST_F(AtomicFileTest, AFailedRenameLeavesNoTempFile) {
  const std::string path = folder_.Path("taken");
  const std::string inside = folder_.Write("taken/x", "");
  EXPECT_FALSE(WriteFileAtomically(*files_, path, "text").has_value());
  EXPECT_FALSE(files_->Exists(path + ".tmp"));
  EXPECT_TRUE(files_->Exists(inside));
}

TEST_F(AtomicFileTest, WhateverFailsTheOldFileStays) {
  const std::string path = folder_.Write("x", "old");
  for (const DiskCall call :
       {DiskCall::kOpen, DiskCall::kWrite, DiskCall::kSync, DiskCall::kRename}) {
    FaultyFileSystem disk(*files_, folder_.path());
    disk.Arm({.call = call, .error_number = EIO});
    EXPECT_FALSE(WriteFileAtomically(disk, path, "new").has_value());
    EXPECT_EQ(TempFolder::Read(path), "old");
    EXPECT_FALSE(files_->Exists(path + ".tmp"));
  }
}

TEST_F(AtomicFileTest, APowerCutLeavesTheOldFileOrTheNewOne) {
  for (const CutImage image : kCutImages) {
    for (uint64_t sync = 1; sync <= 3; ++sync) {
      FaultyFileSystem disk(*files_, folder_.path());
      ASSERT_TRUE(WriteFileAtomically(disk, folder_.Path("x"), "old text").has_value());
      disk.CutPowerAtSync(sync);
      const bool is_done = WriteFileAtomically(disk, folder_.Path("x"), "new text").has_value();
      EXPECT_EQ(is_done, sync == 3);
      disk.Restore(image, sync);
      const std::string found = TempFolder::Read(folder_.Path("x"));
      EXPECT_TRUE(found == "new text" || (found == "old text" && !is_done)) << found;
    }
  }
}

TEST_F(AtomicFileTest, AFileThatIsNotAsLongAsWhatWasWrittenGetsNoName) {
  const std::string path = folder_.Path("x");
  AtomicFile file = AtomicFile::Create(*files_, path).value();
  ASSERT_TRUE(file.Write("text").has_value());
  std::filesystem::resize_file(path + ".tmp", 3);
  EXPECT_FALSE(file.Commit().has_value());
  EXPECT_FALSE(files_->Exists(path));
}

TEST_F(AtomicFileTest, WritesWholeTexts) {
  ASSERT_TRUE(WriteFileAtomically(*files_, folder_.Path("x"), "text").has_value());
  EXPECT_EQ(TempFolder::Read(folder_.Path("x")), "text");
}

}  // namespace
}  // namespace sluice
