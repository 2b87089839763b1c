#include "api/batches/inline_answers.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace sluice {
namespace {

Result<std::vector<std::string>> Lines(std::string_view responses) {
  std::vector<std::string> lines;
  SLUICE_TRY(ForEachInlineAnswer(responses, [&](std::string_view line) -> Result<void> {
    lines.emplace_back(line);
    return {};
  }));
  return lines;
}

TEST(InlineAnswers, BecomeLinesWithTheirKeyLifted) {
  EXPECT_EQ(Lines(R"([{"response":{"x":0.1},"metadata":{"key":"k1"}},
                      {"error":{"code":1},"metadata":{"key":"k2"}},
                      {"response":{}}])")
                .value(),
            (std::vector<std::string>{
                "{\"key\":\"k1\",\"metadata\":{\"key\":\"k1\"},\"response\":{\"x\":0.1}}\n",
                "{\"error\":{\"code\":1},\"key\":\"k2\",\"metadata\":{\"key\":\"k2\"}}\n",
                "{\"response\":{}}\n"}));
  EXPECT_TRUE(Lines("[]").value().empty());
}

TEST(InlineAnswers, MustBeAListOfObjects) {
  for (const char* responses : {"", "{}", "[1]", "[{}", "null"}) {
    EXPECT_EQ(Lines(responses).error().code, ErrorCode::kBadAnswer) << responses;
  }
}

TEST(InlineAnswers, EndWithTheErrorOfTheTaker) {
  int taken = 0;
  const auto result = ForEachInlineAnswer("[{},{}]", [&](std::string_view) -> Result<void> {
    ++taken;
    return Fail(ErrorCode::kIo, "disk full");
  });
  EXPECT_EQ(result.error().message, "disk full");
  EXPECT_EQ(taken, 1);
}

}  // namespace
}  // namespace sluice
