#include "io/file/atomic_file.h"

#include <gtest/gtest.h>

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

TEST_F(AtomicFileTest, WritesWholeTexts) {
  ASSERT_TRUE(WriteFileAtomically(*files_, folder_.Path("x"), "text").has_value());
  EXPECT_EQ(TempFolder::Read(folder_.Path("x")), "text");
}

}  // namespace
}  // namespace sluice
