// Request and answer lines of the Gemini batch API, for embeddings and for generation.
//
// Request lines: {"key": K, "request": EmbedContentRequest | GenerateContentRequest}; the cookbook's
// quickstarts/Batch_mode.ipynb (2026-08) is the only documentation of the embedding form. Answer
// lines: {"key": K, "response": {...}} or {"key": K, "error": {...}}, members in any order.
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/protocol/prompt_template.h"
#include "api/protocol/protocols.h"
#include "io/json/float_array.h"
#include "io/json/json_text.h"
#include "io/json/record_scanner.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kKeyPrefix = "{\"key\":\"";
constexpr std::string_view kKeyRoom = "000000000000";
static_assert(kKeyRoom.size() == kKeyDigits);

std::string JsonString(std::string_view text) {
  std::string token;
  AppendJsonString(token, text);
  return token;
}

// Bytes between the quotes of a string token.
std::string_view Inside(std::string_view token) { return token.substr(1, token.size() - 2); }

bool IsAbsent(std::string_view token) { return token.empty() || token == "null"; }

std::expected<void, std::string> CheckText(std::string_view token, std::string_view field) {
  if (token.empty()) {
    return std::unexpected(fmt::format("no field \"{}\"", field));
  }
  if (token.front() != '"') {
    return std::unexpected(fmt::format("field \"{}\" is not a string", field));
  }
  if (token.size() == 2) {
    return std::unexpected(fmt::format("field \"{}\" is an empty string", field));
  }
  return {};
}

// ---- requests -----------------------------------------------------------------------------------

// What differs between the kinds of requests: everything behind "request":.
class RequestBody {
 public:
  virtual ~RequestBody() = default;
  [[nodiscard]] virtual std::vector<std::string> fields() const = 0;
  [[nodiscard]] virtual std::optional<size_t> text_field_index() const { return 0; }
  // As LineProtocol::AppendRequest, without the envelope.
  [[nodiscard]] virtual std::expected<uint64_t, std::string> Append(
      std::span<const std::string_view> tokens, std::string& out) const = 0;
};

// gemini-embedding-2 knows no taskType parameter: the task is said in front of the text
// (ai.google.dev embeddings guide, 2026-06-22).
struct TaskPrefix {
  std::string_view task_type;
  std::string_view prefix;
};
constexpr std::array kTaskPrefixes = {
    TaskPrefix{.task_type = "RETRIEVAL_QUERY", .prefix = "task: search result | query: "},
    TaskPrefix{.task_type = "CLASSIFICATION", .prefix = "task: classification | query: "},
    TaskPrefix{.task_type = "CLUSTERING", .prefix = "task: clustering | query: "},
    TaskPrefix{.task_type = "SEMANTIC_SIMILARITY", .prefix = "task: sentence similarity | query: "},
    TaskPrefix{.task_type = "QUESTION_ANSWERING", .prefix = "task: question answering | query: "},
    TaskPrefix{.task_type = "FACT_VERIFICATION", .prefix = "task: fact checking | query: "},
    TaskPrefix{.task_type = "CODE_RETRIEVAL_QUERY", .prefix = "task: code retrieval | query: "},
};

class EmbedBody final : public RequestBody {
 public:
  explicit EmbedBody(const RequestOptions& options)
      : text_field_(options.text_field),
        title_field_(options.title_field),
        task_in_text_(options.model.starts_with("gemini-embedding-2")),
        document_(options.task_type == "RETRIEVAL_DOCUMENT") {
    if (task_in_text_) {
      for (const TaskPrefix& entry : kTaskPrefixes) {
        prefix_ = entry.task_type == options.task_type ? entry.prefix : prefix_;
      }
    } else if (!options.task_type.empty()) {
      suffix_ = fmt::format(",\"taskType\":{}", JsonString(options.task_type));
    }
    if (options.dimension > 0) {
      suffix_ += fmt::format(",\"outputDimensionality\":{}", options.dimension);
    }
  }

  std::vector<std::string> fields() const override {
    return title_field_.empty() ? std::vector{text_field_} : std::vector{text_field_, title_field_};
  }

  std::expected<uint64_t, std::string> Append(std::span<const std::string_view> tokens,
                                              std::string& out) const override {
    const std::string_view text = tokens[0];
    const std::string_view title = title_field_.empty() ? std::string_view{} : tokens[1];
    SLUICE_TRY(CheckText(text, text_field_));
    const bool titled = !IsAbsent(title) && title != "\"\"";
    if (titled && title.front() != '"') {
      return std::unexpected(fmt::format("field \"{}\" is not a string", title_field_));
    }
    out.append("{\"content\":{\"parts\":[{\"text\":");
    AppendText(text, titled ? Inside(title) : std::string_view{}, out);
    out.append("}]}").append(suffix_);
    if (titled && !task_in_text_) {
      out.append(",\"title\":").append(title);
    }
    out.push_back('}');
    return text.size();
  }

