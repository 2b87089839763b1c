// The batch prediction jobs of Vertex AI.
#pragma once

#include <memory>

#include "api/batches/batch_api.h"
#include "api/batches/vertex_answers.h"
#include "api/batches/vertex_place.h"

namespace sluice {

// `answers` must outlive it. Errors: those of CheckVertexPlace().
[[nodiscard]] Result<std::shared_ptr<const BatchApi>> MakeVertexBatchApi(
    VertexPlace place, const VertexAnswers& answers);

}  // namespace sluice
