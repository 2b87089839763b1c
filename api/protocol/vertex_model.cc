#include "api/protocol/vertex_model.h"

#include <fmt/format.h>

#include "api/http/google_error.h"
#include "api/protocol/model_id.h"

namespace sluice {
namespace {

std::string Shown(std::string_view model) { return PrintableText(model, 80); }

}  // namespace

VertexModelKind VertexModelKindOf(std::string_view model, Task task) {
  const std::string_view id = ModelIdOf(model);
  for (const std::string_view family :
       {"text-embedding-", "text-multilingual-embedding-", "textembedding-gecko"}) {
    if (id.starts_with(family)) {
      return VertexModelKind::kTextEmbedding;
    }
  }
  if (id.starts_with("gemini-embedding")) {
    return VertexModelKind::kGeminiEmbedding;
  }
  return id.starts_with("gemini-") || task == Task::kGenerate ? VertexModelKind::kGeneration
                                                              : VertexModelKind::kGeminiEmbedding;
}

Result<VertexModelKind> VertexModelKindFor(std::string_view model, Task task) {
  const VertexModelKind kind = VertexModelKindOf(model, task);
  if ((kind == VertexModelKind::kGeneration) == (task == Task::kGenerate)) {
    return kind;
  }
  if (task == Task::kGenerate) {
    return Fail(ErrorCode::kUsage,
                fmt::format("{} is an embedding model and generates nothing", Shown(model)),
                "a model that generates, like gemini-2.5-flash, or embed instead (`run --task "
                "embed`, `jobs create-embeddings`)");
  }
  return Fail(ErrorCode::kUsage, fmt::format("{} generates, and gives no embeddings", Shown(model)),
              "an embedding model, like gemini-embedding-001, or generate instead (`run --task "
              "generate`, `jobs create`)");
}

}  // namespace sluice
