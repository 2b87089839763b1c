// FileSystem and File: every byte that sluice keeps goes through these, so that a test can put a
// disk beneath it that fails, writes short or forgets what was not synced.
//
// Paths are plain UTF-8 strings. Files are created with mode 0600, folders with 0700, never with
// descriptor 0 to 2, and never through a planted link: kCreate removes it, the others refuse it.
// Errors, unless it is said otherwise: kNotFound when a name, or a folder on the way to it, is not
// there; kIo for all else that a disk can say. What is no disk has its own (object_file_system.h).
// FileSystem is thread-safe; a File is used by one thread at a time, except that ReadAt, WriteAt
// and Reserve may be called by several threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/error.h"

namespace sluice {

class File {
 public:
  virtual ~File() = default;
  // Bytes read, 0 at the end of the file. Retries EINTR; may return fewer than asked.
  [[nodiscard]] virtual Result<size_t> Read(std::span<std::byte> buffer) = 0;
  [[nodiscard]] virtual Result<size_t> ReadAt(uint64_t offset, std::span<std::byte> buffer) = 0;
  // All bytes or an Error (short writes are continued).
  [[nodiscard]] virtual Result<void> Write(std::span<const std::byte> bytes) = 0;
  [[nodiscard]] virtual Result<void> WriteAt(uint64_t offset, std::span<const std::byte> bytes) = 0;
  // fsync. After an error the file's content is not to be trusted: write it again from the source.
  [[nodiscard]] virtual Result<void> Sync() = 0;
  [[nodiscard]] virtual Result<void> Truncate(uint64_t size) = 0;
  [[nodiscard]] virtual Result<uint64_t> Size() = 0;
  // False when its last name was removed or given to another file.
  [[nodiscard]] virtual Result<bool> HasName() = 0;
  // A wish: that the disk finds room now for bytes that are written later, so that writing them is
  // quicker. Neither content nor size changes; whether there is room is told by the writing alone.
  virtual void Reserve([[maybe_unused]] uint64_t offset, [[maybe_unused]] uint64_t size) {}
};

struct FileStat {
  uint64_t size = 0;
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;  // of the last change of any kind: no program can set it
  uint64_t inode = 0;
  bool is_folder = false;
  bool is_regular = false;  // false for pipes and devices
  bool is_link = false;     // named through a symbolic link; all else is about its target
};

// A file somewhere below a folder.
struct FileBelow {
  std::string relative;  // its path from there on
  FileStat stat;
};

enum class OpenMode {
  kRead,    // must exist; symbolic links are followed (inputs belong to the user)
  kCreate,  // empty, to read and write: made anew, whatever bore the name before; temp, work files
  kReadWrite,  // must exist; position at 0
  kAppend,     // to read and write, made if absent; every Write goes to the end
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  [[nodiscard]] virtual Result<std::unique_ptr<File>> Open(const std::string& path,
                                                           OpenMode mode) = 0;
  [[nodiscard]] virtual Result<FileStat> Stat(const std::string& path) = 0;
  // What cannot be looked at is taken for absent: IsThere() where something would be lost by that.
  [[nodiscard]] virtual bool Exists(const std::string& path) = 0;
  [[nodiscard]] virtual Result<void> Rename(const std::string& from, const std::string& to) = 0;
  // Removing what is not there is not an error.
  [[nodiscard]] virtual Result<void> Remove(const std::string& path) = 0;
  [[nodiscard]] virtual Result<void> MakeFolders(const std::string& path) = 0;  // durably
  // fsync of the folder that holds `path`: makes a rename, and the name of a new file, durable.
  [[nodiscard]] virtual Result<void> SyncFolderOf(const std::string& path) = 0;
  // Names (not paths) in a folder, sorted bytewise, without "." and "..".
  [[nodiscard]] virtual Result<std::vector<std::string>> List(const std::string& path) = 0;
  // All files below a folder at once, in any order, where that is how they are stored and folders
  // are but a way to read their names; nothing where folders have to be listed one by one.
  [[nodiscard]] virtual Result<std::optional<std::vector<FileBelow>>> ListBelow(
      [[maybe_unused]] const std::string& path) {
    return std::nullopt;
  }
};

// The real disk.
[[nodiscard]] std::unique_ptr<FileSystem> MakePosixFileSystem();

// Whether something is at `path`. Errors: kIo when nobody can say.
[[nodiscard]] Result<bool> IsThere(FileSystem& files, const std::string& path);

[[nodiscard]] Result<std::string> ReadWholeFile(FileSystem& files, const std::string& path,
                                                uint64_t size_max);

// Fills `buffer` from `offset` on. Errors: kIo, also when the file ends before.
[[nodiscard]] Result<void> ReadExactly(File& file, uint64_t offset, std::span<std::byte> buffer);

[[nodiscard]] inline std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace sluice
