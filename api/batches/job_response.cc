#include "api/batches/job_response.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/http/json_fields.h"
#include "api/protocol/row_status.h"
#include "io/base/text.h"
#include "io/json/float_array.h"
#include "io/json/json_document.h"
#include "io/json/record_scanner.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

// The tokens that are scanned for, in the order of the scanner's paths.
enum Field : size_t {
  kKey,
  kMetadataKey,
  kInstanceKey,
  kError,
  kStatus,
  kResponse,
  kValues,
  kPredictions
};

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

JobError NotUnderstood(std::string reason) {
  return {.code = 0, .message = "the answer cannot be understood: " + std::move(reason)};
}

JobError ReadError(std::string_view token) {
  RowStatus status = ParseRowStatus(token);
  return {.code = status.code,
          .message = std::move(status.message),
          .details = std::move(status.details)};
}

// The first candidate: parts, text, finish reason.
void ReadCandidate(const Json& candidate, JobResponse& response) {
  response.finish_reason = TextMember(candidate, "finishReason");
  const Json* parts = FindMember(ObjectMember(candidate, "content"), "parts");
  if (parts == nullptr || parts->is_null()) {
    return;
  }
  if (!parts->is_array()) {
    response.error = NotUnderstood("the candidate's parts are no list");
    return;
  }
  for (const Json& part : *parts) {
    const Json* text = FindMember(part, "text");
    if (!part.is_object() || (text != nullptr && !text->is_string())) {
      response.error = NotUnderstood("a part of the candidate is neither text nor an object");
      return;
    }
    response.parts.push_back(Dump(part));
    const Json* thought = FindMember(part, "thought");
    if (thought == nullptr || *thought != Json(true)) {
      response.text += TextMember(part, "text");
    }
  }
}

void ReadGeneration(const Json& answer, JobResponse& response) {
  const Json* candidates = FindMember(answer, "candidates");
  if (candidates != nullptr && candidates->is_array() && !candidates->empty() &&
      candidates->front().is_object()) {
    ReadCandidate(candidates->front(), response);
    return;
  }
  const std::string reason = TextMember(ObjectMember(answer, "promptFeedback"), "blockReason");
  if (reason.empty()) {
    response.error = NotUnderstood("it holds neither a vector nor a candidate");
    return;
  }
  // INVALID_ARGUMENT: what the service says of other prompts that it does not take.
  response.error = JobError{.code = 3, .message = "the prompt was blocked: " + reason};
}

Usage ReadUsage(const Json& answer) {
  const Json& usage = ObjectMember(answer, "usageMetadata");
  auto prompt = IntegerMember(usage, "promptTokenCount");
  return {.prompt_tokens = prompt ? prompt : IntegerMember(answer, "tokenCount"),
          .output_tokens = IntegerMember(usage, "candidatesTokenCount")};
}

// `values` is the part of `answer` that holds the vector, empty when there is none. A vector is by
// far most of its answer, and is read apart; the rest is small.
void ReadAnswer(std::string_view answer, std::string_view values, JobResponse& response) {
  if (values.empty()) {
    const Json json = ParseJson(answer);
    response.usage = ReadUsage(json);
    ReadGeneration(json, response);
    return;
  }
  if (const auto fault = ParseFloatArray(values, response.vector)) {
    response.error = NotUnderstood("the embedding's " + *fault);
  } else if (response.vector.empty()) {
    response.error = NotUnderstood("the embedding is empty");
  }
  const auto before = static_cast<size_t>(values.data() - answer.data());
  std::string rest(answer.substr(0, before));
  rest.append("null").append(answer.substr(before + values.size()));
  response.usage = ReadUsage(ParseJson(rest));
}

// A list with the one prediction of a text embedding model of Vertex AI.
void ReadPredictions(std::string_view token, JobResponse& response) {
  const Json predictions = ParseJson(token);
  if (!predictions.is_array() || predictions.size() != 1) {
    response.error = NotUnderstood("it holds neither a response nor an error");
    return;
  }
  const Json& embeddings = ObjectMember(predictions.front(), "embeddings");
  const Json* values = FindMember(embeddings, "values");
  if (values == nullptr) {
    response.error = NotUnderstood("it holds no vector");
  } else if (const auto fault = ParseFloatArray(Dump(*values), response.vector)) {
    response.error = NotUnderstood("the embedding's " + *fault);
  }
  response.usage.prompt_tokens =
      IntegerMember(ObjectMember(embeddings, "statistics"), "token_count");
}

}  // namespace

struct JobResponseReader::State {
  RecordScanner scanner{{"key", "metadata.key", "instance.key", "error", "status", "response",
                         "response.embedding.values", "predictions"}};
  std::string padded;

  auto Scan(std::string_view line) {
    padded.assign(line).append(RecordScanner::kPadding, ' ');
    return scanner.Scan(std::string_view(padded).substr(0, line.size()));
  }
};

JobResponseReader::JobResponseReader() : state_(std::make_unique<State>()) {}
JobResponseReader::~JobResponseReader() = default;

JobResponse JobResponseReader::Read(std::string_view line) {
  JobResponse response;
  response.json = line;
  const auto tokens = state_->Scan(line);
  if (!tokens) {
    response.error = NotUnderstood(tokens.error().reason);
    return response;
  }
  const auto first_of = [&](std::initializer_list<Field> fields) {
    const auto* const there =
        std::ranges::find_if(fields, [&](Field field) { return !IsNoFailure((*tokens)[field]); });
    return there == fields.end() ? std::string_view() : (*tokens)[*there];
  };
  const std::string_view key = first_of({kKey, kMetadataKey, kInstanceKey});
  response.key = key.starts_with('"') ? UnescapeJsonString(key) : std::string(key);
  if (const std::string_view failure = first_of({kError, kStatus}); !failure.empty()) {
    response.error = ReadError(failure);
  } else if ((*tokens)[kResponse].starts_with('{')) {
    ReadAnswer((*tokens)[kResponse], (*tokens)[kValues], response);
  } else {
    ReadPredictions((*tokens)[kPredictions], response);
  }
  return response;
}

bool JobResponseReader::IsWhole(std::string_view line) { return state_->Scan(line).has_value(); }

Result<void> JobResponseStream::Write(std::string_view bytes) {
  const uint64_t old = std::min<uint64_t>(seen_ - passed_over_, bytes.size());
  passed_over_ += bytes.size();
  seen_ = std::max(seen_, passed_over_);
  bytes.remove_prefix(static_cast<size_t>(old));
  for (size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    rest_.append(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
    SLUICE_TRY(TakeLine(rest_));
    rest_.clear();
  }
  rest_.append(bytes);
  return {};
}

Result<void> JobResponseStream::TakeLine(std::string_view line) {
  if (IsBlankLine(line)) {
    return {};
  }
  ++count_;
  return take_(reader_.Read(line));
}

Result<void> JobResponseStream::Close() {
  // The JSON library takes an array, the scanner a number as 1e999: neither was cut.
  if (!rest_.empty() && !Json::accept(rest_) && !reader_.IsWhole(rest_)) {
    return Fail(ErrorCode::kBadAnswer,
                fmt::format("the results end in the middle of line {}", count_ + 1));
  }
  return TakeLine(rest_);
}

}  // namespace sluice
