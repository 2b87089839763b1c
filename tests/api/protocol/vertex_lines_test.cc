#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/protocol/line_protocol.h"
#include "api/protocol/row_status.h"
#include "api/protocol/model_id.h"
#include "api/protocol/vertex_model.h"
#include "io/corpus/corpus.h"

namespace sluice {
namespace {

RequestOptions Embeds(const std::string& model, int dimension = 0) {
  return {.task = Task::kEmbed,
          .model = model,
          .dimension = dimension,
          .task_type = "RETRIEVAL_DOCUMENT",
          .title_field = "",
          .request_field = "",
          .prompt_template = "",
          .generation_config = "",
          .system_instruction = ""};
}

std::unique_ptr<LineProtocol> Lines(const RequestOptions& options) {
  return MakeLineProtocol("vertex", options).value();
}

std::string RequestOf(const RequestOptions& options, std::vector<std::string_view> tokens) {
  std::string out;
  EXPECT_TRUE(Lines(options)->AppendRequest(tokens, out).has_value());
  return out;
}

class Decoded {
 public:
  Decoded(const RequestOptions& options, const std::string& line)
      : decoder_(Lines(options)->MakeDecoder()), buffer_(line) {
    buffer_.append(Block::kPadding, ' ');
    reply = decoder_->Decode(std::string_view(buffer_).substr(0, line.size()));
  }
  Reply reply;

 private:
  std::unique_ptr<ReplyDecoder> decoder_;
  std::string buffer_;
};

TEST(VertexLines, KindsOfModels) {
  EXPECT_EQ(VertexModelKindOf("gemini-2.5-flash", Task::kGenerate), VertexModelKind::kGeneration);
  EXPECT_EQ(VertexModelKindOf("publishers/google/models/gemini-embedding-001", Task::kEmbed),
            VertexModelKind::kGeminiEmbedding);
  EXPECT_EQ(VertexModelKindOf("projects/p/locations/l/models/text-embedding-005@1", Task::kEmbed),
            VertexModelKind::kTextEmbedding);
  EXPECT_EQ(ModelIdOf("a/b@2"), "b");
}

TEST(VertexLines, AModelThatDoesSomethingElseIsRefused) {
  EXPECT_FALSE(VertexModelKindFor("gemini-2.5-flash", Task::kEmbed).has_value());
  EXPECT_FALSE(VertexModelKindFor("text-embedding-005", Task::kGenerate).has_value());
  EXPECT_EQ(VertexModelKindFor("projects/1/locations/l/models/tuned", Task::kEmbed),
            VertexModelKind::kGeminiEmbedding);
  EXPECT_EQ(VertexModelKindFor("projects/1/locations/l/models/tuned", Task::kGenerate),
            VertexModelKind::kGeneration);
}

TEST(VertexLines, RequestsOfEachKind) {
  EXPECT_EQ(RequestOf(Embeds("gemini-embedding-001", 768), {"\"Hi\""}),
            "{\"key\":\"000000000000\",\"request\":{\"content\":{\"parts\":[{\"text\":\"Hi\"}]},"
            "\"embed_content_config\":{\"task_type\":\"RETRIEVAL_DOCUMENT\","
            "\"output_dimensionality\":768}}}\n");
  // No object without members: the service cannot store one.
  EXPECT_EQ(RequestOf(Embeds("gemini-embedding-2"), {"\"Hi\""}),
            "{\"key\":\"000000000000\",\"request\":{\"content\":{\"parts\":[{\"text\":"
            "\"title: none | text: Hi\"}]}}}\n");
  RequestOptions titled = Embeds("gemini-embedding-001");
  titled.title_field = "title";
  EXPECT_NE(
      RequestOf(titled, {"\"Hi\"", "\"T\""})
          .find("\"embed_content_config\":{\"task_type\":\"RETRIEVAL_DOCUMENT\",\"title\":\"T\"}"),
      std::string::npos);
  titled.model = "text-embedding-005";
  titled.dimension = 256;
  std::string none;
  const std::vector<std::string_view> no_title = {"\"Hi\"", "{}"};
  EXPECT_EQ(Lines(titled)->AppendRequest(no_title, none).error(),
            "field \"title\" is not a string");
  EXPECT_EQ(RequestOf(titled, {"\"Hi\"", "\"T\""}),
            "{\"key\":\"000000000000\",\"content\":\"Hi\",\"task_type\":\"RETRIEVAL_DOCUMENT\","
            "\"outputDimensionality\":256,\"title\":\"T\"}\n");
  RequestOptions generates = Embeds("gemini-2.5-flash");
  generates.task = Task::kGenerate;
  EXPECT_EQ(RequestOf(generates, {"\"Hi\""}),
            "{\"key\":\"000000000000\",\"request\":{\"contents\":[{\"parts\":[{\"text\":\"Hi\"}],"
            "\"role\":\"user\"}]}}\n");
}

TEST(VertexLines, WhatGoesTogetherWithNothing) {
  RequestOptions options = Embeds("text-embedding-005");
  options.request_field = "request";
  EXPECT_EQ(MakeLineProtocol("vertex", options).error().code, ErrorCode::kUsage);
  options = Embeds("text-embedding-005");
  options.task = Task::kGenerate;
  EXPECT_EQ(MakeLineProtocol("vertex", options).error().code, ErrorCode::kUsage);
}

TEST(VertexLines, GeminiEmbeddingAnswers) {
  const Decoded ok(
      Embeds("gemini-embedding-001"),
      R"({"key":"000000000007","request":{"content":{"parts":[{"fileData":null,"text":"\"values\": [1]"}]}},"response":{"tokenCount":"2","embedding":{"values":[-0.5,0.25]}},"status":""})");
  ASSERT_FALSE(ok.reply.failure.has_value()) << ok.reply.failure->message;
  EXPECT_EQ(ok.reply.ordinal, ParseKey("000000000007"));
  EXPECT_EQ(ok.reply.usage.prompt_tokens, 2);
  EXPECT_EQ(std::vector(ok.reply.vector.begin(), ok.reply.vector.end()),
            (std::vector<float>{-0.5F, 0.25F}));
}

