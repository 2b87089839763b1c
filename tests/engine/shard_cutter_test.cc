#include "engine/shard_cutter.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

// A block of lines of the given lengths, each text as long as its line.
PreparedBlock BlockOf(const std::vector<size_t>& lengths) {
  PreparedBlock block;
  for (const size_t length : lengths) {
    block.records.push_back({.line_begin = block.lines.size(),
                             .text_bytes = length,
                             .place = {},
                             .blank_before = 0,
                             .id = {}});
    block.lines.append(length, 'x');
  }
  return block;
}

// Rows of each shard that comes out of blocks of `block_rows` lines of 10 bytes.
std::vector<size_t> ShardRows(const ShardLimits& limits, uint64_t answer_bytes, size_t rows,
                              size_t block_rows) {
  ShardCutter cutter(limits, answer_bytes);
  std::vector<size_t> shards;
  std::vector<Segment> segments;
  for (size_t done = 0; done < rows; done += block_rows) {
    cutter.Cut(BlockOf(std::vector<size_t>(std::min(block_rows, rows - done), 10)), segments);
    for (const Segment& segment : segments) {
      if (segment.opens_shard) {
        shards.push_back(0);
      }
      shards.back() += segment.record_count;
    }
  }
  return shards;
}

TEST(ShardCutter, CutsByRowsInTheMiddleOfABlock) {
  const ShardLimits limits{.rows_max = 4};
  EXPECT_EQ(ShardRows(limits, 1, 10, 7), (std::vector<size_t>{4, 4, 2}));
}

TEST(ShardCutter, CutsWhereTheSizeOfBlocksDoesNotMatter) {
  const ShardLimits limits{.rows_max = 1000, .bytes_max = 95};
  for (size_t block_rows = 1; block_rows <= 30; ++block_rows) {
    EXPECT_EQ(ShardRows(limits, 1, 30, block_rows), (std::vector<size_t>{9, 9, 9, 3}));
  }
}

TEST(ShardCutter, CutsByEstimatedTokens) {
  // 10 bytes at 4 bytes a token are 3 tokens, rounded up for each document.
  const ShardLimits limits{.tokens_max = 7};
  EXPECT_EQ(ShardRows(limits, 1, 5, 5), (std::vector<size_t>{2, 2, 1}));
}

TEST(ShardCutter, CutsByExpectedAnswerBytes) {
  const ShardLimits limits{.answer_bytes_max = 3000};
  EXPECT_EQ(ShardRows(limits, 1000, 7, 7), (std::vector<size_t>{3, 3, 1}));
}

TEST(ShardCutter, GivesADocumentThatIsTooLargeAShardOfItsOwn) {
  const ShardLimits limits{.bytes_max = 50};
  ShardCutter cutter(limits, 1);
  std::vector<Segment> segments;
  cutter.Cut(BlockOf({10, 200, 10}), segments);
  ASSERT_EQ(segments.size(), 3u);
  EXPECT_EQ(segments[1].first_record, 1u);
  EXPECT_EQ(segments[1].record_count, 1u);
}

}  // namespace
}  // namespace sluice
