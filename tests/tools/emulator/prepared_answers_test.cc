#include "tools/emulator/prepared_answers.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

TEST(PreparedAnswers, GivesAUnitVectorOfTheWantedLengthUnderTheKey) {
  PreparedAnswers answers;
  std::string out;
  ASSERT_TRUE(
      answers.Append(R"({"key":"k\"1","request":{"content":{},"outputDimensionality":16}})", out));
  const Json line = ParseJson(out);
  EXPECT_EQ(line["key"], "k\"1");
  double square = 0;
  for (const Json& value : line["response"]["embedding"]["values"]) {
    square += value.get<double>() * value.get<double>();
  }
  EXPECT_EQ(line["response"]["embedding"]["values"].size(), 16U);
  EXPECT_NEAR(square, 1, 1e-5);
  EXPECT_TRUE(out.ends_with("}\n"));
}

TEST(PreparedAnswers, LeavesLinesOfAnotherFormAlone) {
  PreparedAnswers answers;
  std::string out = "before";
  for (const char* line : {"", "{", R"({"request":{}})", R"({"key":7,"request":{}})",
                           R"({"key":"a","request":{"outputDimensionality":0}})",
                           R"({"key":"a","request":{"outputDimensionality":1.5}})",
                           R"({"key":"a","request":{"outputDimensionality":1000000}})"}) {
    EXPECT_FALSE(answers.Append(line, out)) << line;
  }
  EXPECT_EQ(out, "before");
}

}  // namespace
}  // namespace sluice
