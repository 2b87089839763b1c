// The line protocol of batch prediction jobs at Vertex AI. Three kinds of models, three kinds of
// lines (the batch pages of the documentation, 2026-08; see vertex_model.h):
//
//   generation         as at the Gemini Developer API
//   Gemini embeddings  likewise, with the settings in "embed_content_config"
//   text embeddings    the instance itself goes out: {"key": K, "content": "...", ...}; back comes
//                      {"instance": {...}, "predictions": [{"embeddings": {...}}], "status": ""}
#include <cmath>
#include <fmt/format.h>

#include "api/http/google_error.h"
#include "api/protocol/gemini_lines.h"
#include "api/protocol/protocols.h"
#include "api/protocol/row_key.h"
#include "api/protocol/row_status.h"
#include "api/protocol/vertex_model.h"
#include "io/base/checksum.h"
#include "io/file/file_system.h"
#include "io/json/float_array.h"
#include "io/json/json_text.h"
#include "io/json/record_scanner.h"

namespace sluice {
namespace {

// Batch jobs were seen to give 3,072 numbers whatever was asked for (2026). The first ones of such
// a vector, at unit length, are what a shorter one holds: these models are trained so.
class CuttingDecoder final : public ReplyDecoder {
 public:
  CuttingDecoder(std::unique_ptr<ReplyDecoder> inner, size_t dimension)
      : inner_(std::move(inner)), dimension_(dimension) {}

  Reply Decode(std::string_view line) override {
    Reply reply = inner_->Decode(line);
    if (reply.vector.size() <= dimension_) {
      return reply;
    }
    const std::span<const float> values = reply.vector.first(dimension_);
    const double square = SquareOf(values);
    if (square == 0) {
      reply.vector = {};
      reply.failure = Malformed("the embedding is zero where it is cut to the asked length");
      return reply;
    }
    Cut(values, 1 / std::sqrt(square));
    reply.vector = vector_;
    reply.is_shortened = true;
    return reply;
  }

 private:
  static double SquareOf(std::span<const float> values) {
    double square = 0;
    for (const float value : values) {
      square += static_cast<double>(value) * static_cast<double>(value);
    }
    return square;
  }

  void Cut(std::span<const float> values, double scale) {
    vector_.clear();
    for (const float value : values) {
      vector_.push_back(static_cast<float>(static_cast<double>(value) * scale));
    }
  }

  const std::unique_ptr<ReplyDecoder> inner_;
  const size_t dimension_;
  std::vector<float> vector_;
};

bool HoldsBlanksOnly(std::string_view text) {
  return text.find_first_not_of(" \t") == std::string_view::npos;
}

// Of a string token.
uint64_t ChecksumOfText(std::string_view token) {
  return ChecksumOf(AsBytes(UnescapeJsonString(token)));
}

class TextEmbeddingDecoder final : public ReplyDecoder {
 public:
  Reply Decode(std::string_view line) override {
    Reply reply;
    vector_.clear();
    const auto tokens = scanner_.Scan(line);
    if (!tokens.has_value()) {
      reply.failure = Malformed("the answer line is not JSON: " + tokens.error().reason);
      return reply;
    }
    // Members of the input line that are no part of the instance were seen in both places.
    key_.Read((*tokens)[kKey].starts_with('"') ? (*tokens)[kKey] : (*tokens)[kInstanceKey], reply);
    // Other models of this kind were said to lose them; the text always comes back.
    if (reply.key.empty() && (*tokens)[kContent].starts_with('"')) {
      reply.text_checksum = ChecksumOfText((*tokens)[kContent]);
    }
    const std::string_view status =
        IsNoFailure((*tokens)[kError]) ? (*tokens)[kStatus] : (*tokens)[kError];
    if (!IsNoFailure(status)) {
      reply.failure = RowFailureOf(status);
    } else {
      ReadPrediction((*tokens)[kPredictions], reply);
    }
    return reply;
  }

