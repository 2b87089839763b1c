// What `sluice bench` found, as a table for people and as JSON. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/bench/bench_conditions.h"
#include "tools/bench/bench_measurement.h"

namespace sluice {

// Of several measurements of one thing.
struct Spread {
  double median = 0, least = 0, most = 0;
};
[[nodiscard]] Spread SpreadOf(std::vector<double> values);  // not of none

struct BenchRow {
  std::string stage;
  size_t threads = 1;
  std::string bound;
  std::vector<StageMeasurement> runs;
};

// A whole process, timed again and again.
struct BenchRacer {
  std::string command;
  std::vector<double> seconds;
  std::vector<double> cpu_seconds;
};
// Two in turn: the runs of the same number are a pair.
struct BenchRace {
  std::string stage;
  BenchRacer ours, theirs;
};

struct BenchResults {
  BenchConditions conditions;
  std::vector<BenchRow> rows;
  std::optional<BenchRace> race;
};

[[nodiscard]] std::string FormatBenchResults(const BenchResults& results);
// {"v":1,"type":"bench",...} with its line end.
[[nodiscard]] std::string FormatBenchResultsAsJson(const BenchResults& results);

}  // namespace sluice
