// The conformance suite of sinks: what holds for every format, and then what each format promises.
#include "io/sink/sink.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

// Rows 0..rows-1 in two shards, the second first, rows backwards; `failed` rows have no value.
class SinkRun {
 public:
  explicit SinkRun(const std::string& output_name, int dimension)
      : options_{.output = folder_.Path(output_name),
                 .work_folder = folder_.Path("work"),
                 .dimension = dimension},
        sink_(MakeSink(*files_, options_).value()) {
    EXPECT_TRUE(files_->MakeFolders(options_.work_folder).has_value());
  }

  void Put(uint64_t rows, std::vector<Ordinal> failed) {
    failed_ = std::move(failed);
    rows_ = rows;
    PutShard({.first = rows / 2, .count = rows - rows / 2});
    PutShard({.first = 0, .count = rows / 2});
  }

  void PutShard(OrdinalRange range) {
    auto shard = sink_->OpenShard(range).value();
    for (Ordinal row = range.end(); row-- > range.first;) {
      EXPECT_TRUE(PutRow(*shard, row).has_value());
    }
    EXPECT_TRUE(shard->Seal().has_value());
  }

  Result<std::vector<OutputFile>> Close(bool skip) {
    std::string ids;
    for (uint64_t row = 0; row < rows_; ++row) {
      ids += fmt::format("{{\"row\":{},\"id\":\"d{}\",\"file\":\"f\",\"line\":{}}}\n", row, row,
                         row + 1);
    }
    return sink_->Close({.row_count = rows_,
                         .ids_path = folder_.Write("ids.jsonl", ids),
                         .skip_failures = skip,
                         .failures = failed_});
  }

  // Brings the work files of the closed output back, as before a retry.
  Result<void> Reopen(bool skip) {
    ReopenRequest request;
    request.closed = {.row_count = rows_,
                      .ids_path = folder_.Path("ids.jsonl"),
                      .skip_failures = skip,
                      .failures = failed_};
    request.shards = {{.first = 0, .count = rows_ / 2},
                      {.first = rows_ / 2, .count = rows_ - rows_ / 2}};
    request.failure_texts.assign(failed_.size(), "{\"class\":\"quota\",\"message\":\"m\"}");
    return sink_->Reopen(request);
  }

  // Rows of the shard `range` that have a value now.
  void PutAgain(OrdinalRange range, const std::vector<Ordinal>& rows) {
    for (const Ordinal row : rows) {
      std::erase(failed_, row);
    }
    auto shard = sink_->OpenRows(range).value();
    for (const Ordinal row : rows) {
      EXPECT_TRUE(PutRow(*shard, row).has_value());
    }
    EXPECT_TRUE(shard->Seal().has_value());
  }

  [[nodiscard]] std::string Output() const { return TempFolder::Read(options_.output); }
  [[nodiscard]] std::string File(const std::string& name) const {
    return TempFolder::Read(folder_.Path(name));
  }
  [[nodiscard]] bool HasWorkFiles() { return !files_->List(options_.work_folder).value().empty(); }
  Sink& sink() { return *sink_; }

 private:
  Result<void> PutRow(ShardSink& shard, Ordinal row) {
    if (std::ranges::find(failed_, row) != failed_.end()) {
      return shard.PutFailure(row, "{\"class\":\"quota\",\"message\":\"m\"}");
    }
    const auto value = static_cast<float>(row);
    return options_.dimension > 0 ? shard.PutVector(row, std::vector<float>{value, value + 0.5F})
                                  : shard.PutAnswer(row, fmt::format("{{\"text\":\"t{}\"}}", row));
  }

  TempFolder folder_;
  std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
  SinkOptions options_;
  std::unique_ptr<Sink> sink_;
  std::vector<Ordinal> failed_;
  uint64_t rows_ = 0;
};

struct Format {
  std::string output;
  int dimension;
};

class SinkConformance : public testing::TestWithParam<Format> {};

