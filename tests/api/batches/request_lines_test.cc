#include "api/batches/request_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vector>

#include "api/files/stage_source.h"
#include "tests/support/local_client.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

// All bytes of `source`, taken `step` at a time.
Result<std::string> ReadAll(const StageSource& source, size_t step = 7) {
  SLUICE_ASSIGN(const auto reading, source.open());
  std::string text;
  std::string buffer(step, '\0');
  while (true) {
    SLUICE_ASSIGN(const size_t count, reading->Read(std::as_writable_bytes(std::span(buffer))));
    if (count == 0) {
      return text;
    }
    text.append(buffer, 0, count);
  }
}

Result<std::string> Made(const std::string& text, const RequestLinesOptions& options) {
  SLUICE_ASSIGN(const StageSource lines, MakeRequestLines(SourceOfBytes(text), options));
  SLUICE_ASSIGN(std::string made, ReadAll(lines));
  EXPECT_EQ(lines.size, made.size());
  return made;
}

TEST(RequestLines, BareRequestsGetTheNumberOfTheirLineAsKey) {
  EXPECT_EQ(Made("{\"content\":{\"parts\":[{\"text\":\"a\"}]}}\r\n"
                 "\n"
                 "{\"request\":{\"content\":{}}}\n"
                 "{\"key\":\"mine\",\"request\":{\"content\":{}}}",
                 {})
                .value(),
            "{\"key\":\"1\",\"request\":{\"content\":{\"parts\":[{\"text\":\"a\"}]}}}\n"
            "{\"key\":\"3\",\"request\":{\"content\":{}}}\n"
            "{\"key\":\"mine\",\"request\":{\"content\":{}}}\n");
}

TEST(RequestLines, AKeyThatIsNoStringBecomesOne) {
  EXPECT_EQ(Made(R"({"key":7,"request":{"content":{}}}
{"request":{"content":{}},"key":null}
)",
                 {})
                .value(),
            "{\"key\":\"7\",\"request\":{\"content\":{}}}\n"
            "{\"key\":\"2\",\"request\":{\"content\":{}}}\n");
}

TEST(RequestLines, SettingsGoIntoEachRequestThatDoesNotSayOtherwise) {
  EXPECT_EQ(
      Made(R"({"contents":[]}
{"key":"k","request":{"contents":[],"generation_config":{"temperature":1},"systemInstruction":{"parts":[{"text":"own"}]}}}
)",
           {.task = Task::kGenerate,
            .generation_config = R"({"temperature":0.7,"maxOutputTokens":1000})",
            .system_instruction = "be brief"})
          .value(),
      R"({"key":"1","request":{"contents":[],"generationConfig":{"temperature":0.7,"maxOutputTokens":1000},"systemInstruction":{"parts":[{"text":"be brief"}]}}}
{"key":"k","request":{"contents":[],"generation_config":{"temperature":1,"maxOutputTokens":1000},"systemInstruction":{"parts":[{"text":"own"}]}}}
)");
  EXPECT_EQ(Made(R"({"content":{},"outputDimensionality":8})"
                 "\n"
                 R"({"content":{}})",
                 {.generation_config = R"({"outputDimensionality":256})"})
                .value(),
            "{\"key\":\"1\",\"request\":{\"content\":{},\"outputDimensionality\":8}}\n"
            "{\"key\":\"2\",\"request\":{\"content\":{},\"outputDimensionality\":256}}\n");
}

TEST(RequestLines, AFileOfManyBlocksIsMadeWhole) {
  std::string text;
  std::string expected;
  for (int i = 1; i <= 30'000; ++i) {
    const std::string request = R"({"content":{"parts":[{"text":")" +
                                std::string(static_cast<size_t>(i % 97), 'x') + R"("}]}})";
    text += request + "\n";
    expected += R"({"key":")" + std::to_string(i) + R"(","request":)" + request + "}\n";
  }
  text.pop_back();
  const StageSource lines = MakeRequestLines(SourceOfBytes(text)).value();
  EXPECT_EQ(lines.size, expected.size());
  EXPECT_EQ(ReadAll(lines, 65'537).value(), expected);
  EXPECT_EQ(ReadAll(lines, 65'537).value(), expected);  // Opened again: the same.
}

TEST(RequestLines, WhatIsNoRequestIsNamedByItsLine) {
  const auto fault = [](const std::string& text, const RequestLinesOptions& options = {}) {
    const auto made = Made(text, options);
    EXPECT_EQ(made.error().code, ErrorCode::kInput);
    return made.error().message;
  };
  EXPECT_EQ(fault("{\"content\":{}}\n{\"content\":"), "line 2 is not a JSON object");
  EXPECT_EQ(fault("[]\n"), "line 1 is not a JSON object");
  EXPECT_EQ(fault("\n{\"key\":\"a\",\"request\":\"text\"}\n"),
            "line 2 is no request: it has no 'content'");
  EXPECT_EQ(fault("{\"content\":{}}\n", {.task = Task::kGenerate}),
            "line 1 is no request: it has no 'contents'");
}

TEST(RequestLines, SettingsThatCannotBeAreAUsageError) {
  const std::vector<RequestLinesOptions> wrong = {
      {.generation_config = "[]"},
      {.generation_config = "{"},
      {.system_instruction = "embeddings have none"},
  };
  for (const RequestLinesOptions& options : wrong) {
    EXPECT_EQ(MakeRequestLines(SourceOfBytes("{\"content\":{}}\n"), options).error().code,
              ErrorCode::kUsage);
  }
}

TEST(RequestLines, TheIdentityFollowsContentAndSettings) {
  const auto identity = [](const std::string& text, const RequestLinesOptions& options) {
    return MakeRequestLines(SourceOfBytes(text), options).value().identity;
  };
  const std::string one = identity("{\"content\":{}}\n", {});
  EXPECT_EQ(one, identity("{\"content\":{}}\n", {}));
  EXPECT_NE(one, identity("{\"content\":[]}\n", {}));
  EXPECT_NE(one, identity("{\"content\":{}}\n", {.generation_config = R"({"taskType":"X"})"}));
}

TEST(RequestLines, StopsWhenAskedTo) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(
      MakeRequestLines(SourceOfBytes("{\"content\":{}}\n"), {}, stop.get_token()).error().code,
      ErrorCode::kUnfinished);
}

TEST(RequestLines, AFileOfBareRequestsIsAnsweredWithTheSettingsInForce) {
  LocalClient local;
  const std::string path = local.folder.Write("input.jsonl",
                                              "{\"content\":{\"parts\":[{\"text\":\"one\"}]}}\n"
                                              "{\"content\":{\"parts\":[{\"text\":\"two\"}]}}\n");
  const StageSource lines =
      MakeRequestLines(SourceOfFile(path).value(),
                       {.generation_config = R"({"outputDimensionality":16})"})
          .value();
  const RemoteFile input = local.files().Upload(lines).value().file;
  const BatchJob job =
      local.batches()
          .CreateEmbeddings({.model = "gemini-embedding-001", .staged_file = input.name})
          .result()
          .value();
  const auto responses = local.batches().GetResponses(local.Wait(job).value()).value();
  ASSERT_EQ(responses.size(), 2U);
  for (const JobResponse& response : responses) {
    EXPECT_THAT(response.key, testing::AnyOf("1", "2"));
    EXPECT_EQ(response.vector.size(), 16U);
  }
}

}  // namespace
}  // namespace sluice
