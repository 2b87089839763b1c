// ObjectFileSystem: a file system in which paths like gs://bucket/object are objects of Cloud
// Storage, to be read; all other paths are those of another file system. Prefixes that end at a
// slash are folders. Thread-safe as FileSystem is.
//
// An object is read in blocks of kBlockBytes and is never wholly here. What was opened stays the
// content that it was then; one that is replaced or removed meanwhile is kInput. Read from its
// start to its end, its CRC32C is checked. Its times and inode are those of its generation.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "api/storage/storage_client.h"
#include "io/file/file_system.h"

namespace sluice {

class ObjectFileSystem final : public FileSystem {
 public:
  static constexpr uint64_t kBlockBytes = uint64_t{8} << 20;

  // Called when the first object is looked at, and again after an Error.
  using OpenStorage = std::function<Result<StorageClient>()>;

  // `local`, and what the client stands on, must outlive this object.
  ObjectFileSystem(FileSystem& local, OpenStorage open_storage, std::stop_token stop)
      : local_(local), open_storage_(std::move(open_storage)), stop_(std::move(stop)) {}

  // Objects: kRead only. kUsage for what would change one.
  [[nodiscard]] Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  [[nodiscard]] Result<FileStat> Stat(const std::string& path) override;
  // Also true when that cannot be found out: Stat() says why.
  [[nodiscard]] bool Exists(const std::string& path) override;
  [[nodiscard]] Result<void> Rename(const std::string& from, const std::string& to) override;
  [[nodiscard]] Result<void> Remove(const std::string& path) override;
  [[nodiscard]] Result<void> MakeFolders(const std::string& path) override;
  [[nodiscard]] Result<void> SyncFolderOf(const std::string& path) override;
  [[nodiscard]] Result<std::vector<std::string>> List(const std::string& path) override;
  // An object may bear the name of a folder too, and a folder no name at all ("a//b").
  [[nodiscard]] Result<std::optional<std::vector<FileBelow>>> ListBelow(
      const std::string& path) override;

 private:
  Result<StorageClient> Storage();

  FileSystem& local_;
  const OpenStorage open_storage_;
  const std::stop_token stop_;
  std::mutex mutex_;
  std::optional<StorageClient> storage_;
};

}  // namespace sluice
