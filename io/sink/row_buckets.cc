#include "io/sink/row_buckets.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

#include "io/base/exhaustion.h"

namespace sluice {

void RowBuckets::Rows::Clear() {
  places.clear();
  values.clear();
}

RowBuckets::RowBuckets(FileSystem& files, File& file, RowStoreOptions options)
    : files_(files), file_(file), options_(std::move(options)) {
  const size_t row_bytes = options_.dimension * sizeof(float);
  bucket_rows_ = std::max<size_t>(1, options_.bucket_bytes_max / row_bytes);
  buckets_.resize((options_.range.count + bucket_rows_ - 1) / bucket_rows_);
}

size_t RowBuckets::RowsOf(size_t bucket) const {
  return std::min<uint64_t>(bucket_rows_, options_.range.count - bucket * bucket_rows_);
}

void RowBuckets::Append(Rows& rows, size_t place, std::span<const float> vector) const {
  if (rows.values.capacity() == 0) {
    // A quarter more than its share of the budget: growing by doubling would hold twice as much.
    const size_t share = options_.budget_bytes / buckets_.size() / sizeof(float);
    rows.values.reserve(std::min(share + share / 4, bucket_rows_ * options_.dimension));
  }
  rows.places.push_back(static_cast<uint32_t>(place));
  rows.values.insert(rows.values.end(), vector.begin(), vector.end());
}

size_t RowBuckets::FullestBucket() const {
  const auto fullest = std::ranges::max_element(
      buckets_, {}, [](const Bucket& bucket) { return bucket.rows.values.size(); });
  return static_cast<size_t>(fullest - buckets_.begin());
}

RowBuckets::Rows RowBuckets::TakeRows(Bucket& bucket) {
  Rows rows = std::move(bucket.rows);
  bucket.rows = {};
  if (!idle_.empty()) {
    bucket.rows = std::move(idle_.back());
    idle_.pop_back();
  }
  held_bytes_ -= rows.values.size() * sizeof(float);
  return rows;
}

void RowBuckets::GiveBack(Rows rows) {
  rows.Clear();
  const std::scoped_lock lock(mutex_);
  idle_.push_back(std::move(rows));
}

Result<void> RowBuckets::Put(Ordinal row, std::span<const float> vector) {
  SLUICE_CHECK(options_.range.contains(row), "a row outside its shard");
  SLUICE_CHECK(vector.size() == options_.dimension, "a row of the wrong length");
  const uint64_t index = row - options_.range.first;
  size_t leaving = index / bucket_rows_;
  Rows rows;
  std::vector<Extent> extents;
  bool is_complete = false;
  {
    const std::scoped_lock lock(mutex_);
    Bucket& bucket = buckets_[leaving];
    Append(bucket.rows, index % bucket_rows_, vector);
    held_bytes_ += vector.size_bytes();
    is_complete = ++bucket.row_count == RowsOf(leaving) && !bucket.is_spooled;
    if (!is_complete) {
      if (held_bytes_ <= options_.budget_bytes) {
        return {};
      }
      leaving = FullestBucket();
      buckets_[leaving].is_spooled = true;
    }
    rows = TakeRows(buckets_[leaving]);
  }
  SLUICE_TRY(is_complete ? WriteBucket(leaving, rows, {}) : Spool(leaving, rows));
  GiveBack(std::move(rows));
  return {};
}

Result<void> RowBuckets::Spool(size_t bucket, const Rows& rows) {
  const std::span<const std::byte> places = std::as_bytes(std::span(rows.places));
  const std::span<const std::byte> values = std::as_bytes(std::span(rows.values));
  Extent extent{.offset = 0, .row_count = rows.places.size()};
  {
    const std::scoped_lock lock(mutex_);
    if (spool_ == nullptr) {
      SLUICE_ASSIGN(spool_, files_.Open(options_.spool_path, OpenMode::kCreate));
    }
    extent.offset = spool_bytes_;
    spool_bytes_ += places.size() + values.size();
    buckets_[bucket].extents.push_back(extent);
  }
  SLUICE_TRY(spool_->WriteAt(extent.offset, places));
  return spool_->WriteAt(extent.offset + places.size(), values);
}

Result<void> RowBuckets::WriteBucket(size_t bucket, const Rows& rows,
                                     std::span<const Extent> extents) {
  if (extents.empty() && std::ranges::is_sorted(rows.places)) {
    return WriteValues(bucket, rows.values);
  }
  const auto ordered = ordered_.Take();
  ordered->resize(RowsOf(bucket) * options_.dimension);
  PlaceRows(rows, *ordered);
  const auto spooled = spooled_.Take();
  for (const Extent& extent : extents) {
    SLUICE_TRY(ReadSpooled(extent, *spooled));
    PlaceRows(*spooled, *ordered);
  }
  return WriteValues(bucket, *ordered);
}

Result<void> RowBuckets::WriteValues(size_t bucket, std::span<const float> values) {
  const Ordinal first = options_.range.first + bucket * bucket_rows_;
  return file_.WriteAt(options_.first_byte + first * options_.dimension * sizeof(float),
                       std::as_bytes(values));
}

void RowBuckets::PlaceRows(const Rows& rows, std::span<float> out) const {
  for (size_t i = 0; i < rows.places.size(); ++i) {
    std::memcpy(&out[rows.places[i] * options_.dimension], &rows.values[i * options_.dimension],
                options_.dimension * sizeof(float));
  }
}

Result<void> RowBuckets::ReadSpooled(const Extent& extent, Rows& rows) {
  rows.places.resize(extent.row_count);
  rows.values.resize(extent.row_count * options_.dimension);
  const auto places = std::as_writable_bytes(std::span(rows.places));
  SLUICE_TRY(ReadExactly(*spool_, extent.offset, places));
  return ReadExactly(*spool_, extent.offset + places.size(),
                     std::as_writable_bytes(std::span(rows.values)));
}

Result<void> RowBuckets::Finish() {
  idle_.clear();
  std::atomic<size_t> next = 0;
  std::vector<Result<void>> results(std::max<size_t>(options_.threads, 1));
  {
    std::vector<std::jthread> threads;
    threads.reserve(results.size());
    for (Result<void>& result : results) {
      threads.emplace_back([this, &next, &result] {
        for (size_t i = next++; i < buckets_.size() && result.has_value(); i = next++) {
          result = Caught([&] { return FinishBucket(i); });
        }
      });
    }
  }
  for (const Result<void>& result : results) {
    SLUICE_TRY(result);
  }
  if (spool_ == nullptr) {
    return {};
  }
  spool_.reset();
  return files_.Remove(options_.spool_path);
}

Result<void> RowBuckets::FinishBucket(size_t index) {
  Bucket& bucket = buckets_[index];
  SLUICE_CHECK(bucket.row_count == RowsOf(index), "a shard is sealed that lacks rows");
  if (bucket.is_spooled) {
    SLUICE_TRY(WriteBucket(index, bucket.rows, bucket.extents));
  }
  bucket.rows = {};
  bucket.extents = {};
  return {};
}

}  // namespace sluice
