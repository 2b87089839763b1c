// DroppingSink: takes the rows of a shard and keeps none, where they are only to be counted or
// timed.
#pragma once

#include "io/sink/sink.h"

namespace sluice {

class DroppingSink final : public ShardSink {
 public:
  [[nodiscard]] Result<void> PutVector(Ordinal, std::span<const float>) override { return {}; }
  [[nodiscard]] Result<void> PutAnswer(Ordinal, std::string_view) override { return {}; }
  [[nodiscard]] Result<void> PutFailure(Ordinal, std::string_view) override { return {}; }
  [[nodiscard]] Result<void> Seal() override { return {}; }
};

}  // namespace sluice
