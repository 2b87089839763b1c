#include "api/batches/job_response.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

JobResponse Read(std::string_view line) { return JobResponseReader().Read(line); }

TEST(JobResponse, AnEmbeddingIsAVectorWithItsTokens) {
  // Both forms that were seen (protocol page 7.4).
  const JobResponse old_form =
      Read(R"({"response":{"tokenCount":"7","embedding":{"values":[-0.5,0.25]}},"key":"k 1"})");
  EXPECT_TRUE(old_form.ok());
  EXPECT_EQ(old_form.key, "k 1");
  EXPECT_EQ(old_form.vector, (std::vector<float>{-0.5F, 0.25F}));
  EXPECT_EQ(old_form.usage.prompt_tokens, 7);
  const JobResponse new_form = Read(
      R"({"metadata":{"key":"h\"1"},"response":{"embedding":{"values":[1]},"usageMetadata":{"promptTokenCount":81}}})");
  EXPECT_EQ(new_form.key, "h\"1");
  EXPECT_EQ(new_form.vector, (std::vector<float>{1}));
  EXPECT_EQ(new_form.usage.prompt_tokens, 81);
  EXPECT_FALSE(
      Read(R"({"response":{"embedding":{"values":[1]}}})").usage.prompt_tokens.has_value());
}

TEST(JobResponse, AGenerationIsTextWithPartsReasonAndUsage) {
  const JobResponse response = Read(R"({"key":"a","response":{"candidates":[{"content":{"parts":[
      {"text":"hm","thought":true},{"text":"fo"},{"inlineData":{"data":"x"}},{"text":"ur"}]},
      "finishReason":"MAX_TOKENS"}],
      "usageMetadata":{"promptTokenCount":13,"candidatesTokenCount":2}}})");
  EXPECT_TRUE(response.ok());
  EXPECT_EQ(response.text, "four");
  EXPECT_EQ(response.parts.size(), 4U);
  EXPECT_EQ(response.parts[2], R"({"inlineData":{"data":"x"}})");
  EXPECT_EQ(response.finish_reason, "MAX_TOKENS");
  EXPECT_EQ(response.usage.prompt_tokens, 13);
  EXPECT_EQ(response.usage.output_tokens, 2);
  EXPECT_TRUE(response.vector.empty());
}

TEST(JobResponse, PartsThatAreNoListAreNoAnswer) {
  for (const std::string candidate :
       {R"({"content":{"parts":"abc"}})", R"({"content":{"parts":[7]}})",
        R"({"content":{"parts":[{"text":5}]}})", "null", R"("x")"}) {
    EXPECT_FALSE(Read(R"({"key":"a","response":{"candidates":[)" + candidate + "]}}").ok())
        << candidate;
  }
  EXPECT_TRUE(Read(R"({"key":"a","response":{"candidates":[{"finishReason":"STOP"}]}})").ok());
}

TEST(JobResponse, AnErrorIsAnErrorWhereverItStands) {
  const JobResponse error =
      Read(R"({"key":"x","error":{"code":3,"message":"bad","details":[{"reason":"R"}]}})");
  EXPECT_FALSE(error.ok());
  EXPECT_EQ(error.key, "x");
  EXPECT_EQ(error.error->code, 3);
  EXPECT_EQ(error.error->message, "bad");
  EXPECT_EQ(error.error->details, R"([{"reason":"R"}])");
  EXPECT_EQ(Read(R"({"status":{"code":8,"message":"m"}})").error->code, 8);
  EXPECT_EQ(Read(R"({"key":"x","error":{"code":1}})").error->message,
            "the service failed it with code 1");
  const JobResponse blocked =
      Read(R"({"key":"b","response":{"promptFeedback":{"blockReason":"SAFETY"}}})");
  EXPECT_EQ(blocked.error->code, 3);
  EXPECT_NE(blocked.error->message.find("SAFETY"), std::string::npos);
}

