#include "io/sink/row_matrix.h"

#include <cstring>
#include <utility>

namespace sluice {

RowMatrix::RowMatrix(File& file, RowStoreOptions options)
    : file_(file),
      options_(std::move(options)),
      rows_(AlignedBuffer::ToBeFilled(options_.range.count * options_.dimension * sizeof(float))) {}

Result<void> RowMatrix::Put(Ordinal row, std::span<const float> vector) {
  SLUICE_CHECK(options_.range.contains(row), "a row outside its shard");
  SLUICE_CHECK(vector.size() == options_.dimension, "a row of the wrong length");
  std::memcpy(rows_.data() + (row - options_.range.first) * vector.size_bytes(), vector.data(),
              vector.size_bytes());
  row_count_.fetch_add(1, std::memory_order_relaxed);
  return {};
}

Result<void> RowMatrix::Finish() {
  SLUICE_CHECK(row_count_ == options_.range.count, "a shard is sealed that lacks rows");
  const size_t row_bytes = options_.dimension * sizeof(float);
  return file_.WriteAt(options_.first_byte + options_.range.first * row_bytes,
                       rows_.span().first(options_.range.count * row_bytes));
}

}  // namespace sluice
