#include "engine/merge.h"

#include <cmath>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <mutex>

#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

// Keeps rows in memory; a row put twice is a fault of the merge.
class MemorySink final : public ShardSink {
 public:
  Result<void> PutVector(Ordinal row, std::span<const float> vector) override {
    const std::scoped_lock lock(mutex_);
    EXPECT_TRUE(vectors.emplace(row, std::vector<float>(vector.begin(), vector.end())).second);
    return {};
  }
  Result<void> PutAnswer(Ordinal row, std::string_view answer) override {
    const std::scoped_lock lock(mutex_);
    EXPECT_TRUE(answers.emplace(row, answer).second);
    return {};
  }
  Result<void> PutFailure(Ordinal row, std::string_view failure) override {
    const std::scoped_lock lock(mutex_);
    EXPECT_TRUE(failures.emplace(row, failure).second);
    return {};
  }
  Result<void> Seal() override { return {}; }

  std::map<Ordinal, std::vector<float>> vectors;
  std::map<Ordinal, std::string> answers, failures;

 private:
  std::mutex mutex_;
};

RequestOptions TwoDimensions() {
  RequestOptions options;
  options.model = "m";
  options.dimension = 2;
  return options;
}

std::string VectorLine(Ordinal row, std::string_view values) {
  return fmt::format("{{\"response\":{{\"embedding\":{{\"values\":[{}]}}}},\"key\":\"{:012}\"}}\n",
                     values, row);
}

class MergeTest : public testing::Test {
 protected:
  Result<MergeOutcome> Merge(const std::string& answers, OrdinalRange range,
                             bool normalize = false) {
    const MergeOptions options{
        .range = range, .dimension = 2, .normalize = normalize, .threads = 2};
    CorpusOptions reading = AnswerReading(folder_.Path("spool"));
    reading.inputs = {folder_.Write("answers.jsonl", answers)};
    SLUICE_ASSIGN(auto list, ListCorpusFiles(*files_, reading));
    SLUICE_ASSIGN(const auto corpus, OpenCorpus(*files_, std::move(list), reading));
    return MergeAnswers(*corpus, options, environment_, sink_);
  }

  TempFolder folder_;
  std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
  std::unique_ptr<LineProtocol> protocol_ = MakeLineProtocol("gemini", TwoDimensions()).value();
  StageTimes times_;
  MergeEnvironment environment_{.protocol = *protocol_, .times = times_, .stop = {}};
  MemorySink sink_;
};

TEST_F(MergeTest, PutsEveryRowUnderItsOrdinalWhateverTheOrder) {
  const auto outcome =
      Merge(VectorLine(12, "3,4") + VectorLine(10, "1,2") + VectorLine(11, "5,6"), {10, 3});
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->ok, 3u);
  EXPECT_TRUE(outcome->failed.empty());
  EXPECT_EQ(sink_.vectors[10], (std::vector<float>{1, 2}));
  EXPECT_EQ(sink_.vectors[11], (std::vector<float>{5, 6}));
  EXPECT_EQ(sink_.vectors[12], (std::vector<float>{3, 4}));
}

TEST_F(MergeTest, NamesWhatIsMissingTwiceThereUnknownOrBroken) {
  const std::string answers = VectorLine(0, "1,2") + VectorLine(0, "1,2") +  // same again
                              VectorLine(1, "3,4") + VectorLine(1, "9,9") +  // another value
                              VectorLine(77, "1,1") +                        // not of this shard
                              "{\"response\":{},\"key\":\"somebody\"}\n" +   // not of ours
                              "{\"response\":{\"embedding\":{\"val" +        // no key to be told
                              "\n" + VectorLine(2, "1,2,3") +                // wrong length
                              "{\"key\":\"000000000003\",\"error\":{\"code\":8}}\n";
  const auto outcome = Merge(answers, {0, 5});
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->ok, 2u);
  EXPECT_EQ(outcome->duplicates, 1u);
  EXPECT_EQ(outcome->conflicts, 1u);
  EXPECT_EQ(outcome->first_conflict, 1u);
  EXPECT_EQ(outcome->strangers, 2u);
  EXPECT_EQ(outcome->malformed_lines, 1u);
  EXPECT_EQ(outcome->missing, 1u);
  ASSERT_EQ(outcome->failed.size(), 3u);
  EXPECT_EQ(outcome->failed[0].failure.failure_class, FailureClass::kMalformed);
  EXPECT_EQ(outcome->failed[1].failure.failure_class, FailureClass::kQuota);
  EXPECT_EQ(outcome->failed[2].failure.failure_class, FailureClass::kMissing);
  EXPECT_EQ(sink_.vectors[1], (std::vector<float>{3, 4})) << "the first valid answer counts";
  EXPECT_EQ(sink_.vectors.size() + sink_.failures.size(), 5u);
}

