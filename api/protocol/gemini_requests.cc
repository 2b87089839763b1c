// Request lines: EmbedContentRequest and GenerateContentRequest, as JSON text put together from
// tokens of the record. The cookbook's quickstarts/Batch_mode.ipynb (2026-08) is the only
// documentation of the embedding form.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "api/protocol/gemini_lines.h"
#include "api/protocol/model_id.h"
#include "api/protocol/prompt_template.h"
#include "io/json/json_text.h"
#include "io/json/record_scanner.h"

namespace sluice {
namespace {

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

class EmbedBody final : public GeminiRequestBody {
 public:
  EmbedBody(const RequestOptions& options, EmbedSettings settings)
      : text_field_(options.text_field),
        title_field_(options.title_field),
        task_in_text_(ModelIdOf(options.model).starts_with("gemini-embedding-2")),
        document_(options.task_type == "RETRIEVAL_DOCUMENT"),
        in_config_(settings == EmbedSettings::kConfig) {
    if (task_in_text_) {
      for (const TaskPrefix& entry : kTaskPrefixes) {
        prefix_ = entry.task_type == options.task_type ? entry.prefix : prefix_;
      }
    } else if (!options.task_type.empty()) {
      settings_ = fmt::format(",\"{}\":{}", in_config_ ? "task_type" : "taskType",
                              JsonString(options.task_type));
    }
    if (options.dimension > 0) {
      settings_ +=
          fmt::format(",\"{}\":{}", in_config_ ? "output_dimensionality" : "outputDimensionality",
                      options.dimension);
    }
  }

  std::vector<std::string> fields() const override {
    return title_field_.empty() ? std::vector{text_field_} : std::vector{text_field_, title_field_};
  }

  std::expected<uint64_t, std::string> Append(std::span<const std::string_view> tokens,
                                              std::string& out) const override {
    const std::string_view text = tokens[0];
    const std::string_view title = title_field_.empty() ? std::string_view{} : tokens[1];
    SLUICE_TRY(CheckTextToken(text, text_field_));
    const bool titled = !IsAbsent(title) && title != "\"\"";
    if (titled && title.front() != '"') {
      return std::unexpected(fmt::format("field \"{}\" is not a string", title_field_));
    }
    out.append("{\"content\":{\"parts\":[{\"text\":");
    AppendText(text, titled ? Inside(title) : std::string_view{}, out);
    out.append("}]}");
    AppendSettings(titled && !task_in_text_ ? title : std::string_view{}, out);
    out.push_back('}');
    return text.size();
  }

 private:
  // An object without members is left out: Vertex AI cannot store one.
  void AppendSettings(std::string_view title, std::string& out) const {
    if (settings_.empty() && title.empty()) {
      return;
    }
    const size_t begin = out.size();
    out.append(settings_);
    if (!title.empty()) {
      out.append(",\"title\":").append(title);
    }
    if (in_config_) {
      out.replace(begin, 1, ",\"embed_content_config\":{").push_back('}');
    }
  }

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
  bool in_config_;
  std::string_view prefix_;
  std::string settings_;  // each with a comma in front
};

// The object as it stands, but on one line: the order of a schema's properties may change what a
// model answers, and numbers may be larger than a parser keeps.
Result<std::string> ConfigOnOneLine(std::string config) {
  const size_t size = config.size();
  config.append(RecordScanner::kPadding, ' ');
  const auto scanned = RecordScanner({}).Scan(std::string_view(config).substr(0, size));
  if (!scanned.has_value()) {
    return Fail(ErrorCode::kUsage,
                fmt::format("the generation config is not a JSON object: {}, at byte {}",
                            scanned.error().reason, scanned.error().offset));
  }
  config.resize(config.rfind('}') + 1);
  config.erase(0, config.find('{'));
  std::ranges::replace_if(config, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return config;
}

class GenerateBody final : public GeminiRequestBody {
 public:
  static Result<std::unique_ptr<GeminiRequestBody>> Make(const RequestOptions& options) {
    auto body = std::make_unique<GenerateBody>();
    const std::string text = options.prompt_template.empty() ? "{{" + options.text_field + "}}"
                                                             : options.prompt_template;
    SLUICE_ASSIGN(body->prompt_, PromptTemplate::Parse(text));
    body->text_field_ = options.text_field;
    body->checks_text_ = options.prompt_template.empty();
    if (FindInvalidUtf8(options.system_instruction).has_value()) {
      return Fail(ErrorCode::kUsage, "the system instruction is not valid UTF-8");
    }
    if (!options.system_instruction.empty()) {
      body->suffix_ += fmt::format(",\"systemInstruction\":{{\"parts\":[{{\"text\":{}}}]}}",
                                   JsonString(options.system_instruction));
    }
    if (!options.generation_config.empty()) {
      SLUICE_ASSIGN(const std::string config, ConfigOnOneLine(options.generation_config));
      body->suffix_ += ",\"generationConfig\":" + config;
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
      SLUICE_TRY(CheckTextToken(tokens[0], text_field_));
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
class ReadyBody final : public GeminiRequestBody {
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

}  // namespace

std::expected<void, std::string> CheckTextToken(std::string_view token, std::string_view field) {
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

Result<std::unique_ptr<GeminiRequestBody>> MakeGeminiRequestBody(const RequestOptions& options,
                                                                 EmbedSettings settings) {
  if (!options.request_field.empty()) {
    return std::make_unique<ReadyBody>(options.request_field);
  }
  if (options.task == Task::kGenerate) {
    return GenerateBody::Make(options);
  }
  if (!options.title_field.empty() && options.task_type != "RETRIEVAL_DOCUMENT") {
    return Fail(ErrorCode::kUsage, "a title goes only with the task type RETRIEVAL_DOCUMENT");
  }
  return std::make_unique<EmbedBody>(options, settings);
}

}  // namespace sluice
