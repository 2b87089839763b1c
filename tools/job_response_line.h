// What came of one request of a job, as a line of JSON. Pure.
#pragma once

#include <string>

#include "api/batches/job_response.h"
#include "tools/terminal.h"

namespace sluice {

// {"key":...} with "embedding"; or "text", "parts", "finish_reason" and the tokens; or "error".
// With its line end.
[[nodiscard]] std::string FormatJobResponse(const JobResponse& response, const Terminal& terminal);

}  // namespace sluice
