#include "api/batches/create_job.h"

namespace sluice {

Result<BatchJob> CreateAnswer::result() const {
  if (outcome == CreateOutcome::kCreated) {
    return job;
  }
  Error failure = error.value_or(Error{.code = ErrorCode::kInternal, .message = "not created"});
  if (outcome == CreateOutcome::kUnknown) {
    failure.hint = "the job may exist: look for its display name in the list before another try";
  }
  return std::unexpected(std::move(failure));
}

}  // namespace sluice
