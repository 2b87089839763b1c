// RemoteFile: a file as the Files API reports it. Plain data; fields that the service left out are
// empty.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/error.h"

namespace sluice {

enum class FileState { kUnspecified, kProcessing, kActive, kFailed };

struct RemoteFile {
  std::string name;  // "files/..."
  std::string display_name;
  std::string mime_type;
  std::optional<uint64_t> size_bytes;
  std::string sha256_hash;                                // as sent; compare with IsSameSha256()
  std::string create_time, update_time, expiration_time;  // RFC 3339 as sent
  std::string uri;
  std::string source;  // "UPLOADED", "GENERATED"
  FileState state = FileState::kUnspecified;
  std::string raw_state;
  std::string error_message;  // when it failed
};

struct FilePage {
  std::vector<RemoteFile> files;
  std::string next_page_token;  // empty at the end

  [[nodiscard]] bool has_more_pages() const { return !next_page_token.empty(); }
};

// Read `{"file": {...}}` or a bare file. Errors: kBadAnswer without a well-formed name.
[[nodiscard]] Result<RemoteFile> ParseRemoteFile(std::string_view json);
[[nodiscard]] Result<FilePage> ParseFilePage(std::string_view json);

}  // namespace sluice
