// The blocks of a corpus, each given to one of several threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/ordered_pipeline.h"
#include "engine/prepare.h"
#include "io/base/error.h"
#include "io/corpus/corpus.h"
#include "tools/bench/bench_input.h"

namespace sluice {

// A block, and room for what may be made of it, which is used again.
struct WorkItem final : PipelineItem {
  Block block;
  PreparedBlock prepared;
  std::vector<std::byte> frame;
  std::vector<float> numbers;
};

// How the file or folder `path` is read, in blocks as pack has them.
[[nodiscard]] CorpusOptions ReadingOf(const BenchInput& input, const std::string& path);

// With those of lines that are too long to be held.
[[nodiscard]] uint64_t BytesOf(const Block& block);

// `work` is called by several threads at once.
[[nodiscard]] Result<void> ForEachBlock(const BenchInput& input, const std::string& path,
                                        size_t threads,
                                        const std::function<Result<void>(WorkItem&)>& work);

}  // namespace sluice
