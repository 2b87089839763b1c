// AtomicFile: a file that bears its final name only when it is whole.
//
// Bytes go to "<path>.tmp" beside the final name; Commit() syncs, counts, renames and syncs the
// folder.
// Without Commit() the destructor removes the temp file and an older final file stays as it was.
// Of two that write to one path at a time the later one holds, and the other's Commit() is kIo.
// One thread at a time.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "io/base/error.h"
#include "io/file/file_system.h"

namespace sluice {

class AtomicFile {
 public:
  static constexpr size_t kGatheredBytes = size_t{1} << 20;

  [[nodiscard]] static Result<AtomicFile> Create(FileSystem& files, std::string path);
  // The file, and what a try that was killed has left of it.
  [[nodiscard]] static Result<void> Remove(FileSystem& files, const std::string& path);
  AtomicFile(AtomicFile&& other) noexcept = default;
  AtomicFile& operator=(AtomicFile&& other) = delete;
  ~AtomicFile();

  [[nodiscard]] Result<void> Write(std::span<const std::byte> bytes);
  [[nodiscard]] Result<void> Write(std::string_view text) { return Write(AsBytes(text)); }
  // Writes `text` and clears it when it has grown to kGatheredBytes: for text that is made a line
  // at a time. What is left of it at the end is the caller's to Write().
  [[nodiscard]] Result<void> WriteWhenLarge(std::string& text);
  [[nodiscard]] uint64_t size() const { return size_; }
  [[nodiscard]] Result<void> Commit();

 private:
  AtomicFile(FileSystem& files, std::string path, std::unique_ptr<File> file);

  FileSystem* files_;
  std::string path_;
  std::unique_ptr<File> file_;  // null once committed or moved from
  uint64_t size_ = 0;
};

// The last steps of every file that keeps its bytes: syncs `file`, which stands at `from`, sees
// that it has `size` bytes, and gives it its final name for good.
[[nodiscard]] Result<void> PublishFile(FileSystem& files, File& file, const std::string& from,
                                       const std::string& to, uint64_t size);

// The whole text under `path`, atomically.
[[nodiscard]] Result<void> WriteFileAtomically(FileSystem& files, const std::string& path,
                                               std::string_view text);

}  // namespace sluice
