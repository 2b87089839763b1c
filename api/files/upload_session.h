// UploadSession: an upload that has begun at the service, kept in a file so that another process
// can go on with it. One thread at a time.
//
// The file is JSON, for its owner only, written atomically. Its address works without a key and is
// as secret as one: it stands in this file and in requests to the service, and nowhere else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/base/error.h"
#include "io/file/file_system.h"

namespace sluice {

// What must be the same for an upload to be gone on with.
struct UploadIdentity {
  std::string account = {};  // AccountFingerprint() of the service
  std::string file_id = {};
  std::string display_name = {};
  std::string content = {};  // StageSource::identity
  uint64_t size = 0;

  [[nodiscard]] bool operator==(const UploadIdentity& other) const = default;
};

struct UploadSession {
  std::string url = {};
  std::string mime_type = {};
};

class UploadSessionFile {
 public:
  // With an empty path there is nothing to load, and nothing is kept.
  UploadSessionFile(std::string path, UploadIdentity identity);

  // The session of the same upload, or nothing: no file, or one that is about another upload or
  // cannot be understood.
  [[nodiscard]] std::optional<UploadSession> Load() const;
  // Errors: kIo.
  [[nodiscard]] Result<void> Save(const UploadSession& session) const;
  // Best effort: a session that is over is found out by asking the service.
  void Remove() const;

 private:
  const std::string path_;
  const UploadIdentity identity_;
  const std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
};

}  // namespace sluice