 private:
  enum Field : size_t { kKey, kInstanceKey, kContent, kError, kStatus, kPredictions };
  enum PredictionField : size_t { kValues, kTokenCount, kTruncated };

  // `token` is a list with one prediction in it.
  void ReadPrediction(std::string_view token, Reply& reply) {
    const size_t begin = token.find('{');
    const size_t end = token.rfind('}');
    if (!token.starts_with('[') || begin == std::string_view::npos || end < begin) {
      reply.failure = Malformed("the answer line has neither a prediction nor a failure");
      return;
    }
    // Two predictions are no JSON document; other values beside one stand outside the braces.
    const std::string_view before = token.substr(1, begin - 1);
    const std::string_view behind = token.substr(end + 1, token.size() - end - 2);
    const bool is_alone = HoldsBlanksOnly(before) && HoldsBlanksOnly(behind);
    const std::string_view prediction = token.substr(begin, end + 1 - begin);
    prediction_.assign(prediction).append(RecordScanner::kPadding, '\0');
    const std::string_view whole = std::string_view(prediction_).substr(0, prediction.size());
    const auto tokens = prediction_scanner_.Scan(whole);
    if (!is_alone || !tokens.has_value()) {
      reply.failure = Malformed("the answer line has not exactly one prediction");
      return;
    }
    reply.usage.prompt_tokens = TokenCountOf((*tokens)[kTokenCount]);
    const std::string_view values = (*tokens)[kValues];
    const uint64_t general_before = floats_.general_values();
    const bool read =
        values.starts_with('[') &&
        floats_.Read(whole, static_cast<size_t>(values.data() - whole.data()), vector_).has_value();
    if (!read || vector_.empty()) {
      reply.failure = Malformed("the embedding's values are not an array of finite numbers");
      return;
    }
    reply.vector = vector_;
    reply.general_values = floats_.general_values() - general_before;
    reply.is_truncated = (*tokens)[kTruncated] == "true";
  }

  RecordScanner scanner_{
      {"key", "instance.key", "instance.content", "error", "status", "predictions"}};
  RecordScanner prediction_scanner_{{"embeddings.values", "embeddings.statistics.token_count",
                                     "embeddings.statistics.truncated"}};
  FloatArrayReader floats_;
  std::string prediction_;  // with padding
  RowKey key_;
  std::vector<float> vector_;
};

// {"key":K,"content":"...","task_type":"...","outputDimensionality":N,"title":"..."}
class TextEmbeddingLines final : public LineProtocol {
 public:
  explicit TextEmbeddingLines(const RequestOptions& options)
      : fields_{options.text_field}, dimension_(options.dimension) {
    if (!options.title_field.empty()) {
      fields_.push_back(options.title_field);
    }
    if (!options.task_type.empty()) {
      settings_ = ",\"task_type\":" + JsonString(options.task_type);
    }
    if (dimension_ > 0) {
      settings_ += fmt::format(",\"outputDimensionality\":{}", dimension_);
    }
  }

  std::span<const std::string> fields() const override { return fields_; }
  std::optional<size_t> text_field_index() const override { return 0; }
  size_t key_offset() const override { return kKeyPrefix.size(); }

  std::expected<uint64_t, std::string> AppendRequest(std::span<const std::string_view> tokens,
                                                     std::string& out) const override {
    const std::string_view text = tokens[0];
    const std::string_view title = fields_.size() > 1 ? tokens[1] : std::string_view{};
    SLUICE_TRY(CheckTextToken(text, fields_[0]));
    const bool titled = !IsAbsent(title) && title != "\"\"";
    if (titled && title.front() != '"') {
      return std::unexpected(fmt::format("field \"{}\" is not a string", fields_[1]));
    }
    out.append(kKeyPrefix).append(kKeyDigits, '0').append("\",\"content\":").append(text);
    out.append(settings_);
    if (titled) {
      out.append(",\"title\":").append(title);
    }
    out.append("}\n");
    return text.size();
  }

