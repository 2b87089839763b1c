#include "engine/round_sink.h"

#include <algorithm>

#include "io/base/checksum.h"

namespace sluice {

bool RoundRows::contains(Ordinal row) const {
  return is_whole ? range.contains(row) : std::ranges::binary_search(rows, row);
}

OrdinalRange RoundRows::span() const {
  if (is_whole || rows.empty()) {
    return range;
  }
  return {.first = rows.front(), .count = rows.back() - rows.front() + 1};
}

Result<void> RoundSink::PutVector(Ordinal row, std::span<const float> vector) {
  if (!rows_.contains(row)) {
    LeaveOut(row, ChecksumOf(std::as_bytes(vector)));
    return {};
  }
  return inner_.PutVector(row, vector);
}

Result<void> RoundSink::PutAnswer(Ordinal row, std::string_view answer) {
  if (!rows_.contains(row)) {
    LeaveOut(row, ChecksumOf(AsBytes(answer)));
    return {};
  }
  return inner_.PutAnswer(row, answer);
}

void RoundSink::LeaveOut(Ordinal row, uint64_t value) {
  ++strangers_;
  strangers_digest_ += RowDigest(row, value);
}

Result<void> RoundSink::PutFailure(Ordinal row, std::string_view failure) {
  return rows_.contains(row) ? inner_.PutFailure(row, failure) : Result<void>{};
}

MergeOutcome RoundSink::Narrow(MergeOutcome outcome) const {
  std::erase_if(outcome.failed, [this](const FailedRow& row) { return !rows_.contains(row.row); });
  outcome.missing =
      static_cast<uint64_t>(std::ranges::count_if(outcome.failed, &FailedRow::is_missing));
  outcome.strangers += strangers_;
  outcome.digest -= strangers_digest_;
  outcome.ok = rows_.count() - outcome.failed.size();
  return outcome;
}

}  // namespace sluice
