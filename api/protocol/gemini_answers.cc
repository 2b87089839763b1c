// Answer lines: {"key": K, "response": {...}} or {"key": K, "error": {...}}, members in any order
// and more of them than are known. At Vertex AI the failure is a `status`, beside an empty
// response.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/protocol/gemini_lines.h"
#include "api/protocol/row_key.h"
#include "api/protocol/row_status.h"
#include "io/json/float_array.h"
#include "io/json/json_document.h"
#include "io/json/json_text.h"
#include "io/json/record_scanner.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

}  // namespace

// Counters come as numbers or as strings of digits.
std::optional<int64_t> TokenCountOf(std::string_view token) {
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

// google.rpc codes (1..16) and HTTP codes (100 and more); which may be asked again follows the
// service's own troubleshooting page (2026-07-08).
FailureClass FailureClassOf(int code, std::string_view message) {
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
    case 499:
      return FailureClass::kTransient;
    default:
      break;
  }
  if (code >= 500) {
    return FailureClass::kTransient;
  }
  const bool about_login = code == 7 || code == 16 || code == 401 || code == 403;
  const bool about_length = message.find("token") != std::string_view::npos ||
                            message.find("too long") != std::string_view::npos;
  return about_length && !about_login ? FailureClass::kTooLong : FailureClass::kInvalid;
}

RowFailure RowFailureOf(std::string_view token) {
  RowStatus status = ParseRowStatus(token);
  return {.failure_class = FailureClassOf(status.code, status.message),
          .code = status.code,
          .message = std::move(status.message)};
}

