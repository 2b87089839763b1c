#include "engine/prepare_run.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "io/shard/shard_file.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

class PrepareRunTest : public testing::Test {
 protected:
  PrepareRunTest() {
    std::string corpus;
    for (int i = 0; i < 1000; ++i) {
      corpus += fmt::format("{{\"id\":{0},\"text\":\"document {0}\"}}\n", i);
    }
    options_.corpus.inputs = {folder_.Write("corpus.jsonl", corpus + "{broken\n")};
    options_.request.model = "gemini-embedding-001";
    options_.limits.rows_max = 300;
    options_.run_folder = folder_.Path("run");
  }

  Result<PrepareSummary> Prepare() {
    Progress progress;
    return Prepare(progress);
  }

  Result<PrepareSummary> Prepare(Progress& progress) {
    StageTimes times;
    SystemClock clock;
    PrepareEnvironment environment{
        .files = *files_, .clock = clock, .progress = progress, .times = times, .stop = {}};
    return PrepareRun(options_, environment);
  }

  std::string ShardText(const std::string& file) {
    const auto source = OpenShard(*files_, folder_.Path("run/shards/" + file)).value();
    std::string text(1 << 20, '\0');
    size_t size = 0;
    while (const size_t count =
               source->Read(std::as_writable_bytes(std::span(text).subspan(size))).value()) {
      size += count;
    }
    return text.substr(0, size);
  }

  TempFolder folder_;
  std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
  RunOptions options_;
};

TEST_F(PrepareRunTest, MakesShardsAndTellsWhatWasRefused) {
  const auto summary = Prepare();
  ASSERT_TRUE(summary.has_value()) << summary.error().message;
  EXPECT_EQ(summary->documents, 1000U);
  EXPECT_EQ(summary->rejected, 1U);
  EXPECT_EQ(summary->shards, 4U);
  EXPECT_FALSE(summary->resumed);
  EXPECT_LT(summary->shard_bytes, summary->plain_bytes);
  EXPECT_TRUE(files_->Exists(summary->rejects_path));
}

TEST_F(PrepareRunTest, PlainShardsHoldTheSameLines) {
  ASSERT_TRUE(Prepare().has_value());
  const std::string packed = ShardText("00001.jsonl.zst");
  options_.zstd_level.reset();
  options_.run_folder = folder_.Path("plain");
  const auto summary = Prepare();
  ASSERT_TRUE(summary.has_value());
  EXPECT_EQ(summary->shard_bytes, summary->plain_bytes);
  EXPECT_EQ(ReadWholeFile(*files_, folder_.Path("plain/shards/00001.jsonl"), 1 << 20).value(),
            packed);
}

TEST_F(PrepareRunTest, DoneAgainItChangesNothing) {
  ASSERT_TRUE(Prepare().has_value());
  const auto again = Prepare();
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->resumed);
  EXPECT_EQ(again->documents, 1000U);
  EXPECT_EQ(again->shards, 4U);
}

TEST_F(PrepareRunTest, CountsOfOneThatGoesOnBeginWhereTheEarlierStood) {
  Progress first;
  const auto summary = Prepare(first);
  ASSERT_TRUE(summary.has_value());
  Progress again;
  ASSERT_TRUE(Prepare(again).has_value());
  EXPECT_EQ(again.documents_packed, 1000U);
  EXPECT_EQ(again.documents_rejected, 1U);
  EXPECT_EQ(again.shards_sealed, 4U);
  EXPECT_EQ(again.request_bytes, summary->plain_bytes);
  EXPECT_EQ(again.compressed_bytes, summary->shard_bytes);
  EXPECT_EQ(again.corpus_bytes_total, first.corpus_bytes_total);
  EXPECT_TRUE(again.packing_done);
}

TEST_F(PrepareRunTest, LeavesAccountAndOutputOpenAndPinsTheRest) {
  ASSERT_TRUE(Prepare().has_value());
  options_.account = "somebody";
  options_.output = "v.npy";
  ASSERT_TRUE(Prepare().has_value()) << "given later";
  options_.account = "somebody else";
  EXPECT_EQ(Prepare().error().code, ErrorCode::kUsage);
  options_.account = "somebody";
  options_.request.dimension = 7;
  EXPECT_EQ(Prepare().error().code, ErrorCode::kUsage);
}

TEST(ProviderTraits, AreKnownWithoutSigningIn) {
  EXPECT_GT(FindProviderTraits("gemini", Task::kEmbed, "gemini-embedding-001")->shard_bytes_max,
            0U);
  EXPECT_EQ(FindProviderTraits("nobody", Task::kEmbed, "").error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace sluice
