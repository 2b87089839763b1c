// FileStore: the files of the service, as bytes and a document each in a folder. Uploaded and
// generated files expire 48 hours after their creation. Survives kill -9. Thread-safe.
//
//   <id>.data   the bytes          <id>.json   the metadata, written before the bytes get their
//   name
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "io/base/clock.h"
#include "io/file/file_system.h"

namespace sluice {

struct StoredFile {
  std::string id;  // without "files/"
  std::string display_name = {};
  std::string mime_type = {};
  uint64_t size = 0;
  uint64_t line_count = 0;  // lines that are not blank
  int64_t create_ns = 0;    // of Unix time, different for every file
  int64_t expire_ns = 0;
  std::string sha256 = {};  // lower-case hex
  bool generated = false;
  bool registered = false;  // stands for an object elsewhere; has no bytes here
};

class FileStore {
 public:
  [[nodiscard]] static Result<std::unique_ptr<FileStore>> Open(FileSystem& files,
                                                               std::string folder, Clock& clock);
  FileStore(FileSystem& files, std::string folder, Clock& clock);

  // Nothing for a file that is not there or has expired.
  [[nodiscard]] std::optional<StoredFile> Find(const std::string& id);
  // Uploaded files that have not expired, newest first.
  [[nodiscard]] std::vector<StoredFile> List();
  // Bytes of all uploaded files.
  [[nodiscard]] uint64_t UploadedBytes();

  // Moves the bytes under `path` into the store as `file` (size, lines, hash and times are filled
  // in here). A file of that id is replaced.
  [[nodiscard]] Result<StoredFile> Adopt(StoredFile file, const std::string& path);
  // False when it was not there.
  [[nodiscard]] Result<bool> Remove(const std::string& id);

  [[nodiscard]] std::string DataPath(const std::string& id) const;

 private:
  [[nodiscard]] Result<void> Load();
  void RemoveExpired();
  [[nodiscard]] std::string DocumentPath(const std::string& id) const;

  FileSystem& files_;
  const std::string folder_;
  Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, StoredFile> stored_;
  int64_t last_create_ns_ = 0;
};

// The File resource as JSON, compact. `base_url` begins its uri.
[[nodiscard]] std::string FileText(const StoredFile& file, const std::string& base_url);

}  // namespace sluice
