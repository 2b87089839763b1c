// RowMatrix: a range of rows that fits into memory, held as it will stand in the file and written
// at once. No spool, no second copy.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "io/base/aligned_buffer.h"
#include "io/sink/row_store.h"

namespace sluice {

class RowMatrix final : public RowStore {
 public:
  // `file` must outlive the RowMatrix.
  RowMatrix(File& file, RowStoreOptions options);

  [[nodiscard]] Result<void> Put(Ordinal row, std::span<const float> vector) override;
  [[nodiscard]] Result<void> Finish() override;

 private:
  File& file_;
  RowStoreOptions options_;
  AlignedBuffer rows_;
  // Rows are written by Put() into places of their own; the count only says that all have come, and
  // Finish() is called when the threads that put them have been waited for.
  std::atomic<uint64_t> row_count_ = 0;
};

}  // namespace sluice
