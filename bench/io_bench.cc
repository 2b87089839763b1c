// The stations of the io storey, one core. Compare two builds on one machine in turn
// (bench/compare).
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "bench/made_text.h"
#include "io/codec/zstd.h"
#include "io/corpus/corpus.h"
#include "io/corpus/line_feeds.h"
#include "io/json/record_scanner.h"
#include "io/record/ordinal.h"
#include "io/shard/shard_file.h"
#include "io/sink/row_buckets.h"

namespace sluice {
namespace {

// A folder of its own that goes when it does.
class WorkFolder {
 public:
  WorkFolder()
      : path_(std::filesystem::temp_directory_path() / fmt::format("sluice-bench-{}", getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~WorkFolder() { std::filesystem::remove_all(path_); }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;

  [[nodiscard]] std::string Path(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

void SetBytes(benchmark::State& state, size_t bytes) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(bytes));
}

void SetItems(benchmark::State& state, size_t items) {
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(items));
}

void CountLines(benchmark::State& state) {
  const std::string text = MadeTextLines(900);
  for (auto _ : state) {
    benchmark::DoNotOptimize(CountLineFeeds(text));
  }
  SetBytes(state, text.size());
}
BENCHMARK(CountLines);

void ScanLines(benchmark::State& state, std::string text, std::vector<std::string> paths) {
  const size_t size = text.size();
  text.append(Block::kPadding, '\0');
  RecordScanner scanner(std::move(paths));
  int64_t lines = 0;
  for (auto _ : state) {
    for (std::string_view rest = std::string_view(text).substr(0, size); !rest.empty();) {
      const auto [line, tokens] = scanner.ScanFirstLine(rest);
      if (!tokens.has_value() || (*tokens)[0].empty()) {
        state.SkipWithError("a line was refused");
        return;
      }
      rest.remove_prefix(line.size() + 1);
      ++lines;
    }
  }
  SetBytes(state, size);
  state.SetItemsProcessed(lines);
}

void ScanText(benchmark::State& state) {
  ScanLines(state, MadeTextLines(static_cast<size_t>(state.range(0))), {"text", "id"});
}
BENCHMARK(ScanText)->Arg(100)->Arg(900)->Arg(10'000);

void ScanAnswers(benchmark::State& state) {
  ScanLines(state, MadeAnswerLines(), {"response.embedding.values", "key"});
}
BENCHMARK(ScanAnswers);

void CompressFrame(benchmark::State& state) {
  const std::string text = MadeTextLines(900);
  ZstdCompressor compressor(static_cast<int>(state.range(0)));
  std::vector<std::byte> frame;
  for (auto _ : state) {
    frame.clear();
    compressor.AppendFrame(AsBytes(text), frame);
    benchmark::DoNotOptimize(frame.data());
  }
  SetBytes(state, text.size());
}
BENCHMARK(CompressFrame)->Arg(1)->Arg(3);

// Checksum and write into the temporary folder: 16 blocks a shard, not sealed.
void AppendToShard(benchmark::State& state) {
  constexpr int kBlocks = 16;
  const WorkFolder folder;
  const auto files = MakePosixFileSystem();
  const std::string text = MadeTextLines(900);
  for (auto _ : state) {
    auto writer = ShardWriter::Create(*files, folder.Path("shard"));
    for (int block = 0; block < kBlocks; ++block) {
      if (!writer->Append(AsBytes(text)).has_value()) {
        state.SkipWithError("the shard cannot be written");
        return;
      }
    }
  }
  SetBytes(state, kBlocks * text.size());
}
BENCHMARK(AppendToShard);

void ParseKeys(benchmark::State& state) {
  std::vector<std::string> keys;
  keys.reserve(1000);
  for (Ordinal ordinal = 0; ordinal < 1000; ++ordinal) {
    keys.push_back(fmt::format("{:012}", ordinal * 7919));
  }
  for (auto _ : state) {
    for (const std::string& key : keys) {
      benchmark::DoNotOptimize(ParseKey(key));
    }
  }
  SetItems(state, keys.size());
}
BENCHMARK(ParseKeys);

// 48 MiB of rows in shuffled order, three times what is held in memory.
void PlaceRows(benchmark::State& state) {
  constexpr size_t kDimension = 768;
  constexpr size_t kRows = 16'384;
  const WorkFolder folder;
  const auto files = MakePosixFileSystem();
  std::vector<Ordinal> order(kRows);
  std::iota(order.begin(), order.end(), Ordinal{0});
  std::shuffle(order.begin(), order.end(), std::mt19937(3));
  const std::vector<float> vector(kDimension, 0.5F);
  for (auto _ : state) {
    const auto file = files->Open(folder.Path("rows"), OpenMode::kCreate);
    RowBuckets buckets(*files, **file,
                       {.range = {.first = 0, .count = kRows},
                        .dimension = kDimension,
                        .spool_path = folder.Path("spool")});
    for (const Ordinal row : order) {
      if (!buckets.Put(row, vector).has_value()) {
        state.SkipWithError("a row cannot be placed");
        return;
      }
    }
    benchmark::DoNotOptimize(buckets.Finish().has_value());
  }
  SetBytes(state, kRows * kDimension * sizeof(float));
  SetItems(state, kRows);
}
BENCHMARK(PlaceRows)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice
