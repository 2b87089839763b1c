// RowMatrix: a range of rows that fits into memory, held as it will stand in the file. Each part of
// it is written by the thread that puts its last row, so that no thread writes while others have
// nothing left to do. No spool, no second copy.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

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
  [[nodiscard]] OrdinalRange RowsOf(size_t part) const;
  [[nodiscard]] uint64_t PlaceOf(const OrdinalRange& rows) const;
  void ReserveNextPart();
  [[nodiscard]] Result<void> Write(size_t part);

  File& file_;
  RowStoreOptions options_;
  size_t row_bytes_;
  size_t part_rows_;
  AlignedBuffer rows_;
  // Of each part, the rows that have not come. Rows are put into places of their own; who takes the
  // last one sees what all others wrote.
  std::vector<std::atomic<uint64_t>> missing_;
  std::atomic_flag is_reserving_;
  size_t reserved_parts_ = 0;  // of who holds is_reserving_
};

}  // namespace sluice
