// The stations of the io storey, one core, in memory. Compare two builds on one machine in turn.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "io/codec/zstd.h"
#include "io/corpus/corpus.h"
#include "io/corpus/line_feeds.h"
#include "io/json/record_scanner.h"

namespace sluice {
namespace {

constexpr size_t kBlockBytes = size_t{1} << 20;

// Words with the lengths, escapes and other scripts of a mixed text corpus (about 900 bytes a
// line, 4 % backslashes, 9 % non-ASCII), the same in every run.
std::string TextLines(size_t line_bytes) {
  std::mt19937 random(1);
  std::vector<std::string> words;
  for (int i = 0; i < 4000; ++i) {
    std::string word;
    for (size_t length = 2 + random() % 8; length > 0; --length) {
      word += static_cast<char>('a' + random() % 26);
    }
    const std::string_view extras[] = {"\\n", "\\\"", "\xC3\xA9\xC3\xBC",
                                       "\xE4\xB8\xAD\xE6\x96\x87"};
    words.push_back(i % 4 == 0 ? word + std::string(extras[random() % 4]) : word);
  }
  std::string text;
  for (int line = 0; text.size() < kBlockBytes; ++line) {
    text += "{\"id\":\"doc-" + std::to_string(line) + "\",\"text\":\"";
    for (const size_t end = text.size() + line_bytes; text.size() < end;) {
      text += words[random() % words.size()] + ' ';
    }
    text += "\",\"score\":0.25,\"tags\":[\"a\",\"b\"],\"ok\":true}\n";
  }
  return text;
}

std::string FloatLines() {
  std::mt19937 random(2);
  std::string text;
  for (int line = 0; text.size() < kBlockBytes; ++line) {
    text += "{\"key\":\"" + std::to_string(line) + "\",\"response\":{\"embedding\":{\"values\":[";
    for (int i = 0; i < 768; ++i) {
      text += (i == 0 ? "0.0" : ",-0.0") + std::to_string(random() % 100'000'000);
    }
    text += "]}}}\n";
  }
  return text;
}

void SetBytes(benchmark::State& state, size_t bytes) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(bytes));
}

void BM_CountLineFeeds(benchmark::State& state) {
  const std::string text = TextLines(900);
  for (auto _ : state) {
    benchmark::DoNotOptimize(CountLineFeeds(text));
  }
  SetBytes(state, text.size());
}
BENCHMARK(BM_CountLineFeeds);

void ScanLines(benchmark::State& state, std::string text, std::vector<std::string> paths) {
  const size_t size = text.size();
  text.append(Block::kPadding, '\0');
  RecordScanner scanner(std::move(paths));
  int64_t lines = 0;
  for (auto _ : state) {
    for (std::string_view rest = std::string_view(text).substr(0, size); !rest.empty();) {
      const size_t end = rest.find('\n');
      const auto tokens = scanner.Scan(rest.substr(0, end));
      if (!tokens.has_value() || (*tokens)[0].empty()) {
        state.SkipWithError("a line was refused");
        return;
      }
      rest.remove_prefix(end + 1);
      ++lines;
    }
  }
  SetBytes(state, size);
  state.SetItemsProcessed(lines);
}

void BM_ScanText(benchmark::State& state) {
  ScanLines(state, TextLines(static_cast<size_t>(state.range(0))), {"text", "id"});
}
BENCHMARK(BM_ScanText)->Arg(100)->Arg(900)->Arg(10'000);

void BM_ScanFloats(benchmark::State& state) {
  ScanLines(state, FloatLines(), {"response.embedding.values", "key"});
}
BENCHMARK(BM_ScanFloats);

void BM_ZstdFrame(benchmark::State& state) {
  const std::string text = TextLines(900);
  ZstdCompressor compressor(static_cast<int>(state.range(0)));
  std::vector<std::byte> frame;
  for (auto _ : state) {
    frame.clear();
    compressor.AppendFrame(AsBytes(text), frame);
    benchmark::DoNotOptimize(frame.data());
  }
  SetBytes(state, text.size());
}
BENCHMARK(BM_ZstdFrame)->Arg(1)->Arg(3);

}  // namespace
}  // namespace sluice
