#include "tools/job_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "io/json/json_document.h"
#include "tools/job_response_line.h"

namespace sluice {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

BatchJob Job() {
  BatchJob job;
  job.name = "batches/x";
  return job;
}

TEST(JobFormat, AStateThatNobodyKnowsIsShownAsTheServiceSaidIt) {
  BatchJob job = Job();
  job.raw_state = "BATCH_STATE_DREAMING";
  EXPECT_THAT(FormatJob(job), HasSubstr("\nState  BATCH_STATE_DREAMING\n"));
  EXPECT_EQ(FormatJobProgress(job, WallTime{}),
            "1970-01-01T00:00:00Z batches/x BATCH_STATE_DREAMING\n");
  const json document = ParseJson(FormatJobAsJson(job, {}));
  EXPECT_EQ(document["job"]["state"], "UNSPECIFIED");
  EXPECT_EQ(document["job"]["raw_state"], "BATCH_STATE_DREAMING");
}

TEST(JobFormat, WhatTheServiceDidNotSayIsNull) {
  const json job = ParseJson(FormatJobAsJson(Job(), {}))["job"];
  for (const char* name : {"stats", "progress", "error"}) {
    EXPECT_TRUE(job[name].is_null()) << name;
  }
}

TEST(JobFormat, ErrorDetailsAreJson) {
  BatchJob job = Job();
  job.error = JobError{.code = 8, .message = "full", .details = R"([{"reason":"QUOTA"}])"};
  EXPECT_EQ(ParseJson(FormatJobAsJson(job, {}))["job"]["error"]["details"][0]["reason"], "QUOTA");
  job.error->details = "";
  EXPECT_TRUE(ParseJson(FormatJobAsJson(job, {}))["job"]["error"]["details"].is_null());
}

TEST(JobFormat, DocumentsCannotSteerATerminal) {
  BatchJob job = Job();
  job.display_name = "\xc2\x9b\u202e\x7f";
  const std::string line = FormatJobAsJson(job, {.is_terminal = true});
  EXPECT_THAT(line, HasSubstr(R"(\u009b\u202e\u007f)"));
  EXPECT_EQ(ParseJson(line)["job"]["display_name"], job.display_name);
}

TEST(JobResponseLine, VectorsKeepTheirShortDigits) {
  const JobResponse response{.key = "a\"b", .vector = {0.1F, -2, 1e-20F}};
  EXPECT_EQ(FormatJobResponse(response, {}), "{\"key\":\"a\\\"b\",\"embedding\":[0.1,-2,1e-20]}\n");
}

TEST(JobResponseLine, AnswersHaveTextPartsAndUsage) {
  const JobResponse response{.key = "a",
                             .text = "hi",
                             .parts = {R"({"text":"hi"})"},
                             .finish_reason = "STOP",
                             .usage = {.prompt_tokens = 3, .output_tokens = {}}};
  EXPECT_EQ(FormatJobResponse(response, {}),
            R"({"key":"a","text":"hi","parts":[{"text":"hi"}],"finish_reason":"STOP",)"
            R"("prompt_tokens":3,"output_tokens":null})"
            "\n");
}

TEST(JobResponseLine, ErrorsAreErrors) {
  const JobResponse response{.key = "a", .error = JobError{.code = 13, .message = "\xff"}};
  const json line = ParseJson(FormatJobResponse(response, {}));
  EXPECT_EQ(line["error"]["code"], 13);
  EXPECT_FALSE(line.contains("text"));
}

}  // namespace
}  // namespace sluice
