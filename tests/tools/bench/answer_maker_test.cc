#include "tools/bench/answer_maker.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "io/json/json_document.h"
#include "tests/support/temp_folder.h"
#include "tools/bench/bench_measurement.h"

namespace sluice {
namespace {

class AnswerMakerTest : public testing::Test {
 protected:
  std::string Make(const std::string& name, AnswerMakerOptions options) {
    options.folder = folder_.Path(name);
    options.rows = 300;
    options.dimension = 24;
    EXPECT_TRUE(files_->MakeFolders(options.folder).has_value());
    EXPECT_TRUE(MakeAnswers(*files_, options).has_value());
    return TempFolder::Read(options.folder + "/answers-0.jsonl");
  }

  // The engine's own way from the answers of "answers" to an array, which is compared.
  Result<StageMeasurement> Decode() {
    const BenchInput input{.files = *files_,
                           .folder = folder_.path(),
                           .corpus = {},
                           .rows = 300,
                           .dimension = 24,
                           .threads = 2,
                           .zstd_level = {},
                           .limits = {},
                           .stop = {}};
    return MeasureStage(*FindBenchStage("decode"), input, true);
  }

  TempFolder folder_;
  std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
};

TEST_F(AnswerMakerTest, TheSameSeedGivesTheSameBytes) {
  const std::string answers = Make("a", {});
  EXPECT_EQ(answers, Make("b", {}));
  EXPECT_NE(answers, Make("c", {.seed = 2}));
}

TEST_F(AnswerMakerTest, EveryRowIsAnsweredOnceInSomeFile) {
  Make("a", {.files = 3, .failed_share = 0.1});
  std::set<std::string> keys;
  size_t failed = 0;
  for (int file = 0; file < 3; ++file) {
    std::istringstream lines(
        TempFolder::Read(folder_.Path(fmt::format("a/answers-{}.jsonl", file))));
    for (std::string line; std::getline(lines, line);) {
      const auto answer = ParseJson(line);
      keys.insert(answer.at("key").get<std::string>());
      failed += answer.contains("error") ? 1 : 0;
    }
  }
  EXPECT_EQ(keys.size(), 300U);
  EXPECT_GT(failed, 10U);
  EXPECT_LT(failed, 60U);
}

TEST_F(AnswerMakerTest, StoppedItLeavesNothing) {
  std::stop_source stop;
  stop.request_stop();
  ASSERT_TRUE(files_->MakeFolders(folder_.Path("a")).has_value());
  // The lines are too short for a look at the stop: it is the array that does not come to be.
  const auto made = MakeAnswers(*files_, {.folder = folder_.Path("a"),
                                          .rows = 300,
                                          .dimension = 24,
                                          .files = 2,
                                          .stop = stop.get_token()});
  EXPECT_EQ(made.error().code, ErrorCode::kUnfinished);
  EXPECT_TRUE(files_->List(folder_.Path("a"))->empty());
}

TEST_F(AnswerMakerTest, TheExpectedArrayIsWhatTheEngineMakesOfTheAnswers) {
  for (const AnswerMakerOptions& options :
       {AnswerMakerOptions{.files = 1}, AnswerMakerOptions{.files = 1, .usage_metadata = true},
        AnswerMakerOptions{.files = 1, .spaced = true}}) {
    Make("answers", options);
    const auto measured = Decode();
    ASSERT_TRUE(measured.has_value()) << measured.error().message;
    EXPECT_EQ(measured->volume.documents, 300U);
    EXPECT_GT(measured->seconds, 0.0);
  }
}

TEST_F(AnswerMakerTest, AWrongArrayIsNotMeasured) {
  Make("answers", {.files = 1});
  std::string expected = TempFolder::Read(folder_.Path("answers/expected.npy"));
  expected.back() ^= 1;
  ASSERT_FALSE(folder_.Write("answers/expected.npy", expected).empty());
  EXPECT_EQ(Decode().error().code, ErrorCode::kInternal);
}

}  // namespace
}  // namespace sluice
