#include "tools/progress_display.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "io/json/json_document.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

ProgressSnapshot HalfWay() {
  return {.corpus_bytes_total = 40'000'000,
          .corpus_bytes_read = 40'000'000,
          .documents = 20'122,
          .rejected = 3,
          .request_bytes = 58'000'000,
          .compressed_bytes = 20'000'000,
          .packing_done = true,
          .shards_sealed = 5,
          .shards_staged = 3,
          .bytes_uploaded = 34'000'000,
          .jobs_queued = 1,
          .jobs_running = 2,
          .jobs_ended = 0,
          .jobs_failed = 0,
          .bytes_fetched = 0,
          .rows_merged = 0,
          .rows_failed = 0,
          .elapsed = milliseconds(4200)};
}

TEST(ProgressDisplay, DrawsOneLineForEachStep) {
  const auto lines = DrawBlock(HalfWay(), {.prepare = milliseconds(400), .upload = {}}, 200);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0],
            "Prepare   ################################ 20,122 docs         100.0 MB/s   "
            "2.9x zstd   done 0.4s   refused 3");
  EXPECT_THAT(lines[1], StartsWith("Upload    ###################------------- 3/5 shards"));
  EXPECT_EQ(lines[2], "Jobs      queued 1  running 2  done 0  failed 0");
  EXPECT_THAT(lines[3], StartsWith("Merge     -------------------------------- 0/20,122"));
}

TEST(ProgressDisplay, ABarWithoutAKnownTotalStaysEmptyUntilItsStepIsDone) {
  ProgressSnapshot snapshot;
  snapshot.corpus_bytes_read = 1000;
  snapshot.documents = 10;
  EXPECT_THAT(DrawBlock(snapshot, {}, 200)[0], StartsWith("Prepare   -----"));
  EXPECT_THAT(DrawBlock(snapshot, {}, 200)[3], HasSubstr(" 0/? "));
  snapshot.packing_done = true;
  EXPECT_THAT(DrawBlock(snapshot, {}, 200)[0], StartsWith("Prepare   #####"));
}

TEST(ProgressDisplay, PrepareAloneIsOneLineAndPlainShardsHaveNoRatio) {
  ProgressSnapshot snapshot = HalfWay();
  snapshot.compressed_bytes = snapshot.request_bytes;
  const auto lines = DrawBlock(snapshot, {}, 200, StepsShown::kPrepare);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], StartsWith("Prepare "));
  EXPECT_THAT(lines[0], testing::Not(HasSubstr("zstd")));
}

TEST(ProgressDisplay, LinesNeverGrowWiderThanTheScreen) {
  for (const std::string& line : DrawBlock(HalfWay(), {}, 40)) {
    EXPECT_LE(CountCharacters(line), 40U);
  }
}

TEST(ProgressDisplay, NamesTheEarliestStepThatStillWorks) {
  ProgressSnapshot snapshot = HalfWay();
  snapshot.packing_done = false;
  EXPECT_EQ(StageName(snapshot), "prepare");
  snapshot.packing_done = true;
  EXPECT_EQ(StageName(snapshot), "upload");
  snapshot.shards_staged = 5;
  EXPECT_EQ(StageName(snapshot), "jobs");
  snapshot.jobs_queued = snapshot.jobs_running = 0;
  EXPECT_EQ(StageName(snapshot), "merge");
  snapshot.rows_merged = 20'120;
  snapshot.rows_failed = 2;
  EXPECT_EQ(StageName(snapshot), "done");
}

TEST(ProgressDisplay, PlainLinesCanBeGrepped) {
  ProgressSnapshot snapshot = HalfWay();
  snapshot.rows_merged = 10'061;
  const std::string line = PlainProgressLine(snapshot, WallTime(std::chrono::seconds(1795352432)));
  EXPECT_EQ(line,
            "2026-11-22T13:00:32Z progress stage=upload documents=20122 refused=3 shards=5 "
            "uploaded=3 queued=1 running=2 done=0 failed=0 merged=10061 rows_failed=0 elapsed_s=4 "
            "eta_s=4");
}

TEST(ProgressDisplay, JsonLinesCarryEveryCounter) {
  const auto line = ParseJson(JsonProgressLine(HalfWay(), WallTime()));
  EXPECT_EQ(line["v"], 1);
  EXPECT_EQ(line["type"], "progress");
  EXPECT_EQ(line["stage"], "upload");
  EXPECT_EQ(line["documents"], 20122);
  EXPECT_EQ(line["jobs"]["running"], 2);
  EXPECT_EQ(line["elapsed_ms"], 4200);
}

}  // namespace
}  // namespace sluice
