// Request lines: a file of requests in the form that a batch job takes, made while it is uploaded.
//
//   SLUICE_ASSIGN(const StageSource file, SourceOfFile("input.jsonl"));
//   SLUICE_ASSIGN(const StageSource lines,
//                 MakeRequestLines(file, {.task = Task::kGenerate,
//                                         .generation_config = R"({"temperature":0.7})"}));
//   SLUICE_ASSIGN(const UploadedFile input, client->files().Upload(lines));
//
// The service takes lines of the form {"key": "...", "request": {...}} and knows no settings for a
// whole job (ai.google.dev/gemini-api/docs/batch-api, 2026-09).
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "api/files/stage_source.h"
#include "api/protocol/line_protocol.h"
#include "io/base/error.h"

namespace sluice {

// What every request of a file is to carry: as the members of the same names in CreateJobRequest.
struct RequestLinesOptions {
  Task task = Task::kEmbed;
  std::string generation_config = {};   // a JSON object, or empty
  std::string system_instruction = {};  // a Content as a JSON object, plain text, or empty
  std::string name = {};                // of the file, for errors that name a line of it; or empty
};

// Requests above this are refused, so that memory is bounded whatever the file says. Ten times what
// the service takes inline.
inline constexpr uint64_t kRequestLineBytesMax = uint64_t{200} << 20;

// `source` with the settings in each request that does not say otherwise. A line may also be a bare
// request, or have no key: its key is then its number, from 1. A key that is no string becomes one,
// since the service knows no others. Blank lines are left out. Reads
// `source` once to its end, for the size; what it holds must not change until the upload has ended.
// Immutable, thread-safe. Errors: kUsage for settings that cannot be used; kInput with the number
// of a line that is no request of the task; kUnfinished; those of `source`.
[[nodiscard]] Result<StageSource> MakeRequestLines(const StageSource& source,
                                                   const RequestLinesOptions& options = {},
                                                   const std::stop_token& stop = {});

}  // namespace sluice
