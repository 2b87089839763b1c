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

// How much of a stage's time its bound takes. Nothing where that would tell more about the start of
// the bound's threads.
std::optional<double> ShareOfBound(const BenchRow& row) {
  constexpr double kSecondsMin = 0.01;
  const double seconds = SpreadOfRuns(row, &StageMeasurement::seconds).median;
  if (seconds < kSecondsMin) {
    return std::nullopt;
  }
  return SpreadOfRuns(row, &StageMeasurement::bound_seconds).median / seconds;
}

std::string Bytes(uint64_t bytes) { return bytes == 0 ? "" : FormatBytes(bytes); }

uint64_t PerSecond(uint64_t count, double seconds) {
  return static_cast<uint64_t>(Ratio(static_cast<double>(count), seconds));
}

std::vector<std::string> Cells(const BenchRow& row) {
  const StageVolume& volume = row.runs.front().volume;
  const Spread seconds = SpreadOfRuns(row, &StageMeasurement::seconds);
  const double cpu = SpreadOfRuns(row, &StageMeasurement::cpu_seconds).median;
  const std::optional<double> reached = ShareOfBound(row);
  const double peak = SpreadOfRuns(row, &StageMeasurement::peak_bytes).median;
  return {row.stage,
          Bytes(volume.bytes_in),
          Bytes(volume.bytes_out),
          fmt::format("{:.3f} s", seconds.median),
          fmt::format("{:.3f}..{:.3f}", seconds.least, seconds.most),
          std::to_string(row.threads),
          FormatCount(PerSecond(volume.bytes_in, seconds.median) / 1'000'000),
          volume.documents ? FormatCount(PerSecond(*volume.documents, seconds.median)) : "",
          fmt::format("{:.2f}", Ratio(cpu, seconds.median)),
          FormatBytes(static_cast<uint64_t>(peak)),
          row.bound,
          reached ? fmt::format("{:.0f} %", 100 * *reached) : ""};
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

std::string RefusedLine(const BenchConditions& conditions) {
  const uint64_t refused = conditions.refused.value_or(0);
  if (refused == 0) {
    return "";
  }
  return fmt::format("{} of {} documents were refused\n", FormatCount(refused),
                     FormatCount(refused + conditions.documents.value_or(0)));
}

std::string RacerLine(const BenchRacer& racer) {
  const Spread seconds = SpreadOf(racer.seconds);
  return fmt::format("{:.3f} s ({:.3f}..{:.3f}), {:.3f} s CPU   {}\n", seconds.median,
                     seconds.least, seconds.most, SpreadOf(racer.cpu_seconds).median,
                     EscapeControls(racer.command));
}

// Ours through theirs of each pair: the machine's moods then meet both alike.
Spread RatiosOf(const std::vector<double>& ours, const std::vector<double>& theirs) {
  std::vector<double> ratios;
  ratios.reserve(ours.size());
  for (size_t pair = 0; pair < ours.size(); ++pair) {
    ratios.push_back(Ratio(ours[pair], theirs[pair]));
  }
  return SpreadOf(std::move(ratios));
}

Spread TimeRatios(const BenchRace& race) {
  return RatiosOf(race.ours.seconds, race.theirs.seconds);
}

Spread CpuRatios(const BenchRace& race) {
  return RatiosOf(race.ours.cpu_seconds, race.theirs.cpu_seconds);
}

std::string RatioWords(const Spread& ratios) {
  return fmt::format("{:.2f} ({:.2f}..{:.2f})", ratios.median, ratios.least, ratios.most);
}

std::string RaceLines(const BenchRace& race) {
  return fmt::format("{}{}{} of its time, {} of its CPU time\n", RacerLine(race.ours),
                     RacerLine(race.theirs), RatioWords(TimeRatios(race)),
                     RatioWords(CpuRatios(race)));
}

template <typename Number = double>
OrderedJson RangeJson(const Spread& spread) {
  return {{"min", static_cast<Number>(spread.least)}, {"max", static_cast<Number>(spread.most)}};
}

template <typename Number = double>
OrderedJson SpreadJson(const Spread& spread) {
  OrderedJson json = {{"median", static_cast<Number>(spread.median)}};
  json.update(RangeJson<Number>(spread));
  return json;
}

template <typename Value>
void AddKnown(OrderedJson& json, const char* name, const std::optional<Value>& value) {
  if (value.has_value()) {
    json[name] = *value;
  }
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
  OrderedJson runs = OrderedJson::array();
  for (const StageMeasurement& run : row.runs) {
    runs.push_back(RunJson(run));
  }
  OrderedJson json = {
      {"stage", row.stage},
      {"threads", row.threads},
      {"bytes_in", volume.bytes_in},
      {"bytes_out", volume.bytes_out},
      {"bytes_per_second", PerSecond(volume.bytes_in, seconds.median)},
      {"seconds", SpreadJson(seconds)},
      {"cpu_seconds", SpreadJson(SpreadOfRuns(row, &StageMeasurement::cpu_seconds))},
      {"peak_bytes", SpreadJson<uint64_t>(SpreadOfRuns(row, &StageMeasurement::peak_bytes))},
      {"bound", row.bound},
      {"bound_seconds", SpreadJson(SpreadOfRuns(row, &StageMeasurement::bound_seconds))}};
  AddKnown(json, "share_of_bound", ShareOfBound(row));
  if (volume.documents.has_value()) {
    json["documents"] = *volume.documents;
    json["documents_per_second"] = PerSecond(*volume.documents, seconds.median);
  }
  json["runs"] = std::move(runs);
  return json;
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
          {"time_ratio", TimeRatios(race).median},
          {"time_ratio_range", RangeJson(TimeRatios(race))},
          {"cpu_ratio", CpuRatios(race).median},
          {"cpu_ratio_range", RangeJson(CpuRatios(race))}};
}

OrderedJson HeadJson(const BenchConditions& conditions) {
  OrderedJson json = {
      {"v", 1},
      {"type", "bench"},
      {"version", kVersion},
      {"time", FormatTime(conditions.begin)},
      {"processor", conditions.machine.processor},
      {"cpus", conditions.machine.cpus},
      {"threads", conditions.threads},
      {"compression", conditions.compression},
      {"dimension", conditions.dimension},
      {"corpus", conditions.corpus ? OrderedJson(*conditions.corpus) : OrderedJson()}};
  AddKnown(json, "documents", conditions.documents);
  AddKnown(json, "refused", conditions.refused);
  AddKnown(json, "document_bytes", conditions.document_bytes);
  AddKnown(json, "rows", conditions.rows);
  json["seed"] = conditions.seed;
  return json;
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
  return Table(results.rows) + gap + race + RefusedLine(results.conditions);
}

std::string FormatBenchResultsAsJson(const BenchResults& results) {
  OrderedJson stages = OrderedJson::array();
  for (const BenchRow& row : results.rows) {
    stages.push_back(RowJson(row));
  }
  OrderedJson document = HeadJson(results.conditions);
  document["stages"] = std::move(stages);
  document["against"] = results.race ? RaceJson(*results.race) : OrderedJson();
  return JsonLine(document);
}

}  // namespace sluice
