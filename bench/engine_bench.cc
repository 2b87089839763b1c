// The stations of the api and engine storeys, in memory. Compare two builds on one machine in turn
// (bench/compare).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/protocol/line_protocol.h"
#include "bench/made_text.h"
#include "engine/ordered_pipeline.h"
#include "engine/prepare.h"
#include "io/file/file_system.h"

namespace sluice {
namespace {

std::unique_ptr<LineProtocol> MakeGeminiProtocol() {
  RequestOptions requests;
  requests.model = "gemini-embedding-001";
  requests.dimension = 768;
  return *MakeLineProtocol("gemini", requests);
}

void SetBytes(benchmark::State& state, size_t bytes) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(bytes));
}

// The rewrite alone: a text token of the given size into a request line.
void AppendRequest(benchmark::State& state) {
  const auto protocol = MakeGeminiProtocol();
  const std::string token = '"' + std::string(static_cast<size_t>(state.range(0)), 'a') + '"';
  const std::vector<std::string_view> tokens(protocol->fields().size(), token);
  std::string out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(protocol->AppendRequest(tokens, out));
  }
  SetBytes(state, token.size());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(AppendRequest)->Arg(100)->Arg(900)->Arg(10'000);

// A block as pack does it: lines found, checked in full and written again.
void PrepareBlock(benchmark::State& state) {
  const auto protocol = MakeGeminiProtocol();
  const std::string text = MadeTextLines(static_cast<size_t>(state.range(0)));
  Block block;
  block.buffer = AlignedBuffer(text.size() + Block::kPadding);
  std::ranges::copy(AsBytes(text), block.buffer.data());
  block.bytes = {reinterpret_cast<const char*>(block.buffer.data()), text.size()};
  Preparer preparer(*protocol, "");
  PreparedBlock prepared;
  for (auto _ : state) {
    prepared.Clear();
    preparer.Prepare(block, prepared);
    benchmark::DoNotOptimize(prepared.lines.data());
  }
  if (!prepared.rejects.empty()) {
    state.SkipWithError("a line was refused");
  }
  SetBytes(state, text.size());
}
BENCHMARK(PrepareBlock)->Arg(100)->Arg(900)->Arg(10'000);

// A whole answer line: the key, the array and what stands around it.
void DecodeAnswers(benchmark::State& state) {
  const auto decoder = MakeGeminiProtocol()->MakeDecoder();
  std::string text = MadeAnswerLines();
  const size_t size = text.size();
  text.append(Block::kPadding, '\0');
  for (auto _ : state) {
    for (std::string_view rest = std::string_view(text).substr(0, size); !rest.empty();) {
      const size_t end = rest.find('\n');
      if (decoder->Decode(rest.substr(0, end)).vector.empty()) {
        state.SkipWithError("an answer was refused");
        return;
      }
      rest.remove_prefix(end + 1);
    }
  }
  SetBytes(state, size);
}
BENCHMARK(DecodeAnswers);

struct EmptyItem final : PipelineItem {};

// What the ordered graph costs an item that nothing is done with.
void PassThroughPipeline(benchmark::State& state) {
  constexpr int64_t kItems = 10'000;
  const auto pass = [](PipelineItem&) -> Result<void> { return {}; };
  const std::vector<Station> stations = {{.order = Station::Order::kParallel, .work = pass},
                                         {.order = Station::Order::kInOrder, .work = pass},
                                         {.order = Station::Order::kParallel, .work = pass},
                                         {.order = Station::Order::kInOrder, .work = pass}};
  for (auto _ : state) {
    int64_t left = kItems;
    const PipelineSource source = {.next = [&left]() -> Result<std::unique_ptr<PipelineItem>> {
                                     return left-- > 0 ? std::make_unique<EmptyItem>() : nullptr;
                                   },
                                   .recycle = [](std::unique_ptr<PipelineItem>) {}};
    benchmark::DoNotOptimize(RunOrderedPipeline({}, source, stations, {}).has_value());
  }
  state.SetItemsProcessed(state.iterations() * kItems);
}
BENCHMARK(PassThroughPipeline)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace sluice
