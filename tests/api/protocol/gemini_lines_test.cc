#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/protocol/line_protocol.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

RequestOptions Embed() {
  RequestOptions options;
  options.model = "gemini-embedding-001";
  options.dimension = 256;
  options.task_type = "RETRIEVAL_DOCUMENT";
  return options;
}

RequestOptions Generate() {
  RequestOptions options;
  options.task = Task::kGenerate;
  options.model = "gemini-2.5-flash";
  return options;
}

// The request line for these tokens, or the reason against it in angle brackets.
std::string LineFor(const RequestOptions& options, std::vector<std::string_view> tokens) {
  const auto protocol = MakeLineProtocol("gemini", options).value();
  std::string line = "before";
  const auto bytes = protocol->AppendRequest(tokens, line);
  if (!bytes.has_value()) {
    EXPECT_EQ(line, "before") << "a refused record must leave nothing behind";
    return "<" + bytes.error() + ">";
  }
  return line.substr(6);
}

TEST(GeminiRequests, EmbeddingLineIsWhatTheServiceDocuments) {
  EXPECT_EQ(LineFor(Embed(), {R"("some \u00e9 text")"}),
            R"({"key":"000000000000","request":{"content":{"parts":[{"text":"some \u00e9 text"}]},)"
            R"("taskType":"RETRIEVAL_DOCUMENT","outputDimensionality":256}})"
            "\n");
}

TEST(GeminiRequests, RoomForTheKeyIsWhereKeyOffsetSays) {
  const auto protocol = MakeLineProtocol("gemini", Embed()).value();
  std::string line;
  ASSERT_TRUE(protocol->AppendRequest(std::vector<std::string_view>{"\"x\""}, line).has_value());
  WriteKey(42, &line[protocol->key_offset()]);
  EXPECT_EQ(ParseJson(line)["key"], "000000000042");
}

TEST(GeminiRequests, TitleGoesAlongWhenThereIsOne) {
  RequestOptions options = Embed();
  options.title_field = "title";
  EXPECT_NE(LineFor(options, {"\"x\"", "\"T\""}).find(R"(,"title":"T"}})"), std::string::npos);
  EXPECT_EQ(LineFor(options, {"\"x\"", ""}).find("title"), std::string::npos);
  EXPECT_EQ(LineFor(options, {"\"x\"", "null"}).find("title"), std::string::npos);
  EXPECT_EQ(LineFor(options, {"\"x\"", "7"}), "<field \"title\" is not a string>");
  options.task_type = "CLUSTERING";
  EXPECT_EQ(MakeLineProtocol("gemini", options).error().code, ErrorCode::kUsage);
}

TEST(GeminiRequests, RefusesTextThatCannotBeEmbedded) {
  EXPECT_EQ(LineFor(Embed(), {""}), "<no field \"text\">");
  EXPECT_EQ(LineFor(Embed(), {"null"}), "<field \"text\" is not a string>");
  EXPECT_EQ(LineFor(Embed(), {"[1]"}), "<field \"text\" is not a string>");
  EXPECT_EQ(LineFor(Embed(), {"\"\""}), "<field \"text\" is an empty string>");
}

TEST(GeminiRequests, TheSecondEmbeddingModelIsToldItsTaskInTheText) {
  RequestOptions options = Embed();
  options.model = "gemini-embedding-2";
  options.title_field = "title";
  EXPECT_EQ(ParseJson(LineFor(options, {"\"x\"", "\"T\""}))["request"],
            ParseJson(R"({"content":{"parts":[{"text":"title: T | text: x"}]},)"
                      R"("outputDimensionality":256})"));
  options.title_field.clear();
  options.task_type = "CLUSTERING";
  EXPECT_NE(LineFor(options, {"\"x\""}).find("\"task: clustering | query: x\""), std::string::npos);
}

TEST(GeminiRequests, GenerationLineCarriesTheJobWideSettings) {
  RequestOptions options = Generate();
  options.system_instruction = "be \"brief\"";
  options.generation_config = R"({"temperature":0.5})";
  EXPECT_EQ(ParseJson(LineFor(options, {"\"hello\""}))["request"], ParseJson(R"({
      "contents":[{"parts":[{"text":"hello"}],"role":"user"}],
      "systemInstruction":{"parts":[{"text":"be \"brief\""}]},
      "generationConfig":{"temperature":0.5}})"));
  options.generation_config = "[]";
  EXPECT_EQ(MakeLineProtocol("gemini", options).error().code, ErrorCode::kUsage);
}

