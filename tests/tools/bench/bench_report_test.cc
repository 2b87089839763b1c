#include "tools/bench/bench_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "io/json/json_document.h"

namespace sluice {
namespace {

using testing::HasSubstr;
using testing::Not;

BenchResults Found() {
  const StageVolume volume{.bytes_in = 100'000'000, .bytes_out = 40'000'000, .documents = 100'000};
  const auto run = [&](double seconds) {
    return StageMeasurement{.volume = volume,
                            .seconds = seconds,
                            .cpu_seconds = seconds * 1.5,
                            .peak_bytes = 30'000'000,
                            .bound_seconds = seconds / 2};
  };
  BenchResults results{.conditions = {.begin = WallTime(std::chrono::seconds(1'800'000'000)),
                                      .machine = {.processor = "Z80", .cpus = 2},
                                      .threads = 2,
                                      .compression = "zstd:1",
                                      .dimension = 64,
                                      .documents = 100'000,
                                      .refused = 0},
                       .rows = {},
                       .race = {}};
  results.rows.push_back(
      {.stage = "pack", .threads = 2, .bound = "zstd 1", .runs = {run(0.5), run(0.25), run(4)}});
  return results;
}

TEST(BenchReport, TheMedianIsTheMiddleWhateverTheOrder) {
  const Spread odd = SpreadOf({3, 1, 200});
  EXPECT_EQ(odd.median, 3);
  EXPECT_EQ(odd.least, 1);
  EXPECT_EQ(odd.most, 200);
  EXPECT_EQ(SpreadOf({4, 1, 2, 100}).median, 3);
}

TEST(BenchReport, TheTableHasALineForEachStage) {
  const std::string table = FormatBenchResults(Found());
  EXPECT_THAT(table, HasSubstr("stage        in      out      p50         range  threads  MB/s   "
                               "docs/s  cores     peak  bound by  reached\n"));
  EXPECT_THAT(table, HasSubstr("pack   100.0 MB  40.0 MB  0.500 s  0.250..4.000        2   200  "
                               "200,000   1.50  30.0 MB  zstd 1       50 %\n"));
}

TEST(BenchReport, HowMuchOfItsBoundAStageReachedIsNotTakenFromNextToNoTime) {
  BenchResults results = Found();
  for (StageMeasurement& run : results.rows.front().runs) {
    run.seconds = 0.0005;
  }
  EXPECT_THAT(FormatBenchResults(results), HasSubstr("zstd 1          -\n"));
  const auto json = ParseJson(FormatBenchResultsAsJson(results));
  EXPECT_FALSE(json.at("stages").at(0).contains("share_of_bound"));
}

TEST(BenchReport, RefusedDocumentsAreNamed) {
  BenchResults results = Found();
  EXPECT_THAT(FormatBenchResults(results), Not(HasSubstr("refused")));
  results.conditions.refused = 1500;
  EXPECT_THAT(FormatBenchResults(results),
              HasSubstr("\n1,500 of 101,500 documents were refused\n"));
  EXPECT_EQ(ParseJson(FormatBenchResultsAsJson(results)).at("refused"), 1500);
}

TEST(BenchReport, ARaceGivesBothMediansAndTheirRatios) {
  BenchResults results = Found();
  results.rows.clear();
  results.race =
      BenchRace{.stage = "pack",
                .ours = {.command = "sluice pack", .seconds = {1, 2, 3}, .cpu_seconds = {1, 1, 1}},
                .theirs = {.command = "zstd \x1b", .seconds = {4, 4, 5}, .cpu_seconds = {2, 2, 2}}};
  EXPECT_EQ(FormatBenchResults(results),
            "2.000 s (1.000..3.000), 1.000 s CPU   sluice pack\n"
            "4.000 s (4.000..5.000), 2.000 s CPU   zstd \\x1b\n"
            "0.50 (0.25..0.60) of its time, 0.50 (0.50..0.50) of its CPU time\n");
  const auto json = ParseJson(FormatBenchResultsAsJson(results));
  EXPECT_EQ(json.at("against").at("time_ratio"), 0.5);
  EXPECT_EQ(json.at("against").at("time_ratio_range").at("min"), 0.25);
  EXPECT_EQ(json.at("against").at("time_ratio_range").at("max"), 0.6);
}

TEST(BenchReport, TheRatioIsThatOfThePairsInTheMiddle) {
  BenchResults results = Found();
  results.race =
      BenchRace{.stage = "pack",
                .ours = {.command = "", .seconds = {1, 2, 9}, .cpu_seconds = {1, 1, 1}},
                .theirs = {.command = "", .seconds = {2, 8, 9}, .cpu_seconds = {1, 1, 1}}};
  const auto json = ParseJson(FormatBenchResultsAsJson(results));
  EXPECT_EQ(json.at("against").at("time_ratio"), 0.5);  // of the medians it would be 0.25
}

TEST(BenchReport, JsonTellsWhatTheFiguresHaveToBeReadWith) {
  const auto json = ParseJson(FormatBenchResultsAsJson(Found()));
  EXPECT_EQ(json.at("type"), "bench");
  EXPECT_EQ(json.at("time"), "2027-01-15T08:00:00Z");
  EXPECT_EQ(json.at("processor"), "Z80");
  EXPECT_EQ(json.at("dimension"), 64);
  EXPECT_EQ(json.at("documents"), 100'000);
  EXPECT_FALSE(json.contains("rows"));  // nothing was decoded
}

TEST(BenchReport, JsonHasEverySingleRun) {
  const auto json = ParseJson(FormatBenchResultsAsJson(Found()));
  const auto& stage = json.at("stages").at(0);
  EXPECT_EQ(stage.at("stage"), "pack");
  EXPECT_EQ(stage.at("seconds").at("median"), 0.5);
  EXPECT_EQ(stage.at("documents_per_second"), 200'000);
  EXPECT_EQ(stage.at("bytes_per_second"), 200'000'000);
  EXPECT_EQ(stage.at("runs").size(), 3U);
  EXPECT_TRUE(json.at("against").is_null());
}

TEST(BenchReport, JsonHasBytesAsIntegers) {
  const auto json = ParseJson(FormatBenchResultsAsJson(Found()));
  for (const auto& bytes : json.at("stages").at(0).at("peak_bytes")) {
    EXPECT_TRUE(bytes.is_number_integer()) << bytes;
  }
}

TEST(BenchReport, AStageThatSeesBytesOnlyHasNoDocuments) {
  BenchResults results = Found();
  for (StageMeasurement& run : results.rows.front().runs) {
    run.volume.documents.reset();
  }
  const auto json = ParseJson(FormatBenchResultsAsJson(results));
  EXPECT_FALSE(json.at("stages").at(0).contains("documents"));
  EXPECT_FALSE(json.at("stages").at(0).contains("documents_per_second"));
}

}  // namespace
}  // namespace sluice
