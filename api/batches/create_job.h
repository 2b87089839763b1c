// Asking for a batch job, and what became of it. Plain data.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/batches/batch_job.h"
#include "api/protocol/line_protocol.h"
#include "io/base/error.h"

namespace sluice {

// One request inside the create call itself.
struct InlineRequest {
  std::string key = {};      // comes back with the answer
  std::string request = {};  // a JSON object: EmbedContentRequest or GenerateContentRequest
};

// The one that embeds text alone (ai.google.dev/gemini-api/docs/embeddings, 2026-06).
inline constexpr const char* kDefaultEmbeddingModel = "gemini-embedding-001";

// The source is exactly one of `staged_file`, `inline_requests`, `gcs_uris` and `bigquery_uri`.
struct CreateJobRequest {
  Task task = Task::kEmbed;
  // Without "models/"; at Vertex AI also a path ("publishers/p/models/m", "projects/..."). Empty:
  // for CreateEmbeddings() kDefaultEmbeddingModel.
  std::string model = {};
  std::string staged_file = {};  // the service's name of the file: "files/..."
  std::vector<InlineRequest> inline_requests = {};
  // Unique for each attempt: the token by which a job is found whose creation was not answered.
  // Empty: none is sent, as the official SDKs do.
  std::string display_name = {};
  // Jobs with a higher one run first (discovery document of v1beta, 2026). 0, the service's own
  // default, is not sent.
  int64_t priority = 0;
  // A JSON object for all inline requests, or empty. The service knows none for a whole job, so it
  // is put into each request, where a member that stands already counts: as "generationConfig" for
  // generation, and as members of the request itself ("outputDimensionality") for embeddings. A
  // file's lines must carry it themselves: see MakeRequestLines().
  std::string generation_config = {};
  // For all inline requests of a generation job: a Content as a JSON object, or else plain text.
  std::string system_instruction = {};
  // Vertex AI alone takes these: its sources are objects in Cloud Storage ("gs://bucket/object") or
  // a table of BigQuery ("bq://project.dataset.table"), and its answers go below a prefix of Cloud
  // Storage ("gs://bucket/prefix") or to BigQuery ("bq://project.dataset[.table]"). Without a
  // destination: beside the source, as the official SDKs choose it for objects.
  std::vector<std::string> gcs_uris = {};
  std::string bigquery_uri = {};
  std::string output_gcs_uri = {};
  std::string output_bigquery_uri = {};
  std::map<std::string, std::string> labels = {};  // a-z 0-9 _ -, at most 63 each
};

// What became of a create call. `kUnknown` is an answer in its own right: the job may exist, and
// only a look at the list may decide.
enum class CreateOutcome { kCreated, kRefused, kNotSent, kUnknown };
struct CreateAnswer {
  CreateOutcome outcome = CreateOutcome::kUnknown;
  BatchJob job = {};                // kCreated
  std::optional<Error> error = {};  // the others

  // The job, or the Error; after kUnknown with the hint to look before creating again.
  [[nodiscard]] Result<BatchJob> result() const;
};

}  // namespace sluice