TEST(GeminiRequests, TemplateIsFilledFromTheFields) {
  RequestOptions options = Generate();
  options.prompt_template = "Say \"{{ a.b }}\" and {{n}}\nagain {{a.b}}.";
  const auto protocol = MakeLineProtocol("gemini", options).value();
  EXPECT_EQ(std::vector<std::string>(protocol->fields().begin(), protocol->fields().end()),
            (std::vector<std::string>{"a.b", "n"}));
  const Json line = ParseJson(LineFor(options, {R"("x\ty")", R"({"k":"v"})"}));
  EXPECT_EQ(line["request"]["contents"][0]["parts"][0]["text"],
            "Say \"x\ty\" and {\"k\":\"v\"}\nagain x\ty.");
  EXPECT_EQ(LineFor(options, {"\"x\"", ""}), "<no field \"n\" for the template>");
  for (const char* bad : {"{{", "{{a", "{{}}", "{{ }}"}) {
    options.prompt_template = bad;
    EXPECT_EQ(MakeLineProtocol("gemini", options).error().code, ErrorCode::kUsage) << bad;
  }
}

TEST(GeminiRequests, ReadyMadeRequestsPassThroughAsTheyStand) {
  RequestOptions options = Generate();
  options.request_field = "request";
  EXPECT_EQ(LineFor(options, {R"({ "contents": [] })"}),
            "{\"key\":\"000000000000\",\"request\":{ \"contents\": [] }}\n");
  EXPECT_EQ(LineFor(options, {"\"x\""}), "<field \"request\" is not a request (an object)>");
}

// Decodes a copy of the line with the padding that a block gives.
class GeminiAnswers : public testing::Test {
 protected:
  Reply Decode(const std::string& line, Task task = Task::kEmbed) {
    bytes_ = line + std::string(64, '}');
    RequestOptions options = task == Task::kEmbed ? Embed() : Generate();
    protocol_ = MakeLineProtocol("gemini", options).value();
    decoder_ = protocol_->MakeDecoder();
    return decoder_->Decode(std::string_view(bytes_).substr(0, line.size()));
  }

  std::string bytes_;
  std::unique_ptr<LineProtocol> protocol_;
  std::unique_ptr<ReplyDecoder> decoder_;
};

TEST_F(GeminiAnswers, VectorsOfBothModelsAndAnyOrderOfMembers) {
  const char* lines[] = {
      R"({"response":{"tokenCount":"7","embedding":{"values":[-0.5,0.25]}},"key":"000000000009"})",
      R"({"key":"000000000009","response":{"usageMetadata":{"promptTokenCount":7},"embedding":{"values":[ -0.5 , 0.25 ],"shape":[2]},"new":{"a":[1,{}]}}})",
      R"({"metadata":{"key":"000000000009"},"response":{"embedding":{"values":[-5e-1,0.25]},"tokenCount":"7"}})",
  };
  for (const char* line : lines) {
    const Reply reply = Decode(line);
    EXPECT_FALSE(reply.failure.has_value()) << line;
    EXPECT_EQ(reply.ordinal, 9u);
    EXPECT_EQ(std::vector<float>(reply.vector.begin(), reply.vector.end()),
              (std::vector<float>{-0.5F, 0.25F}));
    EXPECT_EQ(reply.usage.prompt_tokens, 7);
  }
}