 private:
  void AppendText(std::string_view text, std::string_view title, std::string& out) const {
    if (!task_in_text_) {
      out.append(text);
      return;
    }
    out.push_back('"');
    if (document_) {
      out.append("title: ").append(title.empty() ? "none" : title).append(" | text: ");
    } else {
      out.append(prefix_);
    }
    out.append(text.substr(1));
  }

  std::string text_field_;
  std::string title_field_;
  bool task_in_text_;
  bool document_;
  std::string_view prefix_;
  std::string suffix_;
};

class GenerateBody final : public RequestBody {
 public:
  static Result<std::unique_ptr<RequestBody>> Make(const RequestOptions& options) {
    auto body = std::make_unique<GenerateBody>();
    const std::string text = options.prompt_template.empty() ? "{{" + options.text_field + "}}"
                                                             : options.prompt_template;
    SLUICE_ASSIGN(body->prompt_, PromptTemplate::Parse(text));
    body->text_field_ = options.text_field;
    body->checks_text_ = options.prompt_template.empty();
    if (!options.system_instruction.empty()) {
      body->suffix_ += fmt::format(",\"systemInstruction\":{{\"parts\":[{{\"text\":{}}}]}}",
                                   JsonString(options.system_instruction));
    }
    if (!options.generation_config.empty()) {
      const Json config = Json::parse(options.generation_config, nullptr, false);
      if (!config.is_object()) {
        return Fail(ErrorCode::kUsage, "the generation config is not a JSON object");
      }
      body->suffix_ += ",\"generationConfig\":" + config.dump();
    }
    return body;
  }

  std::vector<std::string> fields() const override { return prompt_.fields(); }

  std::optional<size_t> text_field_index() const override {
    const auto place = std::ranges::find(prompt_.fields(), text_field_);
    if (place == prompt_.fields().end()) {
      return std::nullopt;
    }
    return static_cast<size_t>(place - prompt_.fields().begin());
  }

  std::expected<uint64_t, std::string> Append(std::span<const std::string_view> tokens,
                                              std::string& out) const override {
    if (checks_text_) {
      SLUICE_TRY(CheckText(tokens[0], text_field_));
    }
    out.append("{\"contents\":[{\"parts\":[{\"text\":");
    const size_t begin = out.size();
    SLUICE_TRY(prompt_.Append(tokens, out));
    const uint64_t prompt_bytes = out.size() - begin;
    out.append("}],\"role\":\"user\"}]").append(suffix_).push_back('}');
    return prompt_bytes;
  }

 private:
  PromptTemplate prompt_;
  std::string text_field_;
  bool checks_text_ = false;
  std::string suffix_;
};

// Requests that the user made: passed through as they stand.
class ReadyBody final : public RequestBody {
 public:
  explicit ReadyBody(std::string field) : field_(std::move(field)) {}

  std::vector<std::string> fields() const override { return {field_}; }
  std::optional<size_t> text_field_index() const override { return std::nullopt; }

  std::expected<uint64_t, std::string> Append(std::span<const std::string_view> tokens,
                                              std::string& out) const override {
    if (tokens[0].empty()) {
      return std::unexpected(fmt::format("no field \"{}\"", field_));
    }
    if (tokens[0].front() != '{') {
      return std::unexpected(fmt::format("field \"{}\" is not a request (an object)", field_));
    }
    out.append(tokens[0]);
    return tokens[0].size();
  }

 private:
  std::string field_;
};

Result<std::unique_ptr<RequestBody>> MakeBody(const RequestOptions& options) {
  if (!options.request_field.empty()) {
    return std::make_unique<ReadyBody>(options.request_field);
  }
  if (options.task == Task::kGenerate) {
    return GenerateBody::Make(options);
  }
  if (!options.title_field.empty() && options.task_type != "RETRIEVAL_DOCUMENT") {
    return Fail(ErrorCode::kUsage, "a title goes only with the task type RETRIEVAL_DOCUMENT");
  }
  return std::make_unique<EmbedBody>(options);
}

// ---- answers ------------------------------------------------------------------------------------

