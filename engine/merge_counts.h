// MergeCounts: what a shard's merges came to, as numbers, and as the ledger keeps them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace sluice {

struct MergeCounts {
  uint64_t ok = 0;
  uint64_t failed = 0;
  std::map<std::string, uint64_t> failed_by_class;
  uint64_t duplicates = 0, conflicts = 0, strangers = 0, malformed_lines = 0;
  std::optional<int64_t> prompt_tokens, output_tokens;
  uint64_t answer_bytes = 0;
  uint64_t answers_kept = 0;  // files, one a round that was answered
  uint64_t values = 0, general_values = 0, shortened = 0, truncated = 0;
  std::optional<uint64_t> first_conflict = {};  // as in MergeOutcome
  std::optional<uint64_t> digest = {};          // as in MergeOutcome; nothing in older ledgers
};

// Adds up what services tell of tokens; nothing when none told any.
void AddTokens(std::optional<int64_t>& sum, const std::optional<int64_t>& tokens);

// Keeps the smaller of two rows, where there are two.
void KeepFirst(std::optional<uint64_t>& first, const std::optional<uint64_t>& row);

// Of a run, from its shards'; without a digest, which is about one shard's rows.
[[nodiscard]] MergeCounts SumOfCounts(const std::map<uint32_t, MergeCounts>& shards);

// Of a shard after one more round: what failed is what is still without a value after it.
[[nodiscard]] MergeCounts JoinedCounts(MergeCounts before, const MergeCounts& round);

// A JSON object (docs/formats.md), and back: nothing when it holds what no sluice wrote.
[[nodiscard]] std::string FormatMergeCounts(const MergeCounts& counts);
[[nodiscard]] std::optional<MergeCounts> ParseMergeCounts(const std::string& text);

}  // namespace sluice
