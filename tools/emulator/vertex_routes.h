// The routes of Vertex AI: batch prediction jobs, and single embeddings. Thread-safe.
//
//   /v1/projects/P/locations/L/batchPredictionJobs[/ID][:cancel]
//   /v1/projects/P/locations/L/publishers/google/models/M:predict, :embedContent, :generateContent
//
// v1beta1 likewise. Any project and any location is there; sources and destinations are in the
// service's own Cloud Storage and BigQuery.
#pragma once

#include "tools/emulator/service.h"

namespace sluice {

[[nodiscard]] bool ServesVertex(const Exchange& exchange);
void AnswerVertex(Service& service, Exchange& exchange);

}  // namespace sluice
