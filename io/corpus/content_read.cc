#include "io/corpus/content_read.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <vector>

#include "io/base/checksum.h"

namespace sluice {

Result<std::string> ChecksumOfPart(FileSystem& files, const std::string& path, uint64_t from,
                                   uint64_t to) {
  constexpr uint64_t kReadBytes = uint64_t{1} << 20;
  SLUICE_ASSIGN(const std::unique_ptr<File> file, files.Open(path, OpenMode::kRead));
  std::vector<std::byte> buffer(static_cast<size_t>(std::min(to - from, kReadBytes)));
  Checksum checksum;
  while (from < to) {
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(to - from, buffer.size()));
    SLUICE_ASSIGN(const size_t count, file->ReadAt(from, std::span(buffer).first(wanted)));
    if (count == 0) {
      return Fail(ErrorCode::kInput, fmt::format("'{}' ends at byte {} already", path, from));
    }
    checksum.Add(std::span(buffer).first(count));
    from += count;
  }
  return checksum.Hex();
}

}  // namespace sluice
