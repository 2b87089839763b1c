#include "engine/sealed_ids.h"

#include <fmt/format.h>

#include "io/corpus/content_read.h"

namespace sluice {

Result<void> ExpectSealedIds(FileSystem& files, const std::string& path, const Manifest& manifest) {
  uint64_t begin = 0;
  for (const ShardEntry& shard : manifest.shards()) {
    const auto checksum = ChecksumOfPart(files, path, begin, shard.after.ids_bytes);
    if (!checksum.has_value() && checksum.error().code != ErrorCode::kInput &&
        checksum.error().code != ErrorCode::kNotFound) {
      return std::unexpected(checksum.error());
    }
    if (!checksum.has_value() || *checksum != shard.ids_checksum) {
      return Fail(ErrorCode::kInput,
                  fmt::format("'{}' was changed: rows {} to {} are not as they were sealed", path,
                              shard.range.first, shard.after.next - 1),
                  "put the file back and go on, or start over with --fresh (jobs are paid again)");
    }
    begin = shard.after.ids_bytes;
  }
  return {};
}

}  // namespace sluice
