// Which kind of model a name of Vertex AI means: the three kinds differ in their lines, their
// limits and in where their input may stand. Immutable functions, thread-safe.
//
// Source: the batch pages of the Agent Platform documentation for generation, for Gemini embeddings
// and for text embeddings (2026-08).
#pragma once

#include <string_view>

#include "api/protocol/line_protocol.h"
#include "io/base/error.h"

namespace sluice {

enum class VertexModelKind {
  kGeneration,       // gemini-2.5-flash and whatever is not known to embed
  kGeminiEmbedding,  // gemini-embedding-001, gemini-embedding-2
  kTextEmbedding,    // text-embedding-005, text-multilingual-embedding-002 and older ones
};

// `task` decides for a model that nobody knows.
[[nodiscard]] VertexModelKind VertexModelKindOf(std::string_view model, Task task);

// The same, and kUsage for a model that is known to do something else than `task`: its job would
// be paid for and answer nothing of use.
[[nodiscard]] Result<VertexModelKind> VertexModelKindFor(std::string_view model, Task task);

}  // namespace sluice