// google.rpc codes (1..16) and HTTP codes (100 and more); which may be asked again follows the
// service's own troubleshooting page (2026-07-08).
FailureClass ClassOf(int code, std::string_view message) {
  switch (code) {
    case 8:
    case 429:
      return FailureClass::kQuota;
    case 1:
    case 4:
    case 10:
    case 13:
    case 14:
    case 408:
      return FailureClass::kTransient;
    default:
      break;
  }
  if (code >= 500) {
    return FailureClass::kTransient;
  }
  const bool about_length = message.find("token") != std::string_view::npos ||
                            message.find("too long") != std::string_view::npos;
  return about_length ? FailureClass::kTooLong : FailureClass::kInvalid;
}

RowFailure FailureOf(std::string_view token) {
  const Json error = Json::parse(token, nullptr, false);
  RowFailure failure;
  if (error.is_object()) {
    failure.code = error.contains("code") && error["code"].is_number_integer() &&
                           error["code"].get<int64_t>() >= 0 && error["code"].get<int64_t>() < 1000
                       ? error["code"].get<int>()
                       : 0;
    failure.message = error.contains("message") && error["message"].is_string()
                          ? error["message"].get<std::string>()
                          : fmt::format("the service failed it with code {}", failure.code);
  } else {
    failure.message = "the service failed it without saying why";
  }
  failure.failure_class = ClassOf(failure.code, failure.message);
  return failure;
}

RowFailure Malformed(std::string message) {
  return {.failure_class = FailureClass::kMalformed, .message = std::move(message)};
}

