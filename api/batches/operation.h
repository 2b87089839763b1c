// Operation: the wire form of a batch job and of a page of them, read leniently. Immutable
// functions, thread-safe.
//
// Seen on the wire (recordings 2025-2026): state in metadata.state or at the top, results in
// metadata.output or response or response.output, counters as strings with zeros left out. Errors
// are kBadAnswer without the name of the call; callers add it.
#pragma once

#include <string_view>

#include "api/batches/batch_job.h"
#include "io/base/error.h"

namespace sluice {

// The name must be well formed (batches/...), and so must the result file's.
[[nodiscard]] Result<BatchJob> ParseOperation(std::string_view json);

// Strict about names: a listing with an entry that cannot be read is no listing, because what is
// not found in a listing may be bought again.
[[nodiscard]] Result<JobPage> ParseOperationPage(std::string_view json);

}  // namespace sluice
