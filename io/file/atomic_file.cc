#include "io/file/atomic_file.h"

#include <fmt/format.h>
#include <utility>

namespace sluice {
namespace {

std::string TemporaryPath(const std::string& path) { return path + ".tmp"; }

}  // namespace

Result<AtomicFile> AtomicFile::Create(FileSystem& files, std::string path) {
  SLUICE_ASSIGN(std::unique_ptr<File> file, files.Open(TemporaryPath(path), OpenMode::kCreate));
  return AtomicFile(files, std::move(path), std::move(file));
}

Result<void> AtomicFile::Remove(FileSystem& files, const std::string& path) {
  SLUICE_TRY(files.Remove(TemporaryPath(path)));
  return files.Remove(path);
}

AtomicFile::AtomicFile(FileSystem& files, std::string path, std::unique_ptr<File> file)
    : files_(&files), path_(std::move(path)), file_(std::move(file)) {}

AtomicFile::~AtomicFile() {
  if (file_ != nullptr && file_->HasName().value_or(true)) {
    file_.reset();
    // Best effort: a temp file that stays behind is overwritten by the next try.
    std::ignore = files_->Remove(TemporaryPath(path_));
  }
}

Result<void> AtomicFile::Write(std::span<const std::byte> bytes) {
  SLUICE_TRY(file_->Write(bytes));
  size_ += bytes.size();
  return {};
}

Result<void> AtomicFile::WriteWhenLarge(std::string& text) {
  if (text.size() >= kGatheredBytes) {
    SLUICE_TRY(Write(text));
    text.clear();
  }
  return {};
}

Result<void> AtomicFile::Commit() {
  SLUICE_TRY(PublishFile(*files_, *file_, TemporaryPath(path_), path_, size_));
  // The temp name is gone: from here on the destructor has nothing to remove.
  file_.reset();
  return {};
}

Result<void> PublishFile(FileSystem& files, File& file, const std::string& from,
                         const std::string& to, uint64_t size) {
  SLUICE_TRY(file.Sync());
  SLUICE_ASSIGN(const uint64_t found, file.Size());
  if (found != size) {
    return Fail(ErrorCode::kIo, fmt::format("'{}' has {} bytes on disk, but {} were written to it",
                                            from, found, size));
  }
  // Whatever else bears the temp name now would get the final one, half written.
  SLUICE_ASSIGN(const bool has_name, file.HasName());
  if (!has_name) {
    return Fail(
        ErrorCode::kIo, fmt::format("'{}' was taken away while it was written", from),
        fmt::format("has another command written to '{}' meanwhile? Give each its own", to));
  }
  SLUICE_TRY(files.Rename(from, to));
  return files.SyncFolderOf(to);
}

Result<void> WriteFileAtomically(FileSystem& files, const std::string& path,
                                 std::string_view text) {
  SLUICE_ASSIGN(AtomicFile file, AtomicFile::Create(files, path));
  SLUICE_TRY(file.Write(text));
  return file.Commit();
}

}  // namespace sluice
