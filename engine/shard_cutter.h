// ShardCutter: decides, in corpus order, which documents share a shard. Pure arithmetic; exact to
// the line whatever the blocks look like, so a resumed pack cuts where an undisturbed one would.
// One thread at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/pack.h"
#include "engine/prepare.h"

namespace sluice {

// Consecutive records of one block that go into one shard.
struct Segment {
  size_t first_record = 0;
  size_t record_count = 0;
  bool opens_shard = false;  // the shard before it, if any, is complete
};

class ShardCutter {
 public:
  ShardCutter(const ShardLimits& limits, uint64_t answer_bytes)
      : limits_(limits), answer_bytes_(answer_bytes) {}

  // Appends the segments of `block` to `segments`, which is cleared first.
  void Cut(const PreparedBlock& block, std::vector<Segment>& segments);

 private:
  struct Load {
    uint64_t rows = 0;
    uint64_t bytes = 0;
    uint64_t tokens = 0;
  };
  [[nodiscard]] uint64_t EstimateTokens(uint64_t text_bytes) const;
  [[nodiscard]] bool Fits(const Load& load) const;

  ShardLimits limits_;
  uint64_t answer_bytes_;
  Load load_;
  bool open_ = false;
};

}  // namespace sluice
