// What `sluice bench` shall measure, read from its arguments. Pure.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/error.h"
#include "io/file/file_system.h"
#include "tools/arguments.h"
#include "tools/bench/bench_input.h"
#include "tools/bench/bench_stage.h"
#include "tools/bench/corpus_maker.h"

namespace sluice {

inline constexpr std::string_view kAgainstHint =
    "it is given to /bin/sh -c; sluice bench --help says what it may use";

struct BenchOptions {
  std::vector<const BenchStage*> stages;
  CorpusMakerOptions corpus;
  int64_t runs = 5;
  std::string against;

  [[nodiscard]] bool reads_corpus() const;
  [[nodiscard]] bool decodes() const;
};

// Errors: kUsage naming the flag.
[[nodiscard]] Result<BenchOptions> ReadBenchOptions(const Arguments& arguments);
// `folder` is where everything but a corpus of the user's lies. `files` must outlive the input.
[[nodiscard]] Result<BenchInput> ReadBenchInput(const Arguments& arguments, FileSystem& files,
                                                std::string folder, std::stop_token stop);
// The stage that `flag` names.
[[nodiscard]] Result<const BenchStage*> RequireStage(std::string_view flag, std::string_view name);

}  // namespace sluice
