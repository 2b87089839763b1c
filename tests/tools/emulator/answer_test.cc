#include "tools/emulator/answer.h"

#include <cmath>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>

#include "io/json/json_document.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson ResultOf(const std::string& model, const std::string& line,
                     const LineTwist& twist = {}) {
  std::string out;
  AppendResultLine(*FindModel(model), line, twist, out);
  EXPECT_EQ(out.find('\n'), out.size() - 1) << out;
  return ParseOrderedJson(out);
}

double LengthOf(const OrderedJson& values) {
  double sum = 0;
  for (const OrderedJson& value : values) {
    sum += value.get<double>() * value.get<double>();
  }
  return std::sqrt(sum);
}

constexpr const char* kLine =
    R"({"key":"k","request":{"content":{"parts":[{"text":"a cat"}]},"outputDimensionality":8}})";

TEST(Answer, EchoesKeyAndMetadataAsTheyAre) {
  EXPECT_EQ(ResultOf("sluice-lexical-1", kLine)["key"], "k");
  const OrderedJson result =
      ResultOf("sluice-lexical-1",
               R"({"request":{"content":{"parts":[{"text":"x"}]}},"metadata":{"key":"m","n":1}})");
  EXPECT_EQ(result["metadata"], ParseOrderedJson(R"({"key":"m","n":1})"));
  EXPECT_FALSE(result.contains("key"));
}

TEST(Answer, TakesBothSpellingsAndBothHomesOfAnOption) {
  const OrderedJson expected = ResultOf("sluice-lexical-1", kLine);
  for (
      const char* line :
      {R"({"key":"k","request":{"content":{"parts":[{"text":"a cat"}]},"output_dimensionality":8}})",
       R"({"key":"k","request":{"content":{"parts":[{"text":"a cat"}]},"embedContentConfig":{"outputDimensionality":8}}})",
       R"({"key":"k","request":{"content":{"parts":[{"text":"a cat"}]},"outputDimensionality":9,"embed_content_config":{"output_dimensionality":8,"task_type":"CLUSTERING"}}})",
       R"({"key":"k","request":{"model":"models/sluice-lexical-1","content":{"role":"user","parts":{"text":"a cat"}},"outputDimensionality":"8"}})"}) {
    EXPECT_EQ(ResultOf("sluice-lexical-1", line), expected) << line;
  }
}

TEST(Answer, CountsTokensWhereTheModelDoes) {
  EXPECT_EQ(ResultOf("gemini-embedding-001", kLine)["response"]["tokenCount"], "2");
  EXPECT_EQ(ResultOf("gemini-embedding-2", kLine)["response"]["usageMetadata"]["promptTokenCount"],
            2);
}

TEST(Answer, HasUnitLengthWhereTheModelDoes) {
  const auto values = [](const char* model, int dimensions) {
    const OrderedJson line = {
        {"request",
         {{"content", {{"parts", {{{"text", "a cat"}}}}}}, {"outputDimensionality", dimensions}}}};
    return ResultOf(model, line.dump())["response"]["embedding"]["values"];
  };
  EXPECT_NEAR(LengthOf(values("gemini-embedding-2", 256)), 1, 1e-6);
  EXPECT_NEAR(LengthOf(values("sluice-lexical-1", 256)), 1, 1e-6);
  EXPECT_NEAR(LengthOf(values("gemini-embedding-001", 3072)), 1, 1e-6);
  EXPECT_LT(LengthOf(values("gemini-embedding-001", 256)), 0.95);
  EXPECT_EQ(values("gemini-embedding-2", 3072).size(), 3072U);
}

TEST(Answer, PutsTheTitleBeforeTheText) {
  const OrderedJson with_title = ResultOf(
      "sluice-lexical-1",
      R"({"request":{"title":"feline","content":{"parts":[{"text":"a cat"}]},"outputDimensionality":8}})");
  const OrderedJson joined = ResultOf(
      "sluice-lexical-1",
      R"({"request":{"content":{"parts":[{"text":"feline"},{"text":"a cat"}]},"outputDimensionality":8}})");
  EXPECT_EQ(with_title, joined);
}

