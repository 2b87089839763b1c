// Uploads: resumable uploads on their way to become files, or objects of Cloud Storage. The bytes
// kept so far are the size of the upload's data file, so a kill -9 loses none that were answered
// for. Thread-safe; one request at a time works on an Upload, holding its mutex.
//
//   <id>.json   what was said at the start, the state      <id>.data   the bytes so far
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "io/file/file_system.h"

namespace sluice {

enum class UploadState { kActive, kFinal, kCancelled };

struct Upload {
  std::string id;
  std::string file_id;  // of the file that it becomes
  std::string display_name;
  std::string mime_type;
  bool registered = false;  // see StoredFile; such an upload is never half done
  std::string about;        // JSON of what an object's upload said at its start
  std::optional<uint64_t> declared_size;
  std::atomic<UploadState> state = UploadState::kActive;
  uint64_t received = 0;
  std::mutex mutex;
};

class Uploads {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Uploads>> Open(FileSystem& files, std::string folder);
  Uploads(FileSystem& files, std::string folder) : files_(files), folder_(std::move(folder)) {}

  // Takes a new upload in; `upload` needs no id yet.
  [[nodiscard]] Result<std::shared_ptr<Upload>> Start(std::shared_ptr<Upload> upload);
  // Null when unknown.
  [[nodiscard]] std::shared_ptr<Upload> Find(const std::string& id);
  // Uploads that became files right before a kill, so that it was not written down: found by their
  // bytes, which are gone, while `has_file` knows the file.
  [[nodiscard]] Result<void> Settle(
      const std::function<bool(const std::string& file_id)>& has_file);
  void Forget(const std::string& id);

  // Writes down a change of state.
  [[nodiscard]] Result<void> Save(const Upload& upload);
  [[nodiscard]] Result<void> Append(Upload& upload, File& file, std::span<const std::byte> bytes);
  [[nodiscard]] Result<std::unique_ptr<File>> OpenData(const Upload& upload);
  [[nodiscard]] Result<void> Truncate(Upload& upload, uint64_t size);
  [[nodiscard]] std::string DataPath(const Upload& upload) const;

 private:
  [[nodiscard]] Result<void> Load();
  [[nodiscard]] std::string DocumentPath(const std::string& id) const;

  FileSystem& files_;
  const std::string folder_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Upload>> uploads_;
};

}  // namespace sluice
