#include "tools/emulator/answer.h"

#include <array>
#include <charconv>
#include <fmt/format.h>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "io/base/error.h"
#include "io/json/json_document.h"
#include "io/json/json_text.h"
#include "tools/emulator/json_field.h"
#include "tools/emulator/lexical_embedding.h"
#include "tools/emulator/mix.h"

namespace sluice {

namespace {

using OrderedJson = nlohmann::ordered_json;

// https://ai.google.dev/api/embeddings, 2026-11: one call takes at most 100.
constexpr size_t kBatchEmbedMax = 100;

constexpr std::string_view kEmbedFields[] = {
    "model", "content", "taskType", "title", "outputDimensionality", "embedContentConfig"};
constexpr std::string_view kEmbedConfigFields[] = {
    "taskType",     "title",       "outputDimensionality",
    "autoTruncate", "documentOcr", "audioTrackExtraction"};
constexpr std::string_view kGenerateFields[] = {
    "model", "contents",   "systemInstruction", "generationConfig", "safetySettings",
    "tools", "toolConfig", "cachedContent",     "serviceTier",      "store"};
constexpr std::string_view kGenerationConfigFields[] = {"candidateCount",
                                                        "stopSequences",
                                                        "maxOutputTokens",
                                                        "temperature",
                                                        "topP",
                                                        "topK",
                                                        "seed",
                                                        "presencePenalty",
                                                        "frequencyPenalty",
                                                        "responseLogprobs",
                                                        "logprobs",
                                                        "responseMimeType",
                                                        "responseSchema",
                                                        "responseJsonSchema",
                                                        "responseFormat",
                                                        "responseModalities",
                                                        "thinkingConfig",
                                                        "speechConfig",
                                                        "imageConfig",
                                                        "mediaResolution",
                                                        "translationConfig",
                                                        "enableEnhancedCivicAnswers",
                                                        "enableAffectiveDialog",
                                                        "audioTranscriptionConfig"};
constexpr std::string_view kBatchEmbedFields[] = {"requests"};
constexpr std::string_view kCountTokensFields[] = {"contents", "generateContentRequest"};
constexpr std::string_view kContentFields[] = {"role", "parts"};
constexpr std::array<std::string_view, 9> kTaskTypes = {
    "TASK_TYPE_UNSPECIFIED", "RETRIEVAL_QUERY",   "RETRIEVAL_DOCUMENT",
    "SEMANTIC_SIMILARITY",   "CLASSIFICATION",    "CLUSTERING",
    "QUESTION_ANSWERING",    "FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY"};

struct EmbedRequest {
  std::string text;
  size_t dimensions = 0;
};

template <typename T>
using Parsed = std::expected<T, ApiError>;

Parsed<void> CheckFields(const OrderedJson& object, std::span<const std::string_view> names,
                         std::string_view place) {
  if (!object.is_object()) {
    return std::unexpected(InvalidArgument(fmt::format(
        "Invalid value at '{}': a message is an object.", place.empty() ? "request" : place)));
  }
  if (const auto unknown = UnknownField(object, names)) {
    return std::unexpected(UnknownName(*unknown, place));
  }
  return {};
}

// Appends the text parts of a Content, one a line. A single part may stand without its array.
Parsed<void> AppendText(const OrderedJson& content, std::string& text) {
  SLUICE_TRY(CheckFields(content, kContentFields, "content"));
  const OrderedJson* parts = FindField(content, "parts");
  if (parts == nullptr) {
    return {};
  }
  for (const OrderedJson* part : Elements(*parts)) {
    const OrderedJson* part_text = FindField(*part, "text");
    if (part_text == nullptr || !part_text->is_string()) {
      return std::unexpected(
          InvalidArgument("The local service takes parts with a 'text' string only."));
    }
    if (!text.empty()) {
      text += '\n';
    }
    text += part_text->get_ref<const std::string&>();
  }
  return {};
}

uint64_t CountTokens(std::string_view text) { return TokensIn(text.size()); }

Parsed<size_t> Dimensions(const OrderedJson* wanted, const Model& model) {
  if (wanted == nullptr) {
    return static_cast<size_t>(model.default_dimensions);
  }
  int64_t value = 0;
  if (wanted->is_number_integer()) {
    value = wanted->get<int64_t>();
  } else if (wanted->is_string()) {
    const auto& digits = wanted->get_ref<const std::string&>();
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
  }
  if (value < 1 || value > kLexicalDimensionsMax) {
    return std::unexpected(InvalidArgument(
        fmt::format("* EmbedContentRequest.output_dimensionality: must be between 1 and {}\n",
                    kLexicalDimensionsMax)));
  }
  return static_cast<size_t>(value);
}

Parsed<void> CheckTaskType(const OrderedJson* task_type) {
  if (task_type == nullptr) {
    return {};
  }
  if (!task_type->is_string() ||
      std::ranges::find(kTaskTypes, task_type->get_ref<const std::string&>()) == kTaskTypes.end()) {
    return std::unexpected(InvalidArgument(
        fmt::format("Invalid value at 'task_type' (TaskType): {}", task_type->dump())));
  }
  return {};
}

Parsed<void> CheckModel(const OrderedJson& request, const Model& model) {
  const std::string named = StringField(request, "model");
  if (!named.empty() && named != fmt::format("models/{}", model.id)) {
    return std::unexpected(InvalidArgument(
        fmt::format("The request names '{}', the call 'models/{}'.", named, model.id)));
  }
  return {};
}

// The fields of a request and of its config.
Parsed<void> CheckNames(const OrderedJson& request, ModelUse use) {
  const bool embeds = use == ModelUse::kEmbed;
  SLUICE_TRY(embeds ? CheckFields(request, kEmbedFields, "")
                    : CheckFields(request, kGenerateFields, ""));
  const OrderedJson* config =
      FindField(request, embeds ? "embedContentConfig" : "generationConfig");
  return config == nullptr ? Parsed<void>()
         : embeds          ? CheckFields(*config, kEmbedConfigFields, "embed_content_config")
                           : CheckFields(*config, kGenerationConfigFields, "generation_config");
}

Parsed<EmbedRequest> ReadEmbedRequest(const OrderedJson& request, const Model& model) {
  SLUICE_TRY(CheckNames(request, ModelUse::kEmbed));
  SLUICE_TRY(CheckModel(request, model));
  const OrderedJson* config = FindField(request, "embedContentConfig");
  // The newer home of an option wins over the older one.
  const auto option = [&](std::string_view name) {
    const OrderedJson* inner = config != nullptr ? FindField(*config, name) : nullptr;
    return inner != nullptr ? inner : FindField(request, name);
  };
  SLUICE_TRY(CheckTaskType(option("taskType")));
  EmbedRequest read;
  SLUICE_ASSIGN(read.dimensions, Dimensions(option("outputDimensionality"), model));
  if (const OrderedJson* title = option("title"); title != nullptr && title->is_string()) {
    read.text = title->get<std::string>();
  }
  const size_t title_size = read.text.size();
  const OrderedJson* content = FindField(request, "content");
  if (content != nullptr) {
    SLUICE_TRY(AppendText(*content, read.text));
  }
  if (read.text.size() == title_size) {
    return std::unexpected(
        InvalidArgument("* EmbedContentRequest.content: contents is not specified\n"));
  }
  return read;
}

// {"values":[...]}: the shortest digits that read back as the same float32.
void AppendValues(const Model& model, const EmbedRequest& request, std::string& out) {
  constexpr size_t kValueBytesMax = 20;
  std::vector<float> vector(request.dimensions);
  EmbedLexically(request.text, vector);
  // The real -001 does not normalize what it cuts short.
  const bool scaled = model.first_generation && request.dimensions < kLexicalDimensionsMax;
  const float scale =
      scaled ? 0.5F + 0.4F * static_cast<float>(ShareAt(HashText(request.text, 0), 0)) : 1.0F;
  out += "{\"values\":[";
  const size_t start = out.size();
  out.resize(start + vector.size() * kValueBytesMax);
  char* end = out.data() + start;
  for (const float value : vector) {
    end = std::to_chars(end, end + kValueBytesMax, value * scale).ptr;
    *end++ = ',';
  }
  out.resize(static_cast<size_t>(end - out.data()) - 1);
  out += "]}";
}

// An EmbedContentResponse.
Parsed<void> AppendEmbedding(const Model& model, const OrderedJson& request, std::string& out) {
  SLUICE_ASSIGN(const EmbedRequest read, ReadEmbedRequest(request, model));
  out += "{\"embedding\":";
  AppendValues(model, read, out);
  const size_t tokens = CountTokens(read.text);
  out += model.first_generation
             ? fmt::format(",\"tokenCount\":\"{}\"}}", tokens)
             : fmt::format(",\"usageMetadata\":{{\"promptTokenCount\":{}}}}}", tokens);
  return {};
}

Parsed<std::string> ReadContents(const OrderedJson& request, std::string& prompt) {
  const OrderedJson* contents = FindField(request, "contents");
  if (contents == nullptr || contents->empty()) {
    return std::unexpected(
        InvalidArgument("* GenerateContentRequest.contents: contents is not specified\n"));
  }
  std::string last;
  for (const OrderedJson* content : Elements(*contents)) {
    last.clear();
    SLUICE_TRY(AppendText(*content, last));
    prompt += last;
  }
  return last;
}

// A GenerateContentResponse.
Parsed<void> AppendEcho(const Model& model, const OrderedJson& request, std::string& out) {
  SLUICE_TRY(CheckNames(request, ModelUse::kGenerate));
  SLUICE_TRY(CheckModel(request, model));
  std::string prompt;
  if (const OrderedJson* instruction = FindField(request, "systemInstruction")) {
    SLUICE_TRY(AppendText(*instruction, prompt));
  }
  SLUICE_ASSIGN(const std::string last, ReadContents(request, prompt));
  const std::string echo = "echo: " + last;
  const size_t prompt_tokens = CountTokens(prompt);
  const size_t echo_tokens = CountTokens(echo);
  out += "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":";
  AppendJsonString(out, echo);
  fmt::format_to(std::back_inserter(out),
                 "}}],\"role\":\"model\"}},\"finishReason\":\"STOP\",\"index\":0}}],"
                 "\"usageMetadata\":{{\"promptTokenCount\":{0},\"candidatesTokenCount\":{1},"
                 "\"totalTokenCount\":{2},\"promptTokensDetails\":[{{\"modality\":\"TEXT\","
                 "\"tokenCount\":{0}}}]}},\"modelVersion\":\"{3}\",\"responseId\":\"{4:016x}\"}}",
                 prompt_tokens, echo_tokens, prompt_tokens + echo_tokens, model.id,
                 HashText(prompt, 1));
  return {};
}

Parsed<void> AppendAnswer(const Model& model, const OrderedJson& request, std::string& out) {
  return model.use == ModelUse::kEmbed ? AppendEmbedding(model, request, out)
                                       : AppendEcho(model, request, out);
}

ApiAnswer AnswerOne(const Model& model, std::string_view body) {
  SLUICE_ASSIGN(const OrderedJson request, ParseMessage<OrderedJson>(body));
  std::string out;
  SLUICE_TRY(AppendAnswer(model, request, out));
  return out;
}

// A line of a file hears of an unknown field in other words than a body does
// (UKGovernmentBEIS/inspect_ai pull request 3273, 2026).
std::string LineMessage(const ApiError& error) {
  return error.unknown_name.empty() ? error.message
                                    : fmt::format("no such field: '{}'", error.unknown_name);
}

void AppendError(int code, std::string_view message, std::string& out) {
  fmt::format_to(std::back_inserter(out), "\"error\":{{\"code\":{}", code);
  if (!message.empty()) {
    out += ",\"message\":";
    AppendJsonString(out, message);
  }
  out += '}';
}

// What names the answer: the key of a file line, the metadata of an inlined request.
void AppendIdentity(const OrderedJson& line, const LineTwist& twist, std::string& out) {
  if (twist.no_key || !line.is_object()) {
    return;
  }
  for (const char* name : {"key", "metadata"}) {
    if (const OrderedJson* identity = FindField(line, name)) {
      fmt::format_to(std::back_inserter(out), ",\"{}\":{}", name, identity->dump());
    }
  }
}

Parsed<void> AppendLineAnswer(const Model& model, const OrderedJson& line, std::string& out) {
  if (!line.is_object()) {
    return std::unexpected(InvalidArgument("The line is not a JSON object."));
  }
  const OrderedJson* request = FindField(line, "request");
  if (request == nullptr) {
    return AppendAnswer(model, line, out);
  }
  if (const auto unknown = UnknownField(line, {"key", "request", "metadata"})) {
    return std::unexpected(UnknownName(*unknown, ""));
  }
  return AppendAnswer(model, *request, out);
}

}  // namespace

ApiAnswer AnswerEmbed(const Model& model, std::string_view body) {
  if (model.use != ModelUse::kEmbed) {
    return std::unexpected(NoSuchModel(model.id, "embedContent"));
  }
  return AnswerOne(model, body);
}

ApiAnswer AnswerGenerate(const Model& model, std::string_view body) {
  if (model.use != ModelUse::kGenerate) {
    return std::unexpected(NoSuchModel(model.id, "generateContent"));
  }
  return AnswerOne(model, body);
}

ApiAnswer AnswerBatchEmbed(const Model& model, std::string_view body) {
  if (model.use != ModelUse::kEmbed) {
    return std::unexpected(NoSuchModel(model.id, "batchEmbedContents"));
  }
  SLUICE_ASSIGN(const OrderedJson request, ParseMessage<OrderedJson>(body));
  SLUICE_TRY(CheckFields(request, kBatchEmbedFields, ""));
  const OrderedJson* requests = FindField(request, "requests");
  const size_t count = requests != nullptr && requests->is_array() ? requests->size() : 0;
  if (count == 0 || count > kBatchEmbedMax) {
    return std::unexpected(InvalidArgument(
        count == 0 ? "* BatchEmbedContentsRequest.requests: requests is not specified\n"
                   : "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one "
                     "batch\n"));
  }
  std::string out = "{\"embeddings\":[";
  size_t tokens = 0;
  for (const OrderedJson& item : *requests) {
    SLUICE_ASSIGN(const EmbedRequest read, ReadEmbedRequest(item, model));
    AppendValues(model, read, out);
    out += ',';
    tokens += CountTokens(read.text);
  }
  out.back() = ']';
  if (!model.first_generation) {
    fmt::format_to(std::back_inserter(out), ",\"usageMetadata\":{{\"promptTokenCount\":{}}}",
                   tokens);
  }
  return out + '}';
}

ApiAnswer AnswerCountTokens(const Model& /*model*/, std::string_view body) {
  SLUICE_ASSIGN(const OrderedJson request, ParseMessage<OrderedJson>(body));
  SLUICE_TRY(CheckFields(request, kCountTokensFields, ""));
  const OrderedJson* whole = FindField(request, "generateContentRequest");
  if (whole != nullptr && FindField(request, "contents") != nullptr) {
    return std::unexpected(
        InvalidArgument("Only one of 'contents' and 'generate_content_request' may be set."));
  }
  std::string prompt;
  SLUICE_TRY(ReadContents(whole != nullptr ? *whole : request, prompt));
  return fmt::format(
      "{{\"totalTokens\":{0},\"promptTokensDetails\":[{{\"modality\":\"TEXT\","
      "\"tokenCount\":{0}}}]}}",
      CountTokens(prompt));
}

std::expected<void, ApiError> CheckRequestFields(const Model& model, std::string_view request) {
  return CheckNames(ParseOrderedJson(request), model.use);
}

bool AppendResultLine(const Model& model, std::string_view line, const LineTwist& twist,
                      std::string& out) {
  const OrderedJson json =
      NestsTooDeep(line) ? OrderedJson(OrderedJson::value_t::discarded) : ParseOrderedJson(line);
  const size_t start = out.size();
  out += "{\"response\":";
  Parsed<void> answered = json.is_discarded()
                              ? std::unexpected(InvalidArgument("The line is not valid JSON."))
                              : AppendLineAnswer(model, json, out);
  if (twist.error_code != 0 || !answered.has_value()) {
    out.resize(start);
    out += '{';
    answered.has_value() || twist.error_code != 0
        ? AppendError(twist.error_code, twist.error_message, out)
        : AppendError(static_cast<int>(answered.error().code), LineMessage(answered.error()), out);
  }
  AppendIdentity(json, twist, out);
  out += "}\n";
  return twist.error_code == 0 && answered.has_value();
}

}  // namespace sluice
