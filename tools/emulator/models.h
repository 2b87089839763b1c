// The models that the local service lists. None of them is neural: embeddings come from
// LexicalEmbedding, generation is an echo, whatever the name. Immutable.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sluice {

enum class ModelUse { kEmbed, kGenerate };

struct Model {
  std::string_view id;
  ModelUse use = ModelUse::kEmbed;
  std::string_view display_name;
  int input_tokens_max = 0;
  int output_tokens_max = 0;
  int default_dimensions = 0;
  // gemini-embedding-001 answers below 3072 dimensions without unit length, and counts tokens in a
  // string `tokenCount` instead of `usageMetadata`.
  bool first_generation = false;
  bool prepared = false;  // answers of jobs come from PreparedAnswers
};

[[nodiscard]] std::span<const Model> Models();
// Null for a name that the service does not know; `id` without "models/".
[[nodiscard]] const Model* FindModel(std::string_view id);
// Likewise, of those that batch prediction jobs of Vertex AI know: text embedding models, too.
[[nodiscard]] const Model* FindCloudModel(std::string_view id);
// The Model resource as JSON, compact.
[[nodiscard]] std::string ModelText(const Model& model);

}  // namespace sluice
