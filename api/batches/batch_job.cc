#include "api/batches/batch_job.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice {
namespace {

constexpr std::array<std::pair<JobState, std::string_view>, 11> kStateNames{{
    {JobState::kUnspecified, "UNSPECIFIED"},
    {JobState::kQueued, "QUEUED"},
    {JobState::kPending, "PENDING"},
    {JobState::kRunning, "RUNNING"},
    {JobState::kSucceeded, "SUCCEEDED"},
    {JobState::kFailed, "FAILED"},
    {JobState::kCancelling, "CANCELLING"},
    {JobState::kCancelled, "CANCELLED"},
    {JobState::kPaused, "PAUSED"},
    {JobState::kExpired, "EXPIRED"},
    {JobState::kPartiallySucceeded, "PARTIALLY_SUCCEEDED"},
}};

}  // namespace

std::string_view JobStateName(JobState state) {
  return std::ranges::find(kStateNames, state, &std::pair<JobState, std::string_view>::first)
      ->second;
}

JobState ParseJobState(std::string_view text) {
  for (const std::string_view prefix : {"BATCH_STATE_", "JOB_STATE_"}) {
    if (text.starts_with(prefix)) {
      text.remove_prefix(prefix.size());
      break;
    }
  }
  const auto found =
      std::ranges::find(kStateNames, text, &std::pair<JobState, std::string_view>::second);
  return found == kStateNames.end() ? JobState::kUnspecified : found->first;
}

bool BatchJob::complete() const {
  switch (state) {
    case JobState::kSucceeded:
    case JobState::kFailed:
    case JobState::kCancelled:
    case JobState::kExpired:
    case JobState::kPartiallySucceeded:
      return true;
    default:
      return false;
  }
}

bool BatchJob::running() const {
  return state == JobState::kQueued || state == JobState::kPending || state == JobState::kRunning;
}

std::optional<double> BatchJob::progress() const {
  if (!stats || stats->total_count <= 0) {
    return std::nullopt;
  }
  const auto answered = static_cast<double>(stats->success_count + stats->failure_count);
  return std::clamp(answered / static_cast<double>(stats->total_count) * 100, 0.0, 100.0);
}

std::string_view BatchJob::id() const {
  const std::string_view whole = name;
  return whole.substr(whole.rfind('/') + 1);
}

}  // namespace sluice
