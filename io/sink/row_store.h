// RowStore: brings the rows of a range, in whatever order they come, to their places in a file. Two
// ways: a range that is small enough is held as it will stand in the file (row_matrix.h); of a
// larger one a part is held, and the rest waits in a spool file (row_buckets.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "io/base/error.h"
#include "io/file/file_system.h"
#include "io/record/ordinal.h"

namespace sluice {

struct RowStoreOptions {
  OrdinalRange range;
  size_t dimension = 0;
  uint64_t first_byte = 0;                 // in the file, of row 0 (not of the range's first row)
  std::string spool_path;                  // made when it is needed
  size_t budget_bytes = size_t{16} << 20;  // of rows held in memory
  size_t bucket_bytes_max = size_t{4} << 20;  // of one bucket's place in the file
  size_t threads = 2;                         // that put spooled buckets together in Finish()
  // A range of at most so many bytes is held as a whole and needs no spool.
  size_t matrix_bytes_max = size_t{32} << 20;
};

class RowStore {
 public:
  virtual ~RowStore() = default;
  // Takes a copy of `vector`. Each row once; any number of threads. Errors: kIo.
  [[nodiscard]] virtual Result<void> Put(Ordinal row, std::span<const float> vector) = 0;
  // Every row of the range is in the file when it returns; not synced. Called once, after all Puts.
  [[nodiscard]] virtual Result<void> Finish() = 0;
};

// `file` and `files` must outlive the store.
[[nodiscard]] std::unique_ptr<RowStore> MakeRowStore(FileSystem& files, File& file,
                                                     RowStoreOptions options);

}  // namespace sluice