TEST(Answer, EchoesTheLastContent) {
  const OrderedJson result = ResultOf(
      "gemini-2.5-flash",
      R"({"key":"k","request":{"contents":[{"role":"user","parts":[{"text":"first"}]},{"parts":[{"text":"say \"x\""},{"text":"twice"}]}],"generation_config":{"temperature":0.5}}})");
  const OrderedJson& candidate = result["response"]["candidates"][0];
  EXPECT_EQ(candidate["content"]["parts"][0]["text"], "echo: say \"x\"\ntwice");
  EXPECT_EQ(candidate["finishReason"], "STOP");
  EXPECT_EQ(result["response"]["usageMetadata"]["promptTokenCount"], 5);
}

TEST(Answer, AnswersBareRequestsWithoutKey) {
  const OrderedJson result =
      ResultOf("gemini-2.5-flash", R"({"contents":[{"parts":[{"text":"bare"}]}]})");
  EXPECT_EQ(result["response"]["candidates"][0]["content"]["parts"][0]["text"], "echo: bare");
  EXPECT_FALSE(result.contains("key"));
}

struct BadLine {
  const char* line;
  const char* reason;  // part of the message
};

TEST(Answer, MakesAnErrorLineOfWhatCannotBeAnswered) {
  const std::string deep =
      R"({"key":"k","request":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  const BadLine lines[] = {
      {"not json", "not valid JSON"},
      {"{\"key\":\"k\"", "not valid JSON"},
      {"[1]", "not a JSON object"},
      {"{\"key\":\"k\",\"request\":{\"content\":{\"parts\":[{\"text\":\"\xFF\"}]}}}",
       "not valid JSON"},
      {deep.c_str(), "not valid JSON"},
      {R"({"key":"k","request":7})", "object"},
      {R"({"key":"k","request":{}})", "contents is not specified"},
      {R"({"key":"k","request":{"content":{"parts":[{"text":""}]}}})", "contents is not specified"},
      {R"({"key":"k","request":{"content":{"parts":[{"inlineData":{}}]}}})", "'text'"},
      {R"({"key":"k","request":{"content":{"parts":[{"text":5}]}}})", "'text'"},
      {R"({"key":"k","request":{"content":{"parts":[{"text":"x"}]},"outputDimensionality":0}})",
       "between 1 and 3072"},
      {R"({"key":"k","request":{"content":{"parts":[{"text":"x"}]},"outputDimensionality":3073}})",
       "between 1 and 3072"},
      {R"({"key":"k","request":{"content":{"parts":[{"text":"x"}]},"taskType":"NO_SUCH"}})",
       "task_type"},
      {R"({"key":"k","request":{"content":{"parts":[{"text":"x"}]},"foo":1}})",
       "no such field: 'foo'"},
      {R"({"key":"k","request":{"content":{"parts":[{"text":"x"}],"bar":1}}})",
       "no such field: 'bar'"},
      {R"({"key":"k","custom_id":"c","request":{"content":{"parts":[{"text":"x"}]}}})",
       "no such field: 'custom_id'"},
      {R"({"key":"k","request":{"model":"models/other","content":{"parts":[{"text":"x"}]}}})",
       "models/other"},
  };
  for (const BadLine& bad : lines) {
    const OrderedJson result = ResultOf("sluice-lexical-1", bad.line);
    ASSERT_TRUE(result.contains("error")) << bad.line;
    EXPECT_EQ(result["error"]["code"], 3) << bad.line;
    EXPECT_NE(result["error"]["message"].get<std::string>().find(bad.reason), std::string::npos)
        << result.dump();
    EXPECT_FALSE(result.contains("response"));
  }
}

TEST(Answer, KeepsTheKeyOfABadLine) {
  EXPECT_EQ(ResultOf("sluice-lexical-1", R"({"key":"k7","request":{}})")["key"], "k7");
}

TEST(Answer, TwistsReplaceTheAnswer) {
  EXPECT_EQ(ResultOf("sluice-lexical-1", kLine, {.no_key = false, .error_code = 1}),
            ParseOrderedJson(R"({"error":{"code":1},"key":"k"})"));
  EXPECT_FALSE(ResultOf("sluice-lexical-1", kLine, {.no_key = true}).contains("key"));
}

}  // namespace
}  // namespace sluice