// Of whatever a service sends, a run keeps little for each row that fails.
TEST_F(MergeTest, AMessageIsCutAtACharacterAndSaysSo) {
  constexpr std::string_view kMark = " ... (cut)";
  const auto kept_of = [this](const std::string& error) {
    sink_.failures.clear();
    const auto outcome = Merge(R"({"key":"000000000000","error":)" + error + "}\n", {0, 1});
    return outcome->failed.at(0).failure.message;
  };
  for (const size_t begin : {996U, 997U, 998U, 999U, 1000U}) {
    const std::string message = std::string(begin, 'x') + "\xf0\x9f\x98\x80" + "y";
    const std::string kept =
        begin + 4 <= 1000 ? message.substr(0, begin + 4) : message.substr(0, begin);
    EXPECT_EQ(kept_of(R"({"code":3,"message":")" + message + "\"}"),
              message.size() <= 1000 ? message : kept + std::string(kMark));
  }
  const std::string long_text(size_t{1} << 20, 'a');
  EXPECT_EQ(kept_of('"' + long_text + '"').size(), 1000 + kMark.size());
}

TEST_F(MergeTest, NoPartOfAKeyIsLeftWhereAMessageIsCut) {
  constexpr std::string_view kKey = "AIzaTestKey-x";
  environment_.cut_secrets_out = [kKey](std::string& text) {
    const size_t at = text.find(kKey);
    text = at == std::string::npos ? text : text.replace(at, kKey.size(), "[key]");
  };
  const auto outcome = Merge(R"({"key":"000000000000","error":{"code":8,"message":")" +
                                 std::string(990, 'x') + R"(\u0041IzaTestKey-x and more"}})" + "\n",
                             {0, 1});
  ASSERT_EQ(outcome->failed.size(), 1U);
  EXPECT_EQ(outcome->failed[0].failure.message.find("AIza"), std::string::npos);
}

TEST_F(MergeTest, WhatTheServiceSaysOfARowIsRidOfTheKeyWhenItIsDecoded) {
  environment_.cut_secrets_out = [](std::string& text) {
    const size_t at = text.find("AIzaTestKey-x");
    text = at == std::string::npos ? text : text.substr(0, at) + "[key]";
  };
  const auto outcome =
      Merge(R"({"key":"000000000000","error":{"code":8,"message":"no AIza\u0054estKey-x"}})"
            "\n",
            {0, 1});
  ASSERT_EQ(outcome->failed.size(), 1U);
  EXPECT_EQ(outcome->failed[0].failure.message, "no [key]");
}

TEST_F(MergeTest, AValueBeatsAnErrorForTheSameKey) {
  const std::string error = "{\"key\":\"000000000000\",\"error\":{\"code\":13}}\n";
  for (const std::string& answers : {error + VectorLine(0, "1,2"), VectorLine(0, "1,2") + error}) {
    sink_.vectors.clear();
    const auto outcome = Merge(answers, {0, 1});
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome->ok, 1u);
    EXPECT_TRUE(outcome->failed.empty());
    EXPECT_EQ(outcome->duplicates, 1u);
  }
}

