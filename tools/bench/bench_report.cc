#include "tools/bench/bench_report.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/base/error.h"
#include "tools/json_line.h"
#include "tools/terminal.h"
#include "tools/text_table.h"
#include "tools/units.h"
#include "tools/version.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

template <typename Member>
Spread SpreadOfRuns(const BenchRow& row, Member member) {
  std::vector<double> values;
  values.reserve(row.runs.size());
  for (const StageMeasurement& run : row.runs) {
    values.push_back(static_cast<double>(run.*member));
  }
  return SpreadOf(std::move(values));
}

double Ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

std::string Bytes(uint64_t bytes) { return bytes == 0 ? "" : FormatBytes(bytes); }

// `count` in units, each second.
std::string PerSecond(uint64_t count, double seconds, double unit = 1) {
  const double rate = Ratio(static_cast<double>(count) / unit, seconds);
  return count == 0 ? "" : FormatCount(static_cast<uint64_t>(rate));
}

std::vector<std::string> Cells(const BenchRow& row) {
  const StageVolume& volume = row.runs.front().volume;
  const Spread seconds = SpreadOfRuns(row, &StageMeasurement::seconds);
  const double cpu = SpreadOfRuns(row, &StageMeasurement::cpu_seconds).median;
  const double bound = SpreadOfRuns(row, &StageMeasurement::bound_seconds).median;
  const double peak = SpreadOfRuns(row, &StageMeasurement::peak_bytes).median;
  return {row.stage,
          Bytes(volume.bytes_in),
          Bytes(volume.bytes_out),
          fmt::format("{:.3f} s", seconds.median),
          fmt::format("{:.3f}..{:.3f}", seconds.least, seconds.most),
          std::to_string(row.threads),
          PerSecond(volume.bytes_in, seconds.median, 1e6),
          PerSecond(volume.documents, seconds.median),
          fmt::format("{:.2f}", Ratio(cpu, seconds.median)),
          FormatBytes(static_cast<uint64_t>(peak)),
          row.bound,
          fmt::format("{:.0f} %", 100 * Ratio(bound, seconds.median))};
}

std::string Table(const std::vector<BenchRow>& rows) {
  using enum TextTable::Align;
  TextTable table({{"stage"},
                   {"in", kRight},
                   {"out", kRight},
                   {"p50", kRight},
                   {"range", kRight},
                   {"threads", kRight},
                   {"MB/s", kRight},
                   {"docs/s", kRight},
                   {"cores", kRight},
                   {"peak", kRight},
                   {"bound by"},
                   {"reached", kRight}});
  for (const BenchRow& row : rows) {
    table.AddRow(Cells(row));
  }
  return table.Format();
}

std::string RacerLine(const BenchRacer& racer) {
  const Spread seconds = SpreadOf(racer.seconds);
  return fmt::format("{:.3f} s ({:.3f}..{:.3f}), {:.3f} s CPU   {}\n", seconds.median,
                     seconds.least, seconds.most, SpreadOf(racer.cpu_seconds).median,
                     EscapeControls(racer.command));
}

double TimeRatio(const BenchRace& race) {
  return Ratio(SpreadOf(race.ours.seconds).median, SpreadOf(race.theirs.seconds).median);
}

double CpuRatio(const BenchRace& race) {
  return Ratio(SpreadOf(race.ours.cpu_seconds).median, SpreadOf(race.theirs.cpu_seconds).median);
}

std::string RaceLines(const BenchRace& race) {
  return fmt::format("{}{}{:.2f} of its time, {:.2f} of its CPU time\n", RacerLine(race.ours),
                     RacerLine(race.theirs), TimeRatio(race), CpuRatio(race));
}

OrderedJson SpreadJson(const Spread& spread) {
  return {{"median", spread.median}, {"min", spread.least}, {"max", spread.most}};
}

OrderedJson RunJson(const StageMeasurement& run) {
  return {{"seconds", run.seconds},
          {"cpu_seconds", run.cpu_seconds},
          {"peak_bytes", run.peak_bytes},
          {"bound_seconds", run.bound_seconds}};
}

OrderedJson RowJson(const BenchRow& row) {
  const StageVolume& volume = row.runs.front().volume;
  const Spread seconds = SpreadOfRuns(row, &StageMeasurement::seconds);
  const Spread bound = SpreadOfRuns(row, &StageMeasurement::bound_seconds);
  OrderedJson runs = OrderedJson::array();
  for (const StageMeasurement& run : row.runs) {
    runs.push_back(RunJson(run));
  }
  return {{"stage", row.stage},
          {"threads", row.threads},
          {"bytes_in", volume.bytes_in},
          {"bytes_out", volume.bytes_out},
          {"documents", volume.documents},
          {"seconds", SpreadJson(seconds)},
          {"cpu_seconds", SpreadJson(SpreadOfRuns(row, &StageMeasurement::cpu_seconds))},
          {"peak_bytes", SpreadJson(SpreadOfRuns(row, &StageMeasurement::peak_bytes))},
          {"bound", row.bound},
          {"bound_seconds", SpreadJson(bound)},
          {"share_of_bound", Ratio(bound.median, seconds.median)},
          {"runs", runs}};
}

OrderedJson RacerJson(const BenchRacer& racer) {
  return {{"command", racer.command},
          {"seconds", SpreadJson(SpreadOf(racer.seconds))},
          {"cpu_seconds", SpreadJson(SpreadOf(racer.cpu_seconds))},
          {"runs", {{"seconds", racer.seconds}, {"cpu_seconds", racer.cpu_seconds}}}};
}

OrderedJson RaceJson(const BenchRace& race) {
  return {{"stage", race.stage},
          {"ours", RacerJson(race.ours)},
          {"theirs", RacerJson(race.theirs)},
          {"time_ratio", TimeRatio(race)},
          {"cpu_ratio", CpuRatio(race)}};
}

}  // namespace

Spread SpreadOf(std::vector<double> values) {
  SLUICE_CHECK(!values.empty(), "nothing was measured");
  std::ranges::sort(values);
  const size_t half = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {.median = median, .least = values.front(), .most = values.back()};
}

std::string FormatBenchResults(const BenchResults& results) {
  const std::string race = results.race ? RaceLines(*results.race) : "";
  const std::string gap = !results.rows.empty() && results.race ? "\n" : "";
  return Table(results.rows) + gap + race;
}

std::string FormatBenchResultsAsJson(const BenchResults& results) {
  OrderedJson stages = OrderedJson::array();
  for (const BenchRow& row : results.rows) {
    stages.push_back(RowJson(row));
  }
  const OrderedJson document = {
      {"v", 1},
      {"type", "bench"},
      {"version", kVersion},
      {"corpus", results.corpus.empty() ? OrderedJson() : OrderedJson(results.corpus)},
      {"compression", results.compression},
      {"stages", stages},
      {"against", results.race ? RaceJson(*results.race) : OrderedJson()}};
  return JsonLine(document);
}

}  // namespace sluice
