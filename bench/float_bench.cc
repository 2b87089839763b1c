// Decimal text to float32, one core, in memory: our kernels beside what else could be taken. The
// first argument of each benchmark is the number of values; "general" is the share of them that
// took the general path.
#include <benchmark/benchmark.h>
#include <fast_float/fast_float.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "io/json/float_array.h"

namespace sluice {
namespace {

constexpr size_t kDimension = 768;
constexpr size_t kRows = 100;

// Unit vectors as services print them: the shortest text that gives the float back.
struct Arrays {
  std::string text;
  std::vector<size_t> opens;
};

Arrays MakeArrays() {
  std::mt19937_64 random(20261122);
  std::normal_distribution<double> normal;
  Arrays arrays;
  for (size_t row = 0; row < kRows; ++row) {
    std::vector<double> values(kDimension);
    double sum = 0;
    for (double& value : values) {
      value = normal(random);
      sum += value * value;
    }
    arrays.text += R"({"key":"000000000000","response":{"embedding":{"values":)";
    arrays.opens.push_back(arrays.text.size());
    for (size_t i = 0; i < kDimension; ++i) {
      char text[32];
      const auto end =
          std::to_chars(text, text + sizeof text, static_cast<float>(values[i] / std::sqrt(sum)));
      arrays.text += i == 0 ? '[' : ',';
      arrays.text.append(text, end.ptr);
    }
    arrays.text += "]}}}\n";
  }
  arrays.text.append(FloatArrayReader::kPadding, ' ');
  return arrays;
}

void SetCounters(benchmark::State& state, const Arrays& arrays) {
  const int64_t iterations = state.iterations();
  state.SetItemsProcessed(iterations * static_cast<int64_t>(kRows * kDimension));
  state.SetBytesProcessed(iterations * static_cast<int64_t>(arrays.text.size()));
}

void ReadWith(benchmark::State& state, FloatKernel kernel) {
  const std::vector<FloatKernel> kernels = FloatKernels();
  if (std::ranges::find(kernels, kernel) == kernels.end()) {
    state.SkipWithError("this processor lacks what the kernel needs");
    return;
  }
  const Arrays arrays = MakeArrays();
  FloatArrayReader reader(kernel);
  std::vector<float> out;
  for (auto _ : state) {
    for (const size_t open : arrays.opens) {
      out.clear();
      benchmark::DoNotOptimize(reader.Read(arrays.text, open, out));
    }
  }
  SetCounters(state, arrays);
  state.counters["general"] =
      static_cast<double>(reader.general_values()) / static_cast<double>(reader.values());
}
BENCHMARK_CAPTURE(ReadWith, portable, FloatKernel::kPortable);
BENCHMARK_CAPTURE(ReadWith, avx2, FloatKernel::kAvx2);
BENCHMARK_CAPTURE(ReadWith, avx512, FloatKernel::kAvx512);

template <typename Read>
void ReadEach(benchmark::State& state, Read read) {
  const Arrays arrays = MakeArrays();
  std::vector<float> out;
  for (auto _ : state) {
    for (const size_t open : arrays.opens) {
      out.clear();
      const char* at = arrays.text.data() + open;
      const char* const end = arrays.text.data() + arrays.text.size();
      while (*at != ']') {
        float value = 0;
        at = read(at + 1, end, value);
        out.push_back(value);
      }
      benchmark::DoNotOptimize(out.data());
    }
  }
  SetCounters(state, arrays);
}
BENCHMARK_CAPTURE(ReadEach, fast_float, [](const char* begin, const char* end, float& value) {
  return fast_float::from_chars(begin, end, value).ptr;
});
BENCHMARK_CAPTURE(ReadEach, std_from_chars, [](const char* begin, const char* end, float& value) {
  return std::from_chars(begin, end, value).ptr;
});

void ReadOnDemand(benchmark::State& state) {
  const Arrays arrays = MakeArrays();
  simdjson::ondemand::parser parser;
  std::vector<float> out;
  for (auto _ : state) {
    for (const size_t open : arrays.opens) {
      out.clear();
      const size_t size = arrays.text.find(']', open) + 1 - open;
      auto document = parser.iterate(arrays.text.data() + open, size,
                                     arrays.text.size() - open + simdjson::SIMDJSON_PADDING);
      for (auto value : document.get_array()) {
        out.push_back(static_cast<float>(value.get_double().value()));
      }
      benchmark::DoNotOptimize(out.data());
    }
  }
  SetCounters(state, arrays);
}
BENCHMARK(ReadOnDemand);

}  // namespace
}  // namespace sluice