TEST_F(GeminiAnswers, OnlyTheEmbeddingsValuesCountWhereverOthersOfTheNameStand) {
  const char* lines[] = {
      R"({"statistics":{"values":[9,9]},"key":"a","response":{"embedding":{"values":[0.5,0.25]}}})",
      R"({"key":"\"values\":[7]","response":{"embedding":{"values":[0.5,0.25]}}})",
      R"({"x\"values":[7],"key":"a","response":{"embedding":{"values":[0.5,0.25]}}})",
      R"({"response":{"embedding":{"values":[0.5,0.25],"statistics":{"values":[7]}}},"key":"a"})",
      R"({"response":{"embedding":{"values":[9],"values":[0.5,0.25]}},"key":"a"})",
      R"({"response":{"embedding":{"values" :  [0.5, 0.25]}},"key":"a"})",
      R"({"response":{"embedding":{"\u0076alues":[0.5,0.25]}},"key":"a"})",
      R"({"values":7,"response":{"embedding":{"values":[0.5,0.25]}},"key":"a"})",
  };
  for (const char* line : lines) {
    const Reply reply = Decode(line);
    ASSERT_FALSE(reply.failure.has_value()) << line << reply.failure->message;
    EXPECT_EQ(std::vector<float>(reply.vector.begin(), reply.vector.end()),
              (std::vector<float>{0.5F, 0.25F}))
        << line;
  }
}

TEST_F(GeminiAnswers, UnknownTokensAreNotZeroTokens) {
  const Reply reply = Decode(R"({"key":"h1","response":{"embedding":{"values":[1]}}})");
  EXPECT_EQ(reply.usage.prompt_tokens, std::nullopt);
  EXPECT_EQ(reply.key, "h1");
  EXPECT_EQ(reply.ordinal, std::nullopt);
}

TEST_F(GeminiAnswers, ErrorsHaveAClassACodeAndAMessage) {
  struct Case {
    const char* error;
    FailureClass failure_class;
    int code;
  };
  const Case cases[] = {
      {R"({"code":3,"message":"bad"})", FailureClass::kInvalid, 3},
      {R"({"code":3,"message":"input has 9000 tokens"})", FailureClass::kTooLong, 3},
      {R"({"code":401,"message":"invalid authentication token"})", FailureClass::kInvalid, 401},
      {R"({"status":"RESOURCE_EXHAUSTED","message":"wait"})", FailureClass::kQuota, 8},
      {R"({"code":8})", FailureClass::kQuota, 8},
      {R"({"code":13})", FailureClass::kTransient, 13},
      {R"({"code":1})", FailureClass::kTransient, 1},
      {R"({"code":429,"message":"x"})", FailureClass::kQuota, 429},
      {R"({"code":503})", FailureClass::kTransient, 503},
      {R"({"code":99999999999999999999})", FailureClass::kInvalid, 0},
      {R"("just text")", FailureClass::kInvalid, 0},
  };
  for (const Case& one : cases) {
    const Reply reply = Decode(std::string(R"({"key":"000000000001","error":)") + one.error + "}");
    ASSERT_TRUE(reply.failure.has_value()) << one.error;
    EXPECT_EQ(reply.failure->failure_class, one.failure_class) << one.error;
    EXPECT_EQ(reply.failure->code, one.code) << one.error;
    EXPECT_FALSE(reply.failure->message.empty());
    EXPECT_EQ(reply.ordinal, 1u);
  }
}

TEST_F(GeminiAnswers, AnErrorThatSaysNothingIsNone) {
  for (const std::string error : {"null", "{}", "{ }", R"("")", R"({"code":0,"message":""})",
                                  R"({"code":0,"message":"","status":null,"details":[{}]})"}) {
    const std::string beside = R"({"key":"000000000001","error":)" + error;
    EXPECT_FALSE(Decode(beside + R"(,"response":{"embedding":{"values":[1]}}})").failure) << error;
    const Reply alone = Decode(beside + "}");
    ASSERT_TRUE(alone.failure.has_value()) << error;
    EXPECT_EQ(alone.failure->failure_class, FailureClass::kMalformed) << error;
  }
  for (const char* error : {R"({"status":"INTERNAL"})", R"({"code":0,"message":"x"})"}) {
    EXPECT_TRUE(Decode(std::string(R"({"key":"000000000001","error":)") + error +
                       R"(,"response":{"embedding":{"values":[1]}}})")
                    .failure)
        << error;
  }
}

