#include "tools/bench/bench_bounds.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

#include "io/base/aligned_buffer.h"
#include "io/base/resource_pool.h"
#include "io/codec/zstd.h"
#include "io/json/float_array.h"
#include "tools/bench/block_work.h"
#include "tools/bench/time_of.h"

namespace sluice {
namespace {

constexpr size_t kBlockBytes = size_t{1} << 20;

// Every thread takes the next block until there is none; the first error comes back.
Result<void> ShareBlocks(uint64_t bytes, size_t block_bytes, size_t threads,
                         const std::function<Result<void>(uint64_t offset, size_t size)>& work) {
  std::atomic<uint64_t> next = 0;
  std::vector<Result<void>> ended(threads);
  {
    std::vector<std::jthread> workers;
    for (Result<void>& end : ended) {
      workers.emplace_back([&] {
        for (uint64_t at = next.fetch_add(block_bytes); at < bytes && end.has_value();
             at = next.fetch_add(block_bytes)) {
          end = work(at, static_cast<size_t>(std::min<uint64_t>(block_bytes, bytes - at)));
        }
      });
    }
  }
  const auto failed = std::ranges::find(ended, false, &Result<void>::has_value);
  return failed == ended.end() ? Result<void>() : *failed;
}

// The number arrays of whole lines.
void ReadArrays(std::string_view lines, FloatArrayReader& reader, std::vector<float>& numbers) {
  constexpr std::string_view kName = "\"values\"";
  for (size_t at = lines.find(kName); at != std::string_view::npos; at = lines.find(kName, at)) {
    numbers.clear();
    const size_t open = lines.find('[', at);
    if (open == std::string_view::npos) {
      return;
    }
    at = open + reader.Read(lines, open, numbers).value_or(1);
  }
}

}  // namespace

Result<double> CopyMemory(uint64_t bytes, size_t threads) {
  constexpr size_t kRegionBytes = size_t{64} << 20;  // beyond the caches
  AlignedBuffer from(kRegionBytes);
  AlignedBuffer to(kRegionBytes);
  std::ranges::fill(from.span(), std::byte{1});
  std::ranges::fill(to.span(), std::byte{2});
  return TimeOf([&] {
    return ShareBlocks(bytes, kBlockBytes, threads, [&](uint64_t offset, size_t size) {
      const size_t at = offset % kRegionBytes;
      std::memcpy(to.data() + at, from.data() + at, size);
      return Result<void>();
    });
  });
}

Result<double> CompressAlone(const BenchInput& input, size_t threads) {
  struct Scratch {
    explicit Scratch(int level) : compressor(level) {}
    ZstdCompressor compressor;
    AlignedBuffer plain;
    std::vector<std::byte> frame;
  };
  const int level = input.zstd_level.value_or(1);
  const size_t block_bytes = BlockBytesFor(level);
  ResourcePool<Scratch> scratches([level] { return std::make_unique<Scratch>(level); });
  SLUICE_ASSIGN(const auto file, input.files.Open(input.requests(), OpenMode::kRead));
  SLUICE_ASSIGN(const uint64_t bytes, file->Size());
  const auto compress = [&](uint64_t offset, size_t size) -> Result<void> {
    const auto scratch = scratches.Take();
    scratch->plain.Reserve(size);
    const auto plain = scratch->plain.span().first(size);
    SLUICE_TRY(ReadExactly(*file, offset, plain));
    scratch->frame.clear();
    scratch->compressor.AppendFrame(plain, scratch->frame);
    return {};
  };
  return TimeOf([&] { return ShareBlocks(bytes, block_bytes, threads, compress); });
}

Result<double> WriteDisk(const BenchInput& input, uint64_t bytes) {
  AlignedBuffer block(kBlockBytes);
  std::ranges::fill(block.span(), std::byte{'x'});
  SLUICE_ASSIGN(const auto file, input.files.Open(input.scratch() + "/disk", OpenMode::kCreate));
  return TimeOf([&]() -> Result<void> {
    for (uint64_t left = bytes; left > 0;) {
      const auto size = static_cast<size_t>(std::min<uint64_t>(left, kBlockBytes));
      SLUICE_TRY(file->Write(block.span().first(size)));
      left -= size;
    }
    return file->Sync();
  });
}

Result<double> ReadNumbers(const BenchInput& input, size_t threads) {
  ResourcePool<FloatArrayReader> readers([] { return std::make_unique<FloatArrayReader>(); });
  const auto read = [&](WorkItem& item) -> Result<void> {
    const auto reader = readers.Take();
    ReadArrays(item.block.bytes, *reader, item.numbers);
    return {};
  };
  return TimeOf([&] { return ForEachBlock(input, input.answers(), threads, read); });
}

}  // namespace sluice