// Counters come as numbers or as strings of digits.
std::optional<int64_t> CountOf(std::string_view token) {
  if (token.size() > 2 && token.front() == '"') {
    token = Inside(token);
  }
  if (token.empty() || token.size() > 15 ||
      token.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  int64_t count = 0;
  for (const char digit : token) {
    count = count * 10 + (digit - '0');
  }
  return count;
}

// The text of the first candidate without the model's thoughts, and why it ended.
struct Candidate {
  std::string text;
  std::string finish_reason;
};

Candidate CandidateOf(const Json& candidate) {
  Candidate result;
  if (candidate.contains("finishReason") && candidate["finishReason"].is_string()) {
    result.finish_reason = candidate["finishReason"].get<std::string>();
  }
  const Json parts = candidate.value("/content/parts"_json_pointer, Json::array());
  for (const Json& part : parts) {
    const bool thought = part.is_object() && part.value("thought", Json(false)) == Json(true);
    if (part.is_object() && !thought && part.contains("text") && part["text"].is_string()) {
      result.text += part["text"].get<std::string>();
    }
  }
  return result;
}

class GeminiDecoder final : public ReplyDecoder {
 public:
  explicit GeminiDecoder(Task task)
      : task_(task),
        scanner_({"key", "metadata.key", "error", "status", "response", "response.embedding.values",
                  "response.tokenCount", "response.usageMetadata.promptTokenCount",
                  "response.usageMetadata.candidatesTokenCount", "response.candidates"}) {}

  Reply Decode(std::string_view line) override {
    const auto tokens = scanner_.Scan(line);
    if (!tokens.has_value()) {
      Reply reply;
      reply.failure = Malformed("the answer line is not JSON: " + tokens.error().reason);
      return reply;
    }
    return DecodeTokens(*tokens);
  }

 private:
  enum Field : size_t {
    kKey,
    kMetadataKey,
    kError,
    kStatus,
    kResponse,
    kValues,
    kTokenCount,
    kPromptTokens,
    kOutputTokens,
    kCandidates
  };

  Reply DecodeTokens(std::span<const std::string_view> tokens) {
    Reply reply;
    SetKey(IsAbsent(tokens[kKey]) ? tokens[kMetadataKey] : tokens[kKey], reply);
    reply.usage = {.prompt_tokens = CountOf(tokens[kPromptTokens].empty() ? tokens[kTokenCount]
                                                                          : tokens[kPromptTokens]),
                   .output_tokens = CountOf(tokens[kOutputTokens])};
    const std::string_view error = IsAbsent(tokens[kError]) ? tokens[kStatus] : tokens[kError];
    const bool answered = !tokens[kResponse].empty() && tokens[kResponse].front() == '{';
    if (answered && IsAbsent(error)) {
      DecodeResponse(tokens, reply);
    } else if (answered) {
      reply.failure = Malformed("the answer line has both a response and an error");
    } else if (!IsAbsent(error) && error != "{}") {
      reply.failure = FailureOf(error);
    } else {
      reply.failure = Malformed("the answer line has neither a response nor an error");
    }
    return reply;
  }

  void SetKey(std::string_view token, Reply& reply) {
    if (IsAbsent(token) || token.front() != '"') {
      return;
    }
    reply.key = Inside(token);
    if (reply.key.find('\\') != std::string_view::npos) {
      key_ = UnescapeJsonString(token);
      reply.key = key_;
    }
    reply.ordinal = ParseKey(reply.key);
  }

  void DecodeResponse(std::span<const std::string_view> tokens, Reply& reply) {
    if (task_ == Task::kGenerate) {
      DecodeGeneration(tokens, reply);
      return;
    }
    if (const auto fault = ParseFloatArray(tokens[kValues], vector_); fault.has_value()) {
      reply.failure = Malformed("the embedding's " + *fault);
      return;
    }
    if (vector_.empty()) {
      reply.failure = Malformed("the embedding is empty");
      return;
    }
    reply.vector = vector_;
  }

  void DecodeGeneration(std::span<const std::string_view> tokens, Reply& reply) {
    const Json response = Json::parse(tokens[kResponse], nullptr, false);
    const Json candidates = response.value("candidates", Json::array());
    if (!candidates.is_array() || candidates.empty() || !candidates[0].is_object()) {
      reply.failure = BlockedPrompt(response);
      return;
    }
    Candidate candidate = CandidateOf(candidates[0]);
    if (candidate.text.empty() && candidate.finish_reason != "STOP") {
      reply.failure = {.failure_class = FailureClass::kBlocked,
                       .message = "no text; finish reason " + candidate.finish_reason};
      return;
    }
    Json usage = Json::object();
    if (reply.usage.prompt_tokens.has_value()) {
      usage["prompt_tokens"] = *reply.usage.prompt_tokens;
    }
    if (reply.usage.output_tokens.has_value()) {
      usage["output_tokens"] = *reply.usage.output_tokens;
    }
    answer_ = fmt::format("{{\"text\":{},\"finish_reason\":{},\"usage\":{}}}",
                          JsonString(candidate.text), JsonString(candidate.finish_reason),
                          usage.dump());
    reply.answer = answer_;
  }

  static RowFailure BlockedPrompt(const Json& response) {
    const Json feedback = response.value("promptFeedback", Json::object());
    const Json reason = feedback.is_object() ? feedback.value("blockReason", Json()) : Json();
    if (reason.is_string()) {
      return {.failure_class = FailureClass::kBlocked,
              .message = "the prompt was blocked: " + reason.get<std::string>()};
    }
    return Malformed("the response has no candidates");
  }

  Task task_;
  RecordScanner scanner_;
  std::string key_;
  std::vector<float> vector_;
  std::string answer_;
};

// ---- the protocol -------------------------------------------------------------------------------

class GeminiLines final : public LineProtocol {
 public:
  GeminiLines(const RequestOptions& options, std::unique_ptr<RequestBody> body)
      : task_(options.task),
        dimension_(options.dimension),
        body_(std::move(body)),
        fields_(body_->fields()) {}

  std::span<const std::string> fields() const override { return fields_; }
  std::optional<size_t> text_field_index() const override { return body_->text_field_index(); }
  size_t key_offset() const override { return kKeyPrefix.size(); }

  std::expected<uint64_t, std::string> AppendRequest(std::span<const std::string_view> tokens,
                                                     std::string& out) const override {
    const size_t begin = out.size();
    out.append(kKeyPrefix).append(kKeyRoom).append("\",\"request\":");
    auto bytes = body_->Append(tokens, out);
    if (!bytes.has_value()) {
      out.resize(begin);
      return bytes;
    }
    out.append("}\n");
    return bytes;
  }

  uint64_t expected_answer_bytes() const override {
    constexpr uint64_t kEnvelopeBytes = 160;
    constexpr uint64_t kBytesPerFloat = 13;   // measured on float32 values of unit vectors
    constexpr uint64_t kDefaultDimension = 3072;
    constexpr uint64_t kGenerationBytes = 4096;
    if (task_ == Task::kGenerate) {
      return kGenerationBytes;
    }
    const uint64_t dimension = dimension_ > 0 ? static_cast<uint64_t>(dimension_)
                                              : kDefaultDimension;
    return kEnvelopeBytes + dimension * kBytesPerFloat;
  }

  std::unique_ptr<ReplyDecoder> MakeDecoder() const override {
    return std::make_unique<GeminiDecoder>(task_);
  }

 private:
  Task task_;
  int dimension_;
  std::unique_ptr<RequestBody> body_;
  std::vector<std::string> fields_;
};

}  // namespace

Result<std::unique_ptr<LineProtocol>> MakeGeminiLines(const RequestOptions& options) {
  SLUICE_ASSIGN(auto body, MakeBody(options));
  return std::make_unique<GeminiLines>(options, std::move(body));
}

}  // namespace sluice