TEST_F(GeminiAnswers, LinesThatCannotBeUnderstoodAreMalformedNeverAValue) {
  const char* lines[] = {
      "",
      "{",
      "[]",
      "\"text\"",
      R"({"key":"000000000001"})",
      R"({"key":"000000000001","response":null})",
      R"({"key":"000000000001","response":[]})",
      R"({"key":"000000000001","response":{}})",
      R"({"key":"000000000001","response":{"embedding":{"values":[]}}})",
      R"({"key":"000000000001","response":{"embedding":{"values":[1,null]}}})",
      R"({"key":"000000000001","response":{"embedding":{"values":[1]}},"error":{"code":3}})",
      R"({"key":"000000000001","response":{"embedding":{"values":[1]}}} {"key":"000000000002"})",
      R"({"key":"000000000001","response":{"embedding":{"values":[1]}})",
      R"({"key":"000000000001","response":{"embedding":{"values":[1}}})",
      R"({"key":"000000000001","response":{"embedding":{"values":[1]]}}})",
      R"({"key":"000000000001","response":{"embedding":{"values":[01]}}})",
      R"({"key":"000000000001","response":{"embedding":{"values":[1e99]}}})",
      R"({"key":"000000000001","response":{"values":[1]}})",
  };
  for (const char* line : lines) {
    const Reply reply = Decode(line);
    ASSERT_TRUE(reply.failure.has_value()) << line;
    EXPECT_EQ(reply.failure->failure_class, FailureClass::kMalformed) << line;
  }
}

TEST_F(GeminiAnswers, GenerationJoinsTheTextAndLeavesThoughtsOut) {
  const Reply reply = Decode(
      R"({"key":"000000000001","response":{"candidates":[{"content":{"parts":[)"
      R"({"text":"hmm","thought":true},{"text":"four"},{"text":"\n!"}]},"finishReason":"STOP"}],)"
      R"("usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2}}})",
      Task::kGenerate);
  EXPECT_FALSE(reply.failure.has_value());
  EXPECT_EQ(ParseJson(reply.answer),
            ParseJson(R"({"text":"four\n!","finish_reason":"STOP",)"
                      R"("usage":{"prompt_tokens":3,"output_tokens":2}})"));
}

TEST_F(GeminiAnswers, GenerationWithoutTextIsAFailureWithItsReason) {
  const Reply blocked =
      Decode(R"({"key":"000000000001","response":{"promptFeedback":{"blockReason":"SAFETY"}}})",
             Task::kGenerate);
  ASSERT_TRUE(blocked.failure.has_value());
  EXPECT_EQ(blocked.failure->failure_class, FailureClass::kBlocked);
  EXPECT_NE(blocked.failure->message.find("SAFETY"), std::string::npos);
  const Reply stopped =
      Decode(R"({"key":"000000000001","response":{"candidates":[{"finishReason":"RECITATION"}]}})",
             Task::kGenerate);
  ASSERT_TRUE(stopped.failure.has_value());
  EXPECT_EQ(stopped.failure->failure_class, FailureClass::kBlocked);
}

TEST_F(GeminiAnswers, WhatIsNoTextIsNoEmptyAnswer) {
  const auto decode = [&](const std::string& content) {
    return Decode(R"({"key":"000000000001","response":{"candidates":[{"content":)" + content +
                      R"(,"finishReason":"STOP"}]}})",
                  Task::kGenerate);
  };
  for (const std::string content :
       {R"("abc")", R"([{"text":"a"}])", R"({"parts":"abc"})", R"({"parts":{"text":"a"}})",
        R"({"parts":["abc"]})", R"({"parts":[{"text":7}]})", R"({"parts":[{"text":"a"},7]})",
        R"({"parts":[{"functionCall":{"name":"f"}}]})",
        R"({"parts":[{"text":"hmm","thought":true},{"inlineData":{}}]})"}) {
    const Reply reply = decode(content);
    ASSERT_TRUE(reply.failure.has_value()) << content;
    EXPECT_EQ(reply.failure->failure_class, FailureClass::kMalformed) << content;
  }
  for (const std::string content : {R"(null)", R"({})", R"({"role":"model"})", R"({"parts":null})",
                                    R"({"parts":[]})", R"({"parts":[{"text":""}]})"}) {
    const Reply reply = decode(content);
    EXPECT_FALSE(reply.failure.has_value()) << content;
    EXPECT_EQ(ParseJson(reply.answer).at("text"), "") << content;
  }
}

}  // namespace
}  // namespace sluice
