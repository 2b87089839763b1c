#include "io/shard/shard_file.h"

#include <fmt/format.h>

#include "io/codec/zstd.h"

namespace sluice {
namespace {

constexpr std::string_view kZstdEnding = ".zst";

// A plain shard's name of a compressed one's, and the other way round.
std::string InOtherForm(std::string path) {
  if (path.ends_with(kZstdEnding)) {
    path.resize(path.size() - kZstdEnding.size());
    return path;
  }
  return path.append(kZstdEnding);
}

}  // namespace

std::string ShardFileName(uint32_t shard, bool compressed) {
  return fmt::format("{:05}.jsonl{}", shard, compressed ? kZstdEnding : "");
}

Result<ShardWriter> ShardWriter::Create(FileSystem& files, const std::string& path) {
  SLUICE_TRY(AtomicFile::Remove(files, InOtherForm(path)));
  SLUICE_ASSIGN(AtomicFile file, AtomicFile::Create(files, path));
  return ShardWriter(std::move(file));
}

Result<void> ShardWriter::Append(std::span<const std::byte> bytes) {
  checksum_.Add(bytes);
  return file_.Write(bytes);
}

Result<void> ShardWriter::Seal() { return file_.Commit(); }

Result<std::unique_ptr<ByteSource>> OpenShard(FileSystem& files, const std::string& path) {
  SLUICE_ASSIGN(auto file, files.Open(path, OpenMode::kRead));
  auto bytes = MakeFileSource(std::move(file));
  return path.ends_with(kZstdEnding) ? MakeZstdSource(std::move(bytes), path) : std::move(bytes);
}

}  // namespace sluice
