// RoundSink: stands before a shard's sink in a round that asks for some of its rows only. Rows that
// nobody asked for do not get through. Thread-safe as the sink behind it.
#pragma once

#include <atomic>
#include <vector>

#include "engine/merge.h"
#include "io/sink/sink.h"

namespace sluice {

struct RoundRows {
  OrdinalRange range;         // of the whole shard
  bool is_whole = true;       // all of the range
  std::vector<Ordinal> rows;  // else these, sorted

  [[nodiscard]] bool contains(Ordinal row) const;
  [[nodiscard]] uint64_t count() const { return is_whole ? range.count : rows.size(); }
  // The smallest range with all of them in it.
  [[nodiscard]] OrdinalRange span() const;
};

class RoundSink final : public ShardSink {
 public:
  // Both must outlive this sink.
  RoundSink(ShardSink& inner, const RoundRows& rows) : inner_(inner), rows_(rows) {}

  [[nodiscard]] Result<void> PutVector(Ordinal row, std::span<const float> vector) override;
  [[nodiscard]] Result<void> PutAnswer(Ordinal row, std::string_view answer) override;
  [[nodiscard]] Result<void> PutFailure(Ordinal row, std::string_view failure) override;
  [[nodiscard]] Result<void> Seal() override { return inner_.Seal(); }

  // What a merge over rows.span() came to, as far as rows of this round are concerned.
  [[nodiscard]] MergeOutcome Narrow(MergeOutcome outcome) const;

 private:
  void LeaveOut(Ordinal row, uint64_t value);

  ShardSink& inner_;
  const RoundRows& rows_;
  std::atomic<uint64_t> strangers_ = 0;
  std::atomic<uint64_t> strangers_digest_ = 0;  // as MergeOutcome::digest
};

}  // namespace sluice
