// Shard files: request lines, plain or as joined zstd frames, immutable once sealed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "io/base/checksum.h"
#include "io/base/error.h"
#include "io/codec/byte_source.h"
#include "io/file/atomic_file.h"
#include "io/file/file_system.h"

namespace sluice {

// "00007.jsonl.zst", or "00007.jsonl" for a plain one: the name tells what the file is.
[[nodiscard]] std::string ShardFileName(uint32_t shard, bool compressed);

// Writes one shard under a temp name; it gets its own name at Seal(), when it is complete and on
// stable storage. One thread at a time.
class ShardWriter {
 public:
  // The same shard in the other form goes: a killed pack may have left it that was told to pack
  // otherwise.
  [[nodiscard]] static Result<ShardWriter> Create(FileSystem& files, const std::string& path);

  // A whole frame, or plain lines.
  [[nodiscard]] Result<void> Append(std::span<const std::byte> bytes);
  [[nodiscard]] Result<void> Seal();
  [[nodiscard]] uint64_t size() const { return file_.size(); }
  [[nodiscard]] std::string checksum() const { return checksum_.Hex(); }

 private:
  explicit ShardWriter(AtomicFile file) : file_(std::move(file)) {}

  AtomicFile file_;
  Checksum checksum_;
};

// The plain request lines of a sealed shard.
[[nodiscard]] Result<std::unique_ptr<ByteSource>> OpenShard(FileSystem& files,
                                                            const std::string& path);

}  // namespace sluice
