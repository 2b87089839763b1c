// RowBuckets: brings rows that come in any order to their places in a file, in flat memory and in
// large writes.
//
// The range of rows is cut into buckets of a few MiB. Rows are gathered by bucket; a bucket that is
// complete is written to its place at once (so rows that come in order are written once). When the
// gathered rows pass the budget, the fullest bucket moves to a spool file, and is put together from
// there at the end. Writing each row where it belongs would cost three times as much: the kernel
// pays for every small write into a new page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "io/base/error.h"
#include "io/base/resource_pool.h"
#include "io/file/file_system.h"
#include "io/record/ordinal.h"
#include "io/sink/row_store.h"

namespace sluice {

class RowBuckets final : public RowStore {
 public:
  // `file` and `files` must outlive the RowBuckets.
  RowBuckets(FileSystem& files, File& file, RowStoreOptions options);

  [[nodiscard]] Result<void> Put(Ordinal row, std::span<const float> vector) override;
  [[nodiscard]] Result<void> Finish() override;

 private:
  // Rows in the order they came: where they belong, and their values back to back.
  struct Rows {
    std::vector<uint32_t> places;  // counted from the bucket's first row
    std::vector<float> values;
    void Clear();
  };
  struct Extent {
    uint64_t offset = 0;  // in the spool: the places, then the values
    size_t row_count = 0;
  };
  struct Bucket {
    Rows rows;
    size_t row_count = 0;  // gathered so far, here and in the spool
    bool is_spooled = false;
    std::vector<Extent> extents;
  };

  [[nodiscard]] size_t RowsOf(size_t bucket) const;
  void Append(Rows& rows, size_t place, std::span<const float> vector) const;
  [[nodiscard]] size_t FullestBucket() const;
  [[nodiscard]] Rows TakeRows(Bucket& bucket);
  void GiveBack(Rows rows);
  [[nodiscard]] Result<void> WriteBucket(size_t bucket, const Rows& rows,
                                         std::span<const Extent> extents);
  [[nodiscard]] Result<void> WriteValues(size_t bucket, std::span<const float> values);
  [[nodiscard]] Result<void> Spool(size_t bucket, const Rows& rows);
  [[nodiscard]] Result<void> ReadSpooled(const Extent& extent, Rows& rows);
  [[nodiscard]] Result<void> FinishBucket(size_t bucket);
  void PlaceRows(const Rows& rows, std::span<float> out) const;

  FileSystem& files_;
  File& file_;
  RowStoreOptions options_;
  size_t bucket_rows_;
  std::mutex mutex_;  // guards all below, never held while the disk works
  std::vector<Bucket> buckets_;
  std::vector<Rows> idle_;  // empty, to be used again
  size_t held_bytes_ = 0;
  std::unique_ptr<File> spool_;
  uint64_t spool_bytes_ = 0;
  // Buffers that are used again: fresh memory is slow memory.
  ResourcePool<Rows> spooled_{[] { return std::make_unique<Rows>(); }};
  ResourcePool<std::vector<float>> ordered_{[] { return std::make_unique<std::vector<float>>(); }};
};

}  // namespace sluice
