// Asking for a batch job, and what became of it. Plain data.
#pragma once

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

// The source is one of `staged_file` and `inline_requests`.
struct CreateJobRequest {
  Task task = Task::kEmbed;
  std::string model = {};        // without "models/"
  std::string staged_file = {};  // the service's name of the file: "files/..."
  std::vector<InlineRequest> inline_requests = {};
  std::string display_name = {};  // unique for each attempt: the token by which a lost job is found
};

// What became of a create call. `kUnknown` is an answer in its own right: the job may exist, and
// only a look at the list may decide.
enum class CreateOutcome { kCreated, kRefused, kNotSent, kUnknown };
struct CreateAnswer {
  CreateOutcome outcome = CreateOutcome::kUnknown;
  BatchJob job = {};                // kCreated
  std::optional<Error> error = {};  // the others
};

}  // namespace sluice
