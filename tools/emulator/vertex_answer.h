// Answer lines of batch prediction jobs at Vertex AI, made by the same model functions as those of
// the Gemini Developer API. A pure function.
//
// As the real service does it: the request comes back written anew, with its members sorted and
// with nulls in its parts; unknown members of the line come back as they were; a failure is a text
// in "status" beside an empty response; int64 are strings.
#pragma once

#include <string>
#include <string_view>

#include "api/protocol/vertex_model.h"
#include "tools/emulator/answer.h"
#include "tools/emulator/models.h"

namespace sluice {

struct VertexLineForm {
  VertexModelKind kind = VertexModelKind::kGeneration;
  bool in_table = false;           // its members are columns: an instance's, too
  bool ignores_dimension = false;  // as the real service was seen to
};

// As AppendResultLine(). `time`: when it was answered, RFC 3339.
bool AppendVertexLine(const Model& model, const VertexLineForm& form, std::string_view line,
                      const LineTwist& twist, std::string_view time, std::string& out);

// The answer of :predict, for one instance {"content": ..., "task_type": ..., "title": ...}.
[[nodiscard]] ApiAnswer AnswerInstance(const Model& model, std::string_view instance,
                                       int dimensions);

}  // namespace sluice