TEST_P(SinkConformance, GivesTheSameBytesWhateverOrderRowsAndShardsCameIn) {
  SinkRun shuffled(GetParam().output, GetParam().dimension);
  shuffled.Put(10, {3});
  ASSERT_TRUE(shuffled.Close(false).has_value());
  SinkRun whole(GetParam().output, GetParam().dimension);
  whole.Put(10, {3});
  whole.PutShard({.first = 0, .count = 5});  // a killed attempt did the first shard before
  ASSERT_TRUE(whole.Close(false).has_value());
  EXPECT_FALSE(whole.Output().empty());
  EXPECT_EQ(shuffled.Output(), whole.Output());
}

TEST_P(SinkConformance, MayBeClosedAgainAfterACrashInClose) {
  for (const bool skip : {false, true}) {
    SinkRun run(GetParam().output, GetParam().dimension);
    run.Put(6, {0, 5});
    const auto first = run.Close(skip);
    ASSERT_TRUE(first.has_value());
    const std::string bytes = run.Output();
    const auto second = run.Close(skip);
    ASSERT_TRUE(second.has_value()) << second.error().message;
    EXPECT_EQ(run.Output(), bytes);
    EXPECT_EQ(first->front().rows, second->front().rows);
    EXPECT_EQ(second->front().bytes, bytes.size());
  }
}

TEST_P(SinkConformance, LeavesNoWorkFilesBehind) {
  SinkRun run(GetParam().output, GetParam().dimension);
  run.Put(6, {2});
  ASSERT_TRUE(run.Close(true).has_value());
  ASSERT_TRUE(run.sink().RemoveWorkFiles().has_value());
  EXPECT_FALSE(run.HasWorkFiles());
}

TEST_P(SinkConformance, TakesRowsOfASealedShardAnewAndLeavesTheOthers) {
  SinkRun wanted(GetParam().output, GetParam().dimension);
  wanted.Put(10, {2});
  ASSERT_TRUE(wanted.Close(false).has_value());
  SinkRun run(GetParam().output, GetParam().dimension);
  run.Put(10, {1, 2, 7});
  run.PutAgain({.first = 0, .count = 5}, {1});
  run.PutAgain({.first = 5, .count = 5}, {7});
  run.PutAgain({.first = 5, .count = 5}, {7});  // as after a crash
  ASSERT_TRUE(run.Close(false).has_value());
  EXPECT_EQ(run.Output(), wanted.Output());
}

TEST_P(SinkConformance, AClosedOutputCanBeOpenedAgainHoweverItsFailedRowsWereWritten) {
  for (const bool skip : {false, true}) {
    SinkRun wanted(GetParam().output, GetParam().dimension);
    wanted.Put(10, {9});
    ASSERT_TRUE(wanted.Close(skip).has_value());
    SinkRun run(GetParam().output, GetParam().dimension);
    run.Put(10, {0, 4, 5, 9});
    ASSERT_TRUE(run.Close(skip).has_value());
    ASSERT_TRUE(run.sink().RemoveWorkFiles().has_value());
    const std::string old = run.Output();
    ASSERT_TRUE(run.Reopen(skip).has_value());
    EXPECT_EQ(run.Output(), old) << "it stays until the next one is whole";
    run.PutAgain({.first = 0, .count = 5}, {0, 4});
    run.PutAgain({.first = 5, .count = 5}, {5});
    ASSERT_TRUE(run.Close(skip).has_value());
    EXPECT_EQ(run.Output(), wanted.Output()) << skip;
  }
}

TEST_P(SinkConformance, DoesNotOpenAnOutputAgainThatItDidNotWrite) {
  SinkRun run(GetParam().output, GetParam().dimension);
  run.Put(10, {3});
  ASSERT_TRUE(run.Close(false).has_value());
  const auto reopened = run.Reopen(true);  // it would have a row less
  ASSERT_FALSE(reopened.has_value());
  EXPECT_EQ(reopened.error().code, ErrorCode::kUsage);
}

