// VerifyShards: the shards' files, one after the other as the rows come, beside the requests that
// should stand in them. Findings go where those of all checks go. One thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "engine/verify_findings.h"
#include "engine/verify_input.h"
#include "engine/verify_lines.h"
#include "io/json/record_scanner.h"
#include "io/record/ordinal.h"
#include "io/shard/manifest.h"

namespace sluice {

class VerifyShards {
 public:
  // Both must outlive this object.
  VerifyShards(const VerifyInput& input, Findings& findings);

  // The request of `row` has to be `line` (with its LF), which counts `text_bytes` as tokens. Rows
  // come in order.
  void Expect(Ordinal row, std::string_view line, uint64_t text_bytes);
  // Without the corpus: `row` is there, under its key and as a JSON object.
  void ExpectKey(Ordinal row);
  // No more rows come: what is left of the shards is looked at by itself.
  void Finish();

 private:
  // Makes the shard that holds `row` the current one. False when its lines cannot be looked at.
  bool Reach(Ordinal row);
  void Open(const ShardEntry& shard);
  void CheckFile(const ShardEntry& shard, const std::string& path);
  void EndShard();
  void CheckSums();

  [[nodiscard]] std::string Name() const;  // of the current shard's file, for people
  [[nodiscard]] std::string KeyOf(std::string_view line);
  [[nodiscard]] std::string Difference(Ordinal row, std::string_view found);

  const VerifyInput& input_;
  Findings& findings_;
  std::set<uint32_t> merged_;  // shards whose rows are in the output: their files may be gone
  size_t next_ = 0;            // in the manifest
  const ShardEntry* shard_ = nullptr;
  std::optional<CheckedLines> lines_;  // of shard_
  uint64_t text_bytes_ = 0, plain_bytes_ = 0;
  uint64_t absent_ = 0;
  RecordScanner scanner_{{"key"}};
  std::string padded_;
};

}  // namespace sluice
