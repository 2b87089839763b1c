#include "io/sink/row_store.h"

#include <utility>

#include "io/sink/row_buckets.h"
#include "io/sink/row_matrix.h"

namespace sluice {

std::unique_ptr<RowStore> MakeRowStore(FileSystem& files, File& file, RowStoreOptions options) {
  if (options.range.count <= options.matrix_bytes_max / (options.dimension * sizeof(float))) {
    return std::make_unique<RowMatrix>(file, std::move(options));
  }
  return std::make_unique<RowBuckets>(files, file, std::move(options));
}

}  // namespace sluice