TEST(VertexLines, VectorsThatAreTooLongAreCutAndScaled) {
  const Decoded cut(Embeds("gemini-embedding-001", 2),
                    R"({"key":"1","response":{"embedding":{"values":[3,4,12]}}})");
  EXPECT_EQ(std::vector(cut.reply.vector.begin(), cut.reply.vector.end()),
            (std::vector<float>{0.6F, 0.8F}));
  const Decoded zero(Embeds("gemini-embedding-001", 2),
                     R"({"key":"1","response":{"embedding":{"values":[0,0,5]}}})");
  ASSERT_TRUE(zero.reply.failure.has_value());
  EXPECT_EQ(zero.reply.failure->failure_class, FailureClass::kMalformed);
  EXPECT_TRUE(zero.reply.vector.empty());
}

TEST(VertexLines, TextEmbeddingAnswersWithTheKeyInEitherPlace) {
  const std::string rest =
      R"("predictions":[{"embeddings":{"statistics":{"token_count":8,"truncated":false},"values":[0.5]}}],"status":""})";
  for (const std::string& line : {R"({"key":"000000000007","instance":{"content":"a"},)" + rest,
                                  R"({"instance":{"content":"a","key":"000000000007"},)" + rest}) {
    const Decoded ok(Embeds("text-embedding-005"), line);
    ASSERT_FALSE(ok.reply.failure.has_value()) << ok.reply.failure->message;
    EXPECT_EQ(ok.reply.ordinal, ParseKey("000000000007"));
    EXPECT_EQ(ok.reply.vector.size(), 1U);
    EXPECT_EQ(ok.reply.usage.prompt_tokens, 8);
    EXPECT_FALSE(ok.reply.is_truncated);
  }
  EXPECT_TRUE(Decoded(Embeds("text-embedding-005"),
                      R"({"key":"1","predictions":[{"embeddings":{"statistics":{"truncated":true},)"
                      R"("values":[0.5]}}]})")
                  .reply.is_truncated);
  EXPECT_FALSE(
      Decoded(Embeds("text-embedding-005"), R"({"key":"1","error":{"code":0,"message":""},)" + rest)
          .reply.failure.has_value());
  for (
      const char* line :
      {R"({"key":"1","predictions":[]})", R"({"key":"1"})", R"({"key":"1","predictions":7})",
       R"({"key":"1","predictions":[{"embeddings":{"values":[1]}},{"embeddings":{"values":[2]}}]})",
       R"({"key":"1","predictions":[5,{"embeddings":{"values":[1]}}]})",
       R"({"key":"1","predictions":[{"embeddings":{"values":[1]}},"x"]})",
       R"({"key":"1","predictions":[[{"embeddings":{"values":[1]}}]]})",
       R"({"key":"1","predictions":[{"embeddings":{"values":[1e999]}}]})",
       R"({"key":"1","predictions":[{"embeddings":{"values":[]}}]})"}) {
    EXPECT_EQ(Decoded(Embeds("text-embedding-005"), line).reply.failure->failure_class,
              FailureClass::kMalformed)
        << line;
  }
}

TEST(VertexLines, StatusesInEveryForm) {
  struct Case {
    std::string status;
    int code;
    FailureClass failure_class;
  };
  RequestOptions generates = Embeds("gemini-2.5-flash");
  generates.task = Task::kGenerate;
  for (
      const Case& c : {
          Case{
              R"("Bad Request: {\"error\": {\"code\": 400, \"message\": \"Please use a valid role\"}}")",
              400, FailureClass::kInvalid},
          Case{R"("Too Many Requests: {broken")", 429, FailureClass::kQuota},
          Case{R"("504 DEADLINE_EXCEEDED")", 4, FailureClass::kTransient},
          Case{R"("Client Closed Request")", 499, FailureClass::kTransient},
          Case{R"({"code":14,"message":"m"})", 14, FailureClass::kTransient},
          Case{R"("who knows")", 0, FailureClass::kInvalid},
      }) {
    const Decoded failed(generates, R"({"key":"000000000007","status":)" + c.status +
                                        R"(,"request":{"contents":[]},"response":{}})");
    ASSERT_TRUE(failed.reply.failure.has_value()) << c.status;
    EXPECT_EQ(failed.reply.failure->code, c.code) << c.status;
    EXPECT_EQ(failed.reply.failure->failure_class, c.failure_class) << c.status;
    EXPECT_FALSE(failed.reply.failure->message.empty());
    EXPECT_TRUE(failed.reply.ordinal.has_value());
  }
  EXPECT_TRUE(IsNoFailure("\"\"") && IsNoFailure("{}") && !IsNoFailure("\"x\""));
}

}  // namespace
}  // namespace sluice
