#include "io/sink/row_matrix.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace sluice {
namespace {

constexpr size_t kPartBytes = size_t{1} << 20;

}  // namespace

RowMatrix::RowMatrix(File& file, RowStoreOptions options)
    : file_(file),
      options_(std::move(options)),
      row_bytes_(options_.dimension * sizeof(float)),
      part_rows_(std::max<size_t>(kPartBytes / row_bytes_, 1)),
      rows_(AlignedBuffer::ToBeFilled(options_.range.count * row_bytes_)),
      missing_((options_.range.count + part_rows_ - 1) / part_rows_) {
  for (size_t part = 0; part < missing_.size(); ++part) {
    missing_[part] = RowsOf(part).count;
  }
}

// Counted from the first of the range.
OrdinalRange RowMatrix::RowsOf(size_t part) const {
  const uint64_t first = part * part_rows_;
  return {.first = first, .count = std::min<uint64_t>(part_rows_, options_.range.count - first)};
}

Result<void> RowMatrix::Put(Ordinal row, std::span<const float> vector) {
  SLUICE_CHECK(options_.range.contains(row), "a row outside its shard");
  SLUICE_CHECK(vector.size() == options_.dimension, "a row of the wrong length");
  const uint64_t index = row - options_.range.first;
  std::memcpy(rows_.data() + index * row_bytes_, vector.data(), row_bytes_);
  ReserveNextPart();
  const size_t part = index / part_rows_;
  const bool is_last = missing_[part].fetch_sub(1, std::memory_order_acq_rel) == 1;
  return is_last ? Write(part) : Result<void>();
}

uint64_t RowMatrix::PlaceOf(const OrdinalRange& rows) const {
  return options_.first_byte + (options_.range.first + rows.first) * row_bytes_;
}

// While rows come in, one thread at a time finds the room that all parts need at the end, when
// nothing else is left to do and each write would keep the others waiting. Whoever finds that all
// is asked for keeps the flag.
void RowMatrix::ReserveNextPart() {
  if (is_reserving_.test_and_set(std::memory_order_acquire)) {
    return;
  }
  if (reserved_parts_ < missing_.size()) {
    const OrdinalRange rows = RowsOf(reserved_parts_++);
    file_.Reserve(PlaceOf(rows), rows.count * row_bytes_);
    is_reserving_.clear(std::memory_order_release);
  }
}

Result<void> RowMatrix::Write(size_t part) {
  const OrdinalRange rows = RowsOf(part);
  return file_.WriteAt(PlaceOf(rows),
                       rows_.span().subspan(rows.first * row_bytes_, rows.count * row_bytes_));
}

Result<void> RowMatrix::Finish() {
  SLUICE_CHECK(std::ranges::all_of(missing_, [](const auto& left) { return left == 0; }),
               "a shard is sealed that lacks rows");
  return {};
}

}  // namespace sluice