namespace {

// The text of the first candidate without the model's thoughts, and why it ended.
struct Candidate {
  std::string text;
  std::string finish_reason;
};

// Nothing when it has not the form of a candidate, or holds something but no text (a picture, a
// call): an empty text would pass for an answer. The model may well say nothing at all.
std::optional<Candidate> CandidateOf(const Json& candidate) {
  Candidate result;
  if (candidate.contains("finishReason") && candidate["finishReason"].is_string()) {
    result.finish_reason = candidate["finishReason"].get<std::string>();
  }
  const Json content = candidate.value("content", Json());
  const Json parts = content.is_object() ? content.value("parts", Json()) : Json();
  const bool has_form =
      (content.is_null() || content.is_object()) && (parts.is_null() || parts.is_array());
  if (!has_form) {
    return std::nullopt;
  }
  bool is_all_text = true;
  for (const Json& part : parts) {
    if (!part.is_object()) {
      return std::nullopt;
    }
    const bool has_text = part.contains("text") && part["text"].is_string();
    if (part.value("thought", Json(false)) == Json(true)) {
      continue;
    }
    is_all_text = is_all_text && has_text;
    if (has_text) {
      result.text += part["text"].get<std::string>();
    }
  }
  if (result.text.empty() && !is_all_text) {
    return std::nullopt;
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
    vector_.clear();
    general_values_before_ = floats_.general_values();
    if (task_ == Task::kEmbed && ReadValuesFirst(line)) {
      return DecodeTokens(scanned_);
    }
    vector_.clear();
    general_values_before_ = floats_.general_values();
    const auto tokens = scanner_.Scan(line);
    if (!tokens.has_value()) {
      Reply reply;
      reply.failure = Malformed("the answer line is not JSON: " + tokens.error().reason);
      return reply;
    }
    scanned_ = *tokens;
    ReadValues(line);
    return DecodeTokens(scanned_);
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

  // An embedding's line is little else than its numbers. So the first array that is called "values"
  // is read at once, and the rest of the line is scanned with "[]" in its place: the whole is well
  // formed exactly when both are. False when that array is not the embedding; nothing is lost then
  // but time.
  bool ReadValuesFirst(std::string_view line) {
    const std::optional<size_t> open = FindValues(line);
    if (!open.has_value()) {
      return false;
    }
    const std::optional<size_t> size = floats_.Read(line, *open, vector_);
    if (!size.has_value()) {
      return false;
    }
    rest_.assign(line.substr(0, *open)).append("[]").append(line.substr(*open + *size));
    const size_t rest_size = rest_.size();
    rest_.append(RecordScanner::kPadding, '\0');
    const auto tokens = scanner_.Scan(std::string_view(rest_).substr(0, rest_size));
    if (!tokens.has_value() || (*tokens)[kValues].data() != rest_.data() + *open) {
      return false;
    }
    scanned_ = *tokens;
    has_values_ = true;
    return true;
  }

  // Where the array begins that is the value of the first "values" in `line`.
  static std::optional<size_t> FindValues(std::string_view line) {
    constexpr std::string_view kName = "\"values\"";
    size_t at = line.find(kName);
    if (at == std::string_view::npos) {
      return std::nullopt;
    }
    at = line.find_first_not_of(" \t", at + kName.size());
    if (at == std::string_view::npos || line[at] != ':') {
      return std::nullopt;
    }
    at = line.find_first_not_of(" \t", at + 1);
    return at != std::string_view::npos && line[at] == '[' ? std::optional(at) : std::nullopt;
  }

  // The same from the scanned line.
  void ReadValues(std::string_view line) {
    const std::string_view values = scanned_[kValues];
    has_values_ =
        values.starts_with('[') &&
        floats_.Read(line, static_cast<size_t>(values.data() - line.data()), vector_).has_value();
  }

  Reply DecodeTokens(std::span<const std::string_view> tokens) {
    Reply reply;
    key_.Read(IsAbsent(tokens[kKey]) ? tokens[kMetadataKey] : tokens[kKey], reply);
    reply.usage = {.prompt_tokens = TokenCountOf(
                       tokens[kPromptTokens].empty() ? tokens[kTokenCount] : tokens[kPromptTokens]),
                   .output_tokens = TokenCountOf(tokens[kOutputTokens])};
    const std::string_view error = IsNoFailure(tokens[kError]) ? tokens[kStatus] : tokens[kError];
    const bool answered = tokens[kResponse].starts_with('{');
    if (!IsNoFailure(error)) {
      const bool both = answered && tokens[kResponse] != "{}";
      reply.failure = both ? Malformed("the answer line has both a response and an error")
                           : RowFailureOf(error);
    } else if (answered) {
      DecodeResponse(tokens, reply);
    } else {
      reply.failure = Malformed("the answer line has neither a response nor an error");
    }
    return reply;
  }

  void DecodeResponse(std::span<const std::string_view> tokens, Reply& reply) {
    if (task_ == Task::kGenerate) {
      DecodeGeneration(tokens, reply);
      return;
    }
    if (!has_values_) {
      reply.failure = Malformed("the embedding's values are not an array of finite numbers");
      return;
    }
    if (vector_.empty()) {
      reply.failure = Malformed("the embedding is empty");
      return;
    }
    reply.vector = vector_;
    reply.general_values = floats_.general_values() - general_values_before_;
  }

  void DecodeGeneration(std::span<const std::string_view> tokens, Reply& reply) {
    const Json response = ParseJson(tokens[kResponse]);
    if (!response.is_object()) {
      // The scanner lets pass what this parser does not: a number as 1e999.
      reply.failure = Malformed("the response holds text or numbers that cannot be represented");
      return;
    }
    const Json candidates = response.value("candidates", Json::array());
    if (!candidates.is_array() || candidates.empty() || !candidates[0].is_object()) {
      reply.failure = BlockedPrompt(response);
      return;
    }
    const std::optional<Candidate> candidate = CandidateOf(candidates[0]);
    if (!candidate.has_value()) {
      reply.failure = Malformed("the first candidate's parts are no text");
      return;
    }
    if (candidate->text.empty() && candidate->finish_reason != "STOP") {
      reply.failure = {.failure_class = FailureClass::kBlocked,
                       .message = "no text; finish reason " + candidate->finish_reason};
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
                          JsonString(candidate->text), JsonString(candidate->finish_reason),
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
  FloatArrayReader floats_;
  uint64_t general_values_before_ = 0;  // of what was read before the reply's vector
  std::string rest_;                    // the line without its numbers
  std::span<const std::string_view> scanned_;
  bool has_values_ = false;  // vector_ holds the embedding
  RowKey key_;
  std::vector<float> vector_;
  std::string answer_;
};

}  // namespace

std::unique_ptr<ReplyDecoder> MakeGeminiDecoder(Task task) {
  return std::make_unique<GeminiDecoder>(task);
}

}  // namespace sluice
