// ContentLog: what a run read of its corpus, as checksums (content.jsonl, docs/formats.md). It is
// there so that a corpus whose time stamps moved can be told from one that changed; a log that
// lacks something only makes a touched corpus count as changed. One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "io/base/error.h"
#include "io/corpus/content_read.h"
#include "io/file/file_system.h"

namespace sluice {

class ContentLog {
 public:
  // For appending; made if absent.
  [[nodiscard]] static Result<ContentLog> Open(FileSystem& files, const std::string& path);

  // Of one block after the other, in order.
  [[nodiscard]] Result<void> Note(std::span<const ContentRead> content);
  // What was noted is in the file, though not synced.
  [[nodiscard]] Result<void> Flush();

 private:
  explicit ContentLog(std::unique_ptr<File> file) : file_(std::move(file)) {}
  void Append(const ContentRead& read);

  std::unique_ptr<File> file_;
  std::optional<ContentRead> last_;  // grows until another file, or another reading, follows
  std::string pending_;
};

// The longest readings of each of the files `wanted` from every place where a reading began, by
// place. A file that is not there holds none; lines that cannot be understood are left out.
[[nodiscard]] Result<std::map<uint32_t, std::vector<ContentRead>>> ReadContentLog(
    FileSystem& files, const std::string& path, const std::set<uint32_t>& wanted);

}  // namespace sluice
