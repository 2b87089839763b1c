#include "api/protocol/vertex_model.h"

namespace sluice {

std::string_view VertexModelId(std::string_view model) {
  model.remove_prefix(model.rfind('/') + 1);  // npos + 1 is 0
  return model.substr(0, model.find('@'));
}

VertexModelKind VertexModelKindOf(std::string_view model, Task task) {
  const std::string_view id = VertexModelId(model);
  for (const std::string_view family :
       {"text-embedding-", "text-multilingual-embedding-", "textembedding-gecko"}) {
    if (id.starts_with(family)) {
      return VertexModelKind::kTextEmbedding;
    }
  }
  return id.starts_with("gemini-embedding") || task == Task::kEmbed
             ? VertexModelKind::kGeminiEmbedding
             : VertexModelKind::kGeneration;
}

}  // namespace sluice
