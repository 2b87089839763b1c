#include "engine/shard_track.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <initializer_list>

namespace sluice {
namespace {

using enum ShardState;

constexpr std::array<std::string_view, 10> kStateNames = {
    "SEALED",    "STAGED", "INTENT", "UNKNOWN", "FENCED",
    "SUBMITTED", "ENDED",  "MERGED", "DONE",    "REPACK"};

bool IsOneOf(ShardState state, std::initializer_list<ShardState> states) {
  return std::ranges::find(states, state) != states.end();
}

// The table of steps. Staying is allowed everywhere: notes change.
bool MayFollow(ShardState before, ShardState after) {
  switch (before) {
    case kSealed:
      return IsOneOf(after, {kSealed, kStaged, kEnded});  // ENDED: given up unsent
    case kStaged:
      return IsOneOf(after, {kStaged, kIntent, kSealed, kEnded});
    case kIntent:  // STAGED: definitely not acted upon
      return IsOneOf(after, {kIntent, kStaged, kSealed, kSubmitted, kUnknown});
    case kUnknown:
      return IsOneOf(after, {kUnknown, kSubmitted, kFenced});
    case kFenced:
      return IsOneOf(after, {kFenced, kSubmitted, kSealed});
    case kSubmitted:  // SEALED: the job ended and left nothing. UNKNOWN: nobody ever saw it
      return IsOneOf(after, {kSubmitted, kEnded, kSealed, kUnknown});
    case kEnded:
      return IsOneOf(after, {kEnded, kMerged, kSealed});
    case kMerged:  // ENDED: its rows are gone from this disk, and fetched again
      return IsOneOf(after, {kMerged, kDone, kRepack, kEnded});
    case kDone:
      return IsOneOf(after, {kDone, kRepack, kEnded});
    case kRepack:
      return IsOneOf(after, {kRepack, kSealed, kDone, kEnded});
  }
  return false;
}

// A new file for every attempt, and a new attempt whenever the old file may have been used.
bool AttemptIsRight(const ShardTrack& before, const ShardTrack& after) {
  if (after.state != kSealed || before.state == kStaged) {
    return after.attempt == before.attempt;
  }
  if (before.state == kSealed) {
    return after.attempt == before.attempt || after.attempt == before.attempt + 1;
  }
  return after.attempt == before.attempt + 1;
}

bool RoundIsRight(const ShardTrack& before, const ShardTrack& after) {
  const bool begins = before.state == kRepack && after.state == kSealed;
  return after.round == before.round + (begins ? 1 : 0);
}

bool NamesAreRight(const ShardTrack& track) {
  const bool needs_file = IsOneOf(track.state, {kStaged, kIntent, kUnknown, kFenced, kSubmitted});
  const bool has_no_job =
      IsOneOf(track.state, {kSealed, kStaged, kIntent, kUnknown, kFenced}) && track.job.empty();
  const bool is_asked = (track.round == 0) == track.request.name.empty();
  const bool job_is_right = track.state == kSubmitted ? !track.job.empty()
                            : IsOneOf(track.state, {kEnded, kMerged, kDone, kRepack}) ? true
                                                                                      : has_no_job;
  return (!needs_file || !track.staged_file.empty()) && job_is_right && is_asked;
}

}  // namespace

std::string_view ShardStateName(ShardState state) {
  return kStateNames[static_cast<size_t>(state)];
}

std::optional<ShardState> ParseShardState(std::string_view name) {
  const auto place = std::ranges::find(kStateNames, name);
  if (place == kStateNames.end()) {
    return std::nullopt;
  }
  return static_cast<ShardState>(place - kStateNames.begin());
}

std::string FaultOfStep(const ShardTrack* before, const ShardTrack& after) {
  const bool is_first = before == nullptr;
  std::string_view fault;
  if (is_first ? after.state != kSealed || after.attempt != 1 || after.round != 0
               : !MayFollow(before->state, after.state)) {
    fault = "no such step";
  } else if (!is_first && !AttemptIsRight(*before, after)) {
    fault = "the attempt is wrong";
  } else if (!is_first && !RoundIsRight(*before, after)) {
    fault = "the round is wrong";
  } else if (!NamesAreRight(after)) {
    fault = "a name is missing or too many";
  } else {
    return {};
  }
  return fmt::format("shard {} from {} (attempt {}) to {} (attempt {}): {}", after.shard,
                     is_first ? "nothing" : ShardStateName(before->state),
                     is_first ? 0 : before->attempt, ShardStateName(after.state), after.attempt,
                     fault);
}

}  // namespace sluice
