#include "tools/bench/bench_measurement.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sys/resource.h>

#include "tools/bench/bench_bounds.h"
#include "tools/bench/time_of.h"

namespace sluice {
namespace {

// Without compression the disk is what pack waits for.
Bound BoundFor(const BenchStage& stage, const BenchInput& input) {
  const bool plain = stage.bound == Bound::kZstd && !input.zstd_level.has_value();
  return plain ? Bound::kDisk : stage.bound;
}

Result<double> RunBound(const BenchStage& stage, const BenchInput& input,
                        const StageVolume& volume) {
  const size_t threads = stage.parallel ? input.threads : 1;
  switch (BoundFor(stage, input)) {
    case Bound::kMemory:
      return CopyMemory(volume.bytes_in, threads);
    case Bound::kZstd:
      return CompressAlone(input, threads);
    case Bound::kDisk:
      return WriteDisk(input, volume.bytes_out);
    case Bound::kNumbers:
      return ReadNumbers(input, threads);
  }
  return 0;
}

bool SameBytes(const std::string& one, const std::string& other) {
  std::ifstream a(one, std::ios::binary);
  std::ifstream b(other, std::ios::binary);
  std::array<char, 65'536> piece_a;
  std::array<char, 65'536> piece_b;
  while (a && b) {
    a.read(piece_a.data(), piece_a.size());
    b.read(piece_b.data(), piece_b.size());
    if (a.gcount() != b.gcount() ||
        !std::equal(piece_a.begin(), piece_a.begin() + a.gcount(), piece_b.begin())) {
      return false;
    }
  }
  return a.eof() && b.eof();
}

// A fast wrong result is worth nothing.
Result<void> CheckResult(const BenchStage& stage, const BenchInput& input,
                         const StageVolume& volume) {
  if (stage.bound == Bound::kNumbers && !SameBytes(input.decoded(), input.expected())) {
    return Fail(ErrorCode::kInternal, "the array is not what the answers say");
  }
  if (volume.bytes_in == 0) {
    return Fail(ErrorCode::kInput, "there is nothing to measure with");
  }
  return {};
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// getrusage() would also tell what the process was before it became this program.
uint64_t PeakBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    constexpr std::string_view kName = "VmHWM:";
    if (line.starts_with(kName)) {
      return std::stoull(line.substr(kName.size())) * 1024;
    }
  }
  return 0;
}

}  // namespace

std::string BoundName(const BenchStage& stage, const BenchInput& input) {
  switch (BoundFor(stage, input)) {
    case Bound::kMemory:
      return "memory";
    case Bound::kZstd:
      return fmt::format("zstd {}", input.zstd_level.value_or(1));
    case Bound::kDisk:
      return "disk";
    case Bound::kNumbers:
      return "numbers";
  }
  return {};
}

Result<StageMeasurement> MeasureStage(const BenchStage& stage, const BenchInput& input,
                                      bool with_bound) {
  SLUICE_TRY(input.files.MakeFolders(input.scratch()));
  StageMeasurement measured;
  const double cpu_before = CpuSeconds();
  SLUICE_ASSIGN(measured.seconds, TimeOf([&]() -> Result<void> {
                  SLUICE_ASSIGN(measured.volume, stage.run(input));
                  return {};
                }));
  measured.cpu_seconds = CpuSeconds() - cpu_before;
  measured.peak_bytes = PeakBytes();
  if (with_bound) {
    // Pack does not tell how long a compressed corpus is.
    if (measured.volume.bytes_in == 0) {
      SLUICE_ASSIGN(const StageVolume read, FindBenchStage("read")->run(input));
      measured.volume.bytes_in = read.bytes_in;
    }
    SLUICE_TRY(CheckResult(stage, input, measured.volume));
    SLUICE_ASSIGN(measured.bound_seconds, RunBound(stage, input, measured.volume));
  }
  std::filesystem::remove_all(input.scratch());
  return measured;
}

}  // namespace sluice
