// Manifest: the sealed shards of a run, one JSON line each, in order; the format is in
// docs/formats.md. A shard is real only when its line is whole and on stable storage: a line is
// appended after the shard's file was synced and renamed, and a torn last line (a crash in the
// middle of the append) is cut off when the manifest is opened again. A power cut may also leave
// the end of such a line without its beginning, where NULs stand then. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/base/error.h"
#include "io/corpus/corpus.h"
#include "io/file/file_system.h"
#include "io/record/ordinal.h"

namespace sluice {

// How far pack had come when a shard was sealed: what a resumed pack goes on from. The lengths are
// those of the ids and rejects files, which are cut back to them.
struct PackPosition {
  CorpusPlace place;  // of the first unit that belongs to no sealed shard
  Ordinal next = 0;
  uint64_t rejected = 0;
  uint64_t blank = 0;
  uint64_t ids_bytes = 0;
  uint64_t rejects_bytes = 0;
};

struct ShardEntry {
  uint32_t shard = 0;
  OrdinalRange range;
  std::string file;  // name in the shards folder
  uint64_t plain_bytes = 0;
  uint64_t compressed_bytes = 0;
  std::string checksum;      // of the compressed file
  std::string ids_checksum;  // of the shard's lines in the ids file
  uint64_t tokens = 0;       // estimated
  PackPosition after;
};

class Manifest {
 public:
  // Reads what is there (nothing is an empty manifest) and cuts a torn last line off.
  // Errors: kIo; kInput for a line in the middle that cannot be understood.
  [[nodiscard]] static Result<Manifest> Open(FileSystem& files, const std::string& path);
  // Reads without changing anything.
  [[nodiscard]] static Result<Manifest> Read(FileSystem& files, const std::string& path);

  [[nodiscard]] const std::vector<ShardEntry>& shards() const { return shards_; }
  // Set once the corpus has been read to its end.
  [[nodiscard]] const std::optional<PackPosition>& end() const { return end_; }
  [[nodiscard]] PackPosition position() const;

  // Durable when it returns.
  [[nodiscard]] Result<void> Append(const ShardEntry& entry);
  [[nodiscard]] Result<void> AppendEnd(const PackPosition& position);

 private:
  Result<void> AppendLine(const std::string& line);

  std::vector<ShardEntry> shards_;
  std::optional<PackPosition> end_;
  std::unique_ptr<File> file_;
};

}  // namespace sluice
