// Files: the Files API of the Gemini Developer API, call by call. Thread-safe.
//
// All calls are repeated by themselves as api/http/retry.h says, and end with kUnfinished soon
// after `stop` is requested. Errors of all: as Batches. Source: ai.google.dev/api/files, discovery
// document of v1beta (2026), recordings of 2026-08.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "api/files/remote_file.h"
#include "api/files/stage_source.h"
#include "api/http/google_service.h"
#include "api/http/paged_list.h"
#include "io/base/error.h"

namespace sluice {

struct UploadOptions {
  std::string file_id = {};       // a-z, 0-9, dash, at most 40; empty: the service makes one up
  std::string display_name = {};  // empty: none
  ByteProgress progress = {};     // called with the bytes handed to the network; may step back
  // Where to keep the upload while it runs, so that the same call in another process goes on with
  // it: a path, written with mode 0600, removed when the upload has ended for good. It holds the
  // upload's address, which is a secret. Another content, name or key begins anew. Empty: none.
  // Uploads that run at once need files of their own.
  std::string state_file = {};
};

// Far above the 2 GB that a file may have (ai.google.dev/gemini-api/docs/files, 2026-11).
inline constexpr uint64_t kDownloadBytesMax = uint64_t{64} << 30;

struct UploadedFile {
  RemoteFile file = {};
  std::string sha256 = {};  // hex of the bytes that were sent
};

struct ListFilesOptions {
  int page_size = 100;  // the service's maximum (discovery document, 2026)
  std::string page_token = {};
};

class UploadSessionFile;

class Files {
 public:
  // Tried in this order when the service calls one "Unsupported MIME type", which it says only
  // after all bytes were sent: what was accepted once is what later uploads begin with. `jsonl`
  // alone was refused in October 2025 (googleapis/python-genai issues 1547, 1590).
  [[nodiscard]] static std::vector<std::string> DefaultMimeTypes() {
    return {"application/jsonl", "application/json", "text/plain"};
  }

  // `service` must outlive this object; `mime_types` must not be empty.
  explicit Files(const GoogleService& service,
                 std::vector<std::string> mime_types = DefaultMimeTypes())
      : service_(service), mime_types_(std::move(mime_types)) {}

  // Sends `source` through a resumable session and compares name, size and SHA-256 with what the
  // service says it stored; a file that differs is deleted and kBadAnswer. When the name is taken
  // by a file with the same content, that file is the result; kConflict when it is another.
  // The result may still be PROCESSING. Also kInput for an empty source, kIo.
  [[nodiscard]] Result<UploadedFile> Upload(const StageSource& source,
                                            const UploadOptions& options = {},
                                            std::stop_token stop = {});
  // The same of a file; see SourceOfFile().
  [[nodiscard]] Result<UploadedFile> UploadFile(const std::string& path,
                                                const UploadOptions& options = {},
                                                std::stop_token stop = {});
  // The same of bytes in memory.
  [[nodiscard]] Result<UploadedFile> UploadBytes(std::string bytes,
                                                 const UploadOptions& options = {},
                                                 std::stop_token stop = {});

  // Also kNotFound.
  [[nodiscard]] Result<RemoteFile> Get(const std::string& name, std::stop_token stop = {}) const;

  [[nodiscard]] Result<FilePage> List(const ListFilesOptions& options = {},
                                      std::stop_token stop = {}) const;

  // All files from the page that `options` names on, fetched as they are taken. The list must not
  // outlive the GoogleService.
  [[nodiscard]] PagedList<RemoteFile> ListAll(const ListFilesOptions& options = {},
                                              std::stop_token stop = {}) const;

  // Also kNotFound. Result files ("files/batch-...") cannot be deleted: their ids are longer than
  // the 40 characters that the service lets through (googleapis/python-genai issue 1613).
  [[nodiscard]] Result<void> Delete(const std::string& name, std::stop_token stop = {}) const;

  // Polls while the file is PROCESSING. Errors: also kRemoteFailed, and kUnavailable after 10 min.
  [[nodiscard]] Result<RemoteFile> WaitActive(const std::string& name,
                                              const std::stop_token& stop = {}) const;

  // Gives the bytes of a generated file to `writer` and returns their count. A broken transfer goes
  // on by range when the service lets it; otherwise `restart` is called and it begins from zero. A
  // body that was cut politely and had no length cannot be told from a whole one: count its rows.
  [[nodiscard]] Result<uint64_t> Download(const std::string& name, uint64_t bytes_max,
                                          const BodyWriter& writer,
                                          const std::function<Result<void>()>& restart,
                                          std::stop_token stop = {}) const;
  // The same into a file, which bears its name only when it is whole; an older one is replaced.
  // Also kIo; kUsage when there is no folder for it.
  [[nodiscard]] Result<uint64_t> DownloadFile(const std::string& name, const std::string& path,
                                              std::stop_token stop = {},
                                              uint64_t bytes_max = kDownloadBytesMax) const;

 private:
  Result<UploadedFile> UploadAs(const std::string& mime_type, const StageSource& source,
                                const UploadOptions& options, const UploadSessionFile& session_file,
                                const std::stop_token& stop);
  Result<UploadedFile> UploadAsAnyType(const StageSource& source, const UploadOptions& options,
                                       const UploadSessionFile& session_file,
                                       const std::stop_token& stop);
  Result<UploadedFile> Adopt(const StageSource& source, const UploadOptions& options,
                             std::stop_token stop) const;

  const GoogleService& service_;
  const std::vector<std::string> mime_types_;
  std::atomic<size_t> accepted_mime_type_ = 0;
};

// kBadAnswer when the file's size or hash, as far as the service told them, is not the given one.
[[nodiscard]] Result<void> CheckStored(const RemoteFile& file, uint64_t size,
                                       std::string_view sha256);

}  // namespace sluice
