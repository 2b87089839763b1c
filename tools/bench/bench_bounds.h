// The bounds: each does the least that a stage has to do with its bytes, and nothing else. Give
// the wall time in seconds, without what has to be made ready.
#pragma once

#include <cstddef>
#include <cstdint>

#include "io/base/error.h"
#include "tools/bench/bench_input.h"

namespace sluice {

// `bytes` copied from memory to memory, by `threads` threads, in blocks as pack has them.
[[nodiscard]] Result<double> CopyMemory(uint64_t bytes, size_t threads);

// The request lines compressed in blocks by zstd, which every thread takes by itself.
[[nodiscard]] Result<double> CompressAlone(const BenchInput& input, size_t threads);

// `bytes` written to one file and brought to the disk.
[[nodiscard]] Result<double> WriteDisk(const BenchInput& input, uint64_t bytes);

// The arrays of the answers read as numbers, and dropped.
[[nodiscard]] Result<double> ReadNumbers(const BenchInput& input, size_t threads);

}  // namespace sluice