TEST_F(MergeTest, NoRowHoldsANumberThatIsNotFinite) {
  const auto outcome = Merge(VectorLine(0, "1,1e999") + VectorLine(1, "null,1") +
                                 VectorLine(2, "1,NaN") + VectorLine(3, "\"1\",2"),
                             {0, 4});
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->ok, 0u);
  EXPECT_EQ(outcome->failed.size(), 4u);
  EXPECT_TRUE(sink_.vectors.empty());
}

TEST_F(MergeTest, CountsTheNumbersThatWereNotOfTheCommonForm) {
  const auto outcome =
      Merge(VectorLine(0, "0.25,-0.5") + VectorLine(1, "1e-3,2.5E-1") + VectorLine(1, "1e-3,0.25"),
            {.first = 0, .count = 2});
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->values, 4u);
  EXPECT_GE(outcome->general_values, 2u);  // some kernels take a number's neighbours along
  EXPECT_LE(outcome->general_values, 4u);  // those of the second answer to row 1 do not count
}

TEST_F(MergeTest, NormalizesWhenAskedTo) {
  const auto outcome = Merge(VectorLine(0, "3,4") + VectorLine(1, "0,0"), {0, 2}, true);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(sink_.vectors[0], (std::vector<float>{0.6F, 0.8F}));
  ASSERT_EQ(outcome->failed.size(), 1u);
  EXPECT_EQ(outcome->failed[0].row, 1u);
}

TEST_F(MergeTest, FindsTheLengthOfMostVectors) {
  EXPECT_EQ(
      FindDimension(VectorLine(0, "1") + VectorLine(1, "1,2") + VectorLine(2, "1,2"), *protocol_),
      2);
  EXPECT_EQ(FindDimension("{\"key\":\"000000000003\",\"error\":{}}\n", *protocol_), std::nullopt);
  EXPECT_EQ(FindDimension(VectorLine(0, "1,2").substr(0, 30), *protocol_), std::nullopt)
      << "a line that is not whole yet";
}

// Text embedding models send back what they were asked, and not always whose question it was.
TEST_F(MergeTest, AnswersWithoutAKeyGoToTheRowsThatAskedAboutTheirText) {
  RequestOptions request = TwoDimensions();
  request.model = "text-embedding-005";
  const auto lines = MakeLineProtocol("vertex", request).value();
  const auto ask = [](Ordinal row, std::string_view text) {
    return fmt::format("{{\"key\":\"{:012}\",\"content\":\"{}\"}}\n", row, text);
  };
  const auto answer = [](std::string_view key, std::string_view text, std::string_view values) {
    return fmt::format(
        "{{\"instance\":{{{}\"content\":\"{}\"}},\"predictions\":[{{\"embeddings\":{{\"values\":[{}"
        "]}}}}]}}\n",
        key, text, values);
  };
  const std::string asked = folder_.Write(
      "requests.jsonl", ask(10, "same") + ask(11, "same") + ask(12, "\\u00e9") + ask(13, "same"));
  RowsByText rows(*files_, *lines, asked);
  MergeEnvironment environment{
      .protocol = *lines, .times = times_, .stop = {}, .rows_by_text = &rows};
  const std::string answers = answer("\"key\":\"000000000010\",", "same", "1,2") +
                              answer("", "\xC3\xA9", "3,4") + answer("", "same", "1,2") +
                              answer("", "same", "1,2") + answer("", "same", "1,2") +
                              answer("", "never asked", "5,6");
  CorpusOptions reading = AnswerReading(folder_.Path("spool"));
  reading.inputs = {folder_.Write("answers.jsonl", answers)};
  const auto corpus =
      OpenCorpus(*files_, ListCorpusFiles(*files_, reading).value(), reading).value();
  const auto outcome =
      MergeAnswers(*corpus, {.range = {10, 4}, .dimension = 2}, environment, sink_);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->ok, 4u);
  EXPECT_TRUE(outcome->failed.empty());
  EXPECT_EQ(outcome->malformed_lines, 2u);  // the fourth "same", and what nobody asked
  EXPECT_EQ(sink_.vectors[12], (std::vector<float>{3, 4}));
  EXPECT_EQ(sink_.vectors[13], (std::vector<float>{1, 2}));
}

}  // namespace
}  // namespace sluice
