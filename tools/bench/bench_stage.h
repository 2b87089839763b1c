// The stages that `sluice bench` measures, as data.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "io/base/error.h"
#include "tools/bench/bench_input.h"

namespace sluice {

// What no such stage can be faster than.
enum class Bound { kMemory, kZstd, kDisk, kNumbers };

// What went through a stage.
struct StageVolume {
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;                  // 0: nothing leaves it
  std::optional<uint64_t> documents = {};  // nothing: it sees bytes only
  uint64_t refused = 0;
};

struct BenchStage {
  std::string_view name;
  std::string (BenchInput::*path)() const;  // what it reads; null: the corpus
  bool parallel;                            // works in several threads
  Bound bound;
  Result<StageVolume> (*run)(const BenchInput& input);
};

[[nodiscard]] std::span<const BenchStage> BenchStages();
[[nodiscard]] const BenchStage* FindBenchStage(std::string_view name);
[[nodiscard]] std::string PathOf(const BenchStage& stage, const BenchInput& input);

// Makes requests() from the corpus, and tells what is in it. Errors: kInput, kIo, kUnfinished.
[[nodiscard]] Result<StageVolume> MakeRequests(const BenchInput& input);

}  // namespace sluice
