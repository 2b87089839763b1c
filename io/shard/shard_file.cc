#include "io/shard/shard_file.h"

#include <fmt/format.h>

#include "io/codec/zstd.h"

namespace sluice {

std::string ShardFileName(uint32_t shard) { return fmt::format("{:05}.jsonl.zst", shard); }

Result<ShardWriter> ShardWriter::Create(FileSystem& files, const std::string& path) {
  SLUICE_ASSIGN(AtomicFile file, AtomicFile::Create(files, path));
  return ShardWriter(std::move(file));
}

Result<void> ShardWriter::AppendFrame(std::span<const std::byte> frame) {
  checksum_.Add(frame);
  return file_.Write(frame);
}

Result<void> ShardWriter::Seal() { return file_.Commit(); }

Result<std::unique_ptr<ByteSource>> OpenShard(FileSystem& files, const std::string& path) {
  SLUICE_ASSIGN(auto file, files.Open(path, OpenMode::kRead));
  return MakeZstdSource(MakeFileSource(std::move(file)), path);
}

}  // namespace sluice