TEST(JobResponse, AnErrorThatSaysNothingIsNone) {
  for (const std::string error : {"null", "{}", R"({"code":0,"message":""})"}) {
    EXPECT_TRUE(
        Read(R"({"key":"x","response":{"embedding":{"values":[1]}},"error":)" + error + "}").ok())
        << error;
    EXPECT_FALSE(Read(R"({"key":"x","error":)" + error + "}").ok()) << error;
  }
}

TEST(JobResponse, WhatCannotBeUnderstoodSaysWhyAndKeepsItsKey) {
  for (const char* line :
       {"{", "[]", "{}", R"({"key":"k"})", R"({"response":{}})", R"({"response":[]})",
        R"({"response":{"embedding":{"values":[]}}})",
        R"({"response":{"embedding":{"values":["x"]}}})", R"({"response":{"candidates":{}}})"}) {
    const JobResponse response = Read(line);
    ASSERT_FALSE(response.ok()) << line;
    EXPECT_EQ(response.error->code, 0);
    EXPECT_EQ(response.json, line);
  }
  EXPECT_EQ(Read(R"({"key":"k"})").key, "k");
}

struct Streamed {
  std::vector<std::string> keys;
  JobResponseStream::Take take = [this](const JobResponse& response) -> Result<void> {
    keys.push_back(response.key);
    return {};
  };
  JobResponseStream stream{take};
};

const std::string kLines =
    "{\"key\":\"a\",\"error\":{\"code\":1}}\r\n\n{\"key\":\"b\",\"error\":{\"code\":1}}\n"
    "{\"key\":\"c\",\"error\":{\"code\":1}}";

TEST(JobResponseStream, CutsLinesWhereverTheBytesAreCut) {
  for (size_t step = 1; step <= kLines.size(); ++step) {
    Streamed test;
    for (size_t at = 0; at < kLines.size(); at += step) {
      ASSERT_TRUE(test.stream.Write(std::string_view(kLines).substr(at, step)).has_value());
    }
    ASSERT_TRUE(test.stream.Close().has_value());
    EXPECT_EQ(test.keys, (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_EQ(test.stream.count(), 3U);
  }
}

TEST(JobResponseStream, GivesNothingTwiceWhenTheBytesComeAgain) {
  for (size_t broken = 0; broken <= kLines.size(); ++broken) {
    Streamed test;
    ASSERT_TRUE(test.stream.Write(std::string_view(kLines).substr(0, broken)).has_value());
    test.stream.Restart();
    ASSERT_TRUE(test.stream.Write(std::string_view(kLines).substr(0, broken / 2)).has_value());
    test.stream.Restart();
    ASSERT_TRUE(test.stream.Write(kLines).has_value());
    ASSERT_TRUE(test.stream.Close().has_value());
    EXPECT_EQ(test.keys, (std::vector<std::string>{"a", "b", "c"})) << broken;
  }
}

TEST(JobResponseStream, AnEndInTheMiddleOfALineIsAnError) {
  Streamed test;
  ASSERT_TRUE(test.stream.Write(kLines.substr(0, kLines.size() - 1)).has_value());
  EXPECT_EQ(test.stream.Close().error().code, ErrorCode::kBadAnswer);
  EXPECT_EQ(test.keys, (std::vector<std::string>{"a", "b"}));
}

TEST(JobResponseStream, AWholeLastLineThatCannotBeUnderstoodIsALineAsAnyOther) {
  const std::string line =
      R"({"key":"d","response":{"candidates":[{"finishReason":"STOP"}],"x":1e999}})";
  for (const char* end : {"", "\n"}) {
    Streamed test;
    ASSERT_TRUE(test.stream.Write(line + end).has_value());
    EXPECT_TRUE(test.stream.Close().has_value());
    EXPECT_EQ(test.keys, (std::vector<std::string>{"d"}));
  }
}

TEST(JobResponseStream, EndsWithTheErrorOfTheTaker) {
  const JobResponseStream::Take take = [](const JobResponse&) -> Result<void> {
    return Fail(ErrorCode::kIo, "disk full");
  };
  JobResponseStream stream(take);
  EXPECT_EQ(stream.Write(kLines).error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace sluice