TEST_P(SinkConformance, RefusesIdsThatDoNotCoverTheRows) {
  SinkRun run(GetParam().output, GetParam().dimension);
  run.Put(6, {});
  TempFolder folder;
  const auto closed = run.sink().Close({.row_count = 6,
                                        .ids_path = folder.Write("ids", "{\"row\":0,\"id\":1}\n"),
                                        .skip_failures = false,
                                        .failures = {}});
  ASSERT_FALSE(closed.has_value());
  EXPECT_EQ(run.Output(), "") << "nothing may bear the final name";
}

INSTANTIATE_TEST_SUITE_P(AllFormats, SinkConformance,
                         testing::Values(Format{"v.npy", 2}, Format{"v.jsonl", 2},
                                         Format{"t.jsonl", 0}),
                         [](const auto& format) {
                           return fmt::format("{}{}", format.param.output.substr(2),
                                              format.param.dimension);
                         });

std::vector<float> RowsOf(const std::string& npy) {
  constexpr size_t kHeaderBytes = 128;
  std::vector<float> rows((npy.size() - kHeaderBytes) / sizeof(float));
  std::memcpy(rows.data(), npy.data() + kHeaderBytes, rows.size() * sizeof(float));
  return rows;
}

TEST(NpySink, WritesAHeaderThatNumpyReads) {
  SinkRun run("v.npy", 2);
  run.Put(3, {});
  ASSERT_TRUE(run.Close(false).has_value());
  const std::string bytes = run.Output();
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_EQ(static_cast<unsigned char>(bytes[8]), 118);  // 128 - 10
  EXPECT_EQ(bytes.substr(10, 60), "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), } ");
  EXPECT_EQ(bytes[127], '\n');
  EXPECT_EQ(RowsOf(bytes), (std::vector<float>{0, 0.5F, 1, 1.5F, 2, 2.5F}));
}

TEST(NpySink, FailedRowsAreNanOrLeftOutAndIdsGoWithThem) {
  SinkRun kept("v.npy", 2);
  kept.Put(4, {1});
  ASSERT_TRUE(kept.Close(false).has_value());
  const auto rows = RowsOf(kept.Output());
  ASSERT_EQ(rows.size(), 8u);
  EXPECT_TRUE(std::isnan(rows[2]) && std::isnan(rows[3]));
  EXPECT_EQ(rows[4], 2.0F);

  SinkRun skipped("v.npy", 2);
  skipped.Put(4, {1});
  ASSERT_TRUE(skipped.Close(true).has_value());
  EXPECT_EQ(RowsOf(skipped.Output()), (std::vector<float>{0, 0.5F, 2, 2.5F, 3, 3.5F}));
  EXPECT_EQ(skipped.File("v.ids.jsonl"),
            "{\"row\":0,\"id\":\"d0\",\"file\":\"f\",\"line\":1}\n"
            "{\"row\":1,\"id\":\"d2\",\"file\":\"f\",\"line\":3}\n"
            "{\"row\":2,\"id\":\"d3\",\"file\":\"f\",\"line\":4}\n");
}

TEST(JsonlSink, PutsTheIdBeforeTheAnswerAndTheReasonInPlaceOfIt) {
  SinkRun run("t.jsonl", 0);
  run.Put(3, {1});
  ASSERT_TRUE(run.Close(false).has_value());
  EXPECT_EQ(run.Output(),
            "{\"row\":0,\"id\":\"d0\",\"file\":\"f\",\"line\":1,\"text\":\"t0\"}\n"
            "{\"row\":1,\"id\":\"d1\",\"file\":\"f\",\"line\":2,\"error\":{\"class\":\"quota\","
            "\"message\":\"m\"}}\n"
            "{\"row\":2,\"id\":\"d2\",\"file\":\"f\",\"line\":3,\"text\":\"t2\"}\n");
}

TEST(Sink, RefusesAnEndingItDoesNotKnow) {
  const auto files = MakePosixFileSystem();
  const auto sink = MakeSink(*files, {.output = "x.csv", .work_folder = "w", .dimension = 0});
  ASSERT_FALSE(sink.has_value());
  EXPECT_EQ(sink.error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace sluice
