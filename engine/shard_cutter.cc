#include "engine/shard_cutter.h"

#include <cmath>

namespace sluice {

void ShardCutter::Cut(const PreparedBlock& block, std::vector<Segment>& segments) {
  segments.clear();
  for (size_t i = 0; i < block.records.size(); ++i) {
    const size_t begin = block.records[i].line_begin;
    const size_t end =
        i + 1 < block.records.size() ? block.records[i + 1].line_begin : block.lines.size();
    const Load more{
        .rows = 1, .bytes = end - begin, .tokens = EstimateTokens(block.records[i].text_bytes)};
    const Load sum{.rows = load_.rows + more.rows,
                   .bytes = load_.bytes + more.bytes,
                   .tokens = load_.tokens + more.tokens};
    const bool cut = open_ && !Fits(sum);
    load_ = cut || !open_ ? more : sum;
    if (segments.empty() || cut) {
      segments.push_back({.first_record = i, .record_count = 0, .opens_shard = cut || !open_});
    }
    open_ = true;
    ++segments.back().record_count;
  }
}

uint64_t ShardCutter::EstimateTokens(uint64_t text_bytes) const {
  return static_cast<uint64_t>(
      std::ceil(static_cast<double>(text_bytes) / limits_.bytes_per_token));
}

bool ShardCutter::Fits(const Load& load) const {
  return load.rows <= limits_.rows_max && load.bytes <= limits_.bytes_max &&
         (limits_.tokens_max == 0 || load.tokens <= limits_.tokens_max) &&
         load.rows * answer_bytes_ <= limits_.answer_bytes_max;
}

}  // namespace sluice
