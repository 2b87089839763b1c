#include "tools/emulator/models.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sluice {

namespace {

constexpr int kEmbeddingTokensMax = 8192;
constexpr int kGenerationTokensMax = 1'048'576;
constexpr int kAnswerTokensMax = 65'536;

constexpr Model Embedding(std::string_view id, std::string_view display_name, int dimensions) {
  return {.id = id,
          .use = ModelUse::kEmbed,
          .display_name = display_name,
          .input_tokens_max = kEmbeddingTokensMax,
          .output_tokens_max = 1,
          .default_dimensions = dimensions};
}

constexpr Model FirstGeneration() {
  Model model = Embedding("gemini-embedding-001", "Gemini Embedding 001 (local stand-in)", 3072);
  model.input_tokens_max = 2048;
  model.first_generation = true;
  return model;
}

constexpr Model Prepared() {
  Model model = Embedding("sluice-prepared-1", "Sluice Prepared 1", 768);
  model.prepared = true;
  return model;
}

constexpr Model Generation(std::string_view id, std::string_view display_name) {
  return {.id = id,
          .use = ModelUse::kGenerate,
          .display_name = display_name,
          .input_tokens_max = kGenerationTokensMax,
          .output_tokens_max = kAnswerTokensMax};
}

// Google's names as they stood in November 2026, so that clients that name them need no change.
constexpr Model kModels[] = {
    Embedding("sluice-lexical-1", "Sluice Lexical 1", 768),
    Generation("sluice-echo-1", "Sluice Echo 1"),
    Prepared(),
    FirstGeneration(),
    Embedding("gemini-embedding-2", "Gemini Embedding 2 (local stand-in)", 3072),
    Embedding("gemini-embedding-2-preview", "Gemini Embedding 2 Preview (local stand-in)", 3072),
    Generation("gemini-2.5-flash", "Gemini 2.5 Flash (local stand-in)"),
    Generation("gemini-2.5-flash-lite", "Gemini 2.5 Flash-Lite (local stand-in)"),
    Generation("gemini-2.5-pro", "Gemini 2.5 Pro (local stand-in)"),
    Generation("gemini-3.1-flash-lite", "Gemini 3.1 Flash-Lite (local stand-in)"),
    Generation("gemini-3.1-pro-preview", "Gemini 3.1 Pro Preview (local stand-in)"),
    Generation("gemini-3.5-flash", "Gemini 3.5 Flash (local stand-in)"),
    Generation("gemini-3.5-flash-lite", "Gemini 3.5 Flash-Lite (local stand-in)"),
    Generation("gemini-3.6-flash", "Gemini 3.6 Flash (local stand-in)"),
    Generation("gemini-3.8-flash", "Gemini 3.8 Flash (local stand-in)"),
};

constexpr Model kTextModels[] = {
    Embedding("text-embedding-004", "Text Embedding 004 (local stand-in)", 768),
    Embedding("text-embedding-005", "Text Embedding 005 (local stand-in)", 768),
    Embedding("text-multilingual-embedding-002", "Text Multilingual Embedding 002 (local stand-in)",
              768),
};

constexpr std::string_view kEmbeddingDescription =
    "Deterministic lexical embedding by signed feature hashing, made by sluice's local service. "
    "Not "
    "a neural model: it knows words, not meanings.";
constexpr std::string_view kPreparedDescription =
    "Vectors made beforehand, whatever the text, by sluice's local service: to measure clients. "
    "Not a "
    "neural model.";
constexpr std::string_view kEchoDescription =
    "Plain echo of the prompt, made by sluice's local service. Not a neural model.";

}  // namespace

std::span<const Model> Models() { return kModels; }

const Model* FindModel(std::string_view id) {
  const auto found = std::ranges::find(kModels, id, &Model::id);
  return found == std::end(kModels) ? nullptr : &*found;
}

const Model* FindCloudModel(std::string_view id) {
  const auto found = std::ranges::find(kTextModels, id, &Model::id);
  return found == std::end(kTextModels) ? FindModel(id) : &*found;
}

std::string ModelText(const Model& model) {
  const bool embeds = model.use == ModelUse::kEmbed;
  nlohmann::ordered_json text;
  text["name"] = fmt::format("models/{}", model.id);
  text["version"] = "1";
  text["displayName"] = model.display_name;
  text["description"] = model.prepared ? kPreparedDescription
                        : embeds       ? kEmbeddingDescription
                                       : kEchoDescription;
  text["inputTokenLimit"] = model.input_tokens_max;
  text["outputTokenLimit"] = model.output_tokens_max;
  text["supportedGenerationMethods"] =
      embeds ? nlohmann::ordered_json{"embedContent", "batchEmbedContents",
                                      "asyncBatchEmbedContent", "countTokens"}
             : nlohmann::ordered_json{"generateContent", "batchGenerateContent", "countTokens"};
  return text.dump();
}

}  // namespace sluice