  std::optional<uint64_t> TextChecksum(std::string_view request_line) const override {
    const std::string padded = std::string(request_line) + std::string(RecordScanner::kPadding, 0);
    RecordScanner scanner({"content"});
    const auto tokens = scanner.Scan(std::string_view(padded).substr(0, request_line.size()));
    return tokens.has_value() && (*tokens)[0].starts_with('"')
               ? std::optional(ChecksumOfText((*tokens)[0]))
               : std::nullopt;
  }

  uint64_t expected_answer_bytes() const override {
    constexpr uint64_t kDefaultDimension = 768;
    constexpr uint64_t kEchoBytes = 2048;  // the text comes back
    return kEchoBytes + ExpectedEmbeddingBytes(dimension_, kDefaultDimension);
  }
  std::unique_ptr<ReplyDecoder> MakeDecoder() const override {
    return std::make_unique<TextEmbeddingDecoder>();
  }

 private:
  std::vector<std::string> fields_;
  int dimension_;
  std::string settings_;
};

// The lines of another protocol, and vectors of the length that was asked for.
class CuttingLines final : public LineProtocol {
 public:
  CuttingLines(std::unique_ptr<LineProtocol> lines, int dimension)
      : lines_(std::move(lines)), dimension_(static_cast<size_t>(dimension)) {}

  std::span<const std::string> fields() const override { return lines_->fields(); }
  std::optional<size_t> text_field_index() const override { return lines_->text_field_index(); }
  size_t key_offset() const override { return lines_->key_offset(); }
  std::expected<uint64_t, std::string> AppendRequest(std::span<const std::string_view> tokens,
                                                     std::string& out) const override {
    return lines_->AppendRequest(tokens, out);
  }
  std::optional<uint64_t> TextChecksum(std::string_view request_line) const override {
    return lines_->TextChecksum(request_line);
  }
  uint64_t expected_answer_bytes() const override { return lines_->expected_answer_bytes(); }
  std::unique_ptr<ReplyDecoder> MakeDecoder() const override {
    return std::make_unique<CuttingDecoder>(lines_->MakeDecoder(), dimension_);
  }

 private:
  const std::unique_ptr<LineProtocol> lines_;
  const size_t dimension_;
};

bool IsOfAnotherPublisher(std::string_view model) {
  return model.find("publishers/") != model.npos && model.find("publishers/google/") == model.npos;
}

Result<std::unique_ptr<LineProtocol>> MakeLines(const RequestOptions& options,
                                                VertexModelKind kind) {
  if (kind != VertexModelKind::kTextEmbedding) {
    return MakeGeminiLinesOf(options, EmbedSettings::kConfig);
  }
  if (!options.title_field.empty() && options.task_type != "RETRIEVAL_DOCUMENT") {
    return Fail(ErrorCode::kUsage, "a title goes only with the task type RETRIEVAL_DOCUMENT");
  }
  return std::make_unique<TextEmbeddingLines>(options);
}

}  // namespace

Result<std::unique_ptr<LineProtocol>> MakeVertexLines(const RequestOptions& options) {
  if (IsOfAnotherPublisher(options.model)) {
    return Fail(
        ErrorCode::kUsage,
        fmt::format("{} takes request lines of a shape of its own, which sluice does not write",
                    PrintableText(options.model, 80)),
        "make them yourself, and `sluice jobs create gs://BUCKET/OBJECT --auth vertex`");
  }
  SLUICE_ASSIGN(const VertexModelKind kind, VertexModelKindFor(options.model, options.task));
  if (kind == VertexModelKind::kTextEmbedding && !options.request_field.empty()) {
    return Fail(ErrorCode::kUsage,
                fmt::format("{} takes no ready-made requests: its lines are texts", options.model));
  }
  SLUICE_ASSIGN(auto lines, MakeLines(options, kind));
  if (options.task != Task::kEmbed || options.dimension == 0) {
    return lines;
  }
  return std::make_unique<CuttingLines>(std::move(lines), options.dimension);
}

}  // namespace sluice
