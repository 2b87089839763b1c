#include "io/sink/row_store.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>
#include <random>
#include <thread>

#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

constexpr size_t kDimension = 3;

RowStoreOptions Buckets(size_t budget_bytes, size_t bucket_bytes) {
  RowStoreOptions options;
  options.budget_bytes = budget_bytes;
  options.bucket_bytes_max = bucket_bytes;
  options.matrix_bytes_max = 0;
  return options;
}
RowStoreOptions Matrix() { return {}; }

// Rows 100 to 100 + count - 1 of a file whose first row is at byte 8.
class StoreRun {
 public:
  StoreRun(uint64_t count, RowStoreOptions options) : range_{100, count} {
    const std::string path = folder_.Write("rows", "");
    file_ = files_->Open(path, OpenMode::kReadWrite).value();
    options.range = range_;
    options.dimension = kDimension;
    options.first_byte = 8;
    options.spool_path = spool_path();
    rows_ = MakeRowStore(*files_, *file_, options);
  }

  [[nodiscard]] std::vector<Ordinal> Ordinals() const {
    std::vector<Ordinal> ordinals(range_.count);
    std::iota(ordinals.begin(), ordinals.end(), range_.first);
    return ordinals;
  }

  [[nodiscard]] Result<void> Put(Ordinal row) { return rows_->Put(row, VectorOf(row)); }
  [[nodiscard]] Result<void> Finish() { return rows_->Finish(); }
  [[nodiscard]] bool spool_exists() { return files_->Exists(spool_path()); }

  void ExpectAllInPlace() {
    for (const Ordinal row : Ordinals()) {
      std::vector<float> vector(kDimension);
      ASSERT_TRUE(ReadExactly(*file_, 8 + row * kDimension * sizeof(float),
                              std::as_writable_bytes(std::span(vector)))
                      .has_value());
      ASSERT_EQ(vector, VectorOf(row)) << row;
    }
  }

 private:
  static std::vector<float> VectorOf(Ordinal row) {
    const auto value = static_cast<float>(row);
    return {value, -value, value / 2};
  }
  [[nodiscard]] std::string spool_path() const { return folder_.Path("spool"); }

  TempFolder folder_;
  std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
  OrdinalRange range_;
  std::unique_ptr<File> file_;
  std::unique_ptr<RowStore> rows_;
};

TEST(RowStore, WritesRowsThatComeInOrderWithoutASpool) {
  StoreRun run(1000, Buckets(600, 120));
  for (const Ordinal row : run.Ordinals()) {
    ASSERT_TRUE(run.Put(row).has_value());
  }
  EXPECT_FALSE(run.spool_exists());
  ASSERT_TRUE(run.Finish().has_value());
  run.ExpectAllInPlace();
}

TEST(RowStore, BringsShuffledRowsToTheirPlacesWhateverTheBudget) {
  for (const size_t budget : {size_t{1}, size_t{500}, size_t{5000}, size_t{1} << 20}) {
    StoreRun run(1003, Buckets(budget, 120));
    std::vector<Ordinal> ordinals = run.Ordinals();
    std::ranges::shuffle(ordinals, std::mt19937_64(20261122));
    for (const Ordinal row : ordinals) {
      ASSERT_TRUE(run.Put(row).has_value());
    }
    EXPECT_EQ(run.spool_exists(), budget < 10'000);
    ASSERT_TRUE(run.Finish().has_value());
    EXPECT_FALSE(run.spool_exists());
    run.ExpectAllInPlace();
  }
}

TEST(RowStore, HoldsASmallRangeWithoutASpool) {
  StoreRun run(1003, Matrix());
  std::vector<Ordinal> ordinals = run.Ordinals();
  std::ranges::shuffle(ordinals, std::mt19937_64(20261122));
  for (const Ordinal row : ordinals) {
    ASSERT_TRUE(run.Put(row).has_value());
  }
  EXPECT_FALSE(run.spool_exists());
  ASSERT_TRUE(run.Finish().has_value());
  run.ExpectAllInPlace();
}

void PutFromSeveralThreads(StoreRun& run) {
  constexpr size_t kThreads = 4;
  std::vector<Ordinal> ordinals = run.Ordinals();
  std::ranges::shuffle(ordinals, std::mt19937_64(20261122));
  {
    std::vector<std::jthread> threads;
    for (size_t thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&run, &ordinals, thread] {
        for (size_t i = thread; i < ordinals.size(); i += kThreads) {
          ASSERT_TRUE(run.Put(ordinals[i]).has_value());
        }
      });
    }
  }
  ASSERT_TRUE(run.Finish().has_value());
  run.ExpectAllInPlace();
}

TEST(RowStore, TakesRowsFromSeveralThreads) {
  StoreRun buckets(20'000, Buckets(4000, 600));
  PutFromSeveralThreads(buckets);
  StoreRun matrix(20'000, Matrix());
  PutFromSeveralThreads(matrix);
}

TEST(RowStoreDeathTest, RefusesToFinishWhileARowIsLacking) {
  for (const RowStoreOptions& options : {Buckets(1 << 20, 120), Matrix()}) {
    StoreRun run(10, options);
    for (Ordinal row = 100; row < 109; ++row) {
      ASSERT_TRUE(run.Put(row).has_value());
    }
    EXPECT_DEATH((void)run.Finish(), "a shard is sealed that lacks rows");
  }
}

TEST(RowStore, HoldsOneRowThatIsLargerThanABucket) {
  StoreRun run(5, Buckets(1, 1));
  for (const Ordinal row : {Ordinal{104}, Ordinal{100}, Ordinal{103}, Ordinal{101}, Ordinal{102}}) {
    ASSERT_TRUE(run.Put(row).has_value());
  }
  ASSERT_TRUE(run.Finish().has_value());
  run.ExpectAllInPlace();
}

}  // namespace
}  // namespace sluice
