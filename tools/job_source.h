// JobSource: what `jobs create` is given as its SOURCE, made ready for the create call. One thread
// at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "api/batches/create_job.h"
#include "api/files/stage_source.h"
#include "io/base/error.h"

namespace sluice {

// Up to so many bytes of request lines go into the create call unless it is said otherwise. Far
// below the 20 MB that the service takes (ai.google.dev/gemini-api/docs/batch-api, 2026-11):
// a job with inline requests tells its answers with every look at it.
inline constexpr uint64_t kInlineBytesUsual = 1'000'000;

struct JobSourceOptions {
  enum class Way { kBySize, kInline, kUpload };
  Task task = Task::kGenerate;
  Way way = Way::kBySize;
  std::string generation_config = {};
  std::string system_instruction = {};
};

// Exactly one of the four.
struct JobSource {
  std::string uploaded_file = {};                   // "files/...": at the service already
  std::string cloud_uri = {};                       // "gs://...", "bq://...": for Vertex AI
  std::vector<InlineRequest> inline_requests = {};  // with the settings in them
  std::optional<StageSource> lines_to_upload = {};  // with the settings in them
};

// Errors: kUsage for what cannot be a source, or settings for a file that is at the service
// already; kInput for lines that are no requests; kUnfinished.
[[nodiscard]] Result<JobSource> ReadJobSource(const std::string& text,
                                              const JobSourceOptions& options,
                                              const std::stop_token& stop);

}  // namespace sluice
