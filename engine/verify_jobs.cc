#include "engine/verify_jobs.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <set>

#include "engine/failures.h"
#include "engine/job_plan.h"
#include "io/shard/shard_file.h"

namespace sluice {
namespace {

constexpr const char* kLedger = "ledger.db";
constexpr const char* kManifest = "manifest.jsonl";

std::string Of(uint32_t shard) { return fmt::format("{}, shard {}", kLedger, shard); }

void CheckCounts(uint32_t shard, const MergeCounts& counts, uint64_t rows, Findings& findings) {
  if (counts.ok + counts.failed != rows) {
    findings.AddProblem(Of(shard), fmt::format("{} results and {} failures are not its {} rows",
                                               counts.ok, counts.failed, rows));
  }
  uint64_t classified = 0;
  for (const auto& [name, count] : counts.failed_by_class) {
    classified += count;
  }
  if (classified != counts.failed) {
    findings.AddProblem(Of(shard), fmt::format("its failures by class are {} and not {}",
                                               classified, counts.failed));
  }
}

void CheckTrack(const VerifyInput& input, const ShardTrack& track, Findings& findings) {
  const auto& shards = input.manifest.shards();
  if (track.shard >= shards.size()) {
    findings.AddProblem(Of(track.shard), "the manifest has no such shard");
    return;
  }
  const uint64_t rows = shards[track.shard].range.count;
  if (track.rows != rows) {
    findings.AddProblem(Of(track.shard),
                        fmt::format("has {} rows here and {} in the manifest", track.rows, rows));
  }
  const auto counts = input.merges.find(track.shard);
  if (WasMerged(track) != (counts != input.merges.end())) {
    findings.AddProblem(Of(track.shard),
                        fmt::format("is {}, but its merge {} noted", ShardStateName(track.state),
                                    WasMerged(track) ? "was never" : "is"));
  }
  if (counts != input.merges.end()) {
    CheckCounts(track.shard, counts->second, rows, findings);
  }
  if (input.is_finished && track.state != ShardState::kDone) {
    findings.AddProblem(Of(track.shard), fmt::format("is {} though the run is complete",
                                                     ShardStateName(track.state)));
  }
}

// Nothing goes on before it is known what became of an attempt.
void CheckSettled(const AttemptRecord& attempt, const ShardTrack& track, Findings& findings) {
  const bool is_waited_for = track.state == ShardState::kIntent ||
                             track.state == ShardState::kUnknown ||
                             track.state == ShardState::kFenced;
  if (!attempt.is_settled() && (attempt.attempt != track.attempt || !is_waited_for)) {
    findings.AddProblem(
        Of(track.shard),
        fmt::format("attempt {} is {}, and the shard is {} in attempt {}", attempt.attempt,
                    attempt.outcome, ShardStateName(track.state), track.attempt));
  }
}

// The rows that a round after the first asks for, as the failures of the one before name them;
// nothing when that is not there (any more), or the next round's classes stand in the track.
std::optional<uint64_t> RowsToAsk(const VerifyInput& input, const ShardTrack& track) {
  const std::string path = input.directory.shard_failures(track.shard, track.round - 1);
  if (IsMerged(track) || !input.files.Exists(path)) {
    return std::nullopt;
  }
  const auto failures = ReadFailures(input.files, path);
  return failures.has_value() ? std::optional(RowsOfClasses(*failures, track.retry_classes).size())
                              : std::nullopt;
}

// What each attempt asked for, all rows of the shard at first and in the current round what that is
// about, and what became of it.
void CheckAttemptsOf(const VerifyInput& input, const ShardTrack& track, Findings& findings) {
  const std::optional<uint64_t> wanted =
      track.round == 0 ? std::optional(track.rows) : RowsToAsk(input, track);
  if (wanted.has_value() && track.rows_asked != *wanted) {
    findings.AddProblem(Of(track.shard), fmt::format("asks for {} rows in round {}, expected {}",
                                                     track.rows_asked, track.round, *wanted));
  }
  const auto attempts =
      std::ranges::equal_range(input.attempts, track.shard, {}, &AttemptRecord::shard);
  for (const AttemptRecord& attempt : attempts) {
    CheckSettled(attempt, track, findings);
    const uint64_t asked = attempt.attempt == track.attempt ? track.rows_asked
                           : &attempt == &attempts.front()  ? track.rows
                                                            : std::min(attempt.rows, track.rows);
    if (attempt.rows != asked) {
      findings.AddProblem(Of(track.shard), fmt::format("attempt {} asked for {} rows, expected {}",
                                                       attempt.attempt, attempt.rows, asked));
    }
  }
}

// A job that is known was asked for by exactly one attempt, whose intent stands there.
void CheckAttempts(const VerifyInput& input, Findings& findings) {
  const JobPlan plan({.run_id = input.run_id});
  std::map<std::string, uint32_t> owners;
  for (const AttemptRecord& attempt : input.attempts) {
    ShardTrack track;
    track.shard = attempt.shard;
    track.attempt = attempt.attempt;
    if (attempt.display_name != plan.DisplayName(track)) {
      findings.AddProblem(Of(attempt.shard),
                          fmt::format("attempt {} is called {} and not {}", attempt.attempt,
                                      attempt.display_name, plan.DisplayName(track)));
    }
    if (!attempt.job.empty() && !owners.emplace(attempt.job, attempt.shard).second) {
      findings.AddProblem(Of(attempt.shard),
                          fmt::format("job {} stands in two attempts", attempt.job));
    }
    if ((attempt.outcome == "CREATED") != !attempt.job.empty()) {
      findings.AddProblem(Of(attempt.shard),
                          fmt::format("attempt {} is {} and its job is '{}'", attempt.attempt,
                                      attempt.outcome, attempt.job));
    }
  }
  for (const ShardTrack& track : input.tracks) {
    const auto owner = owners.find(track.job);
    // Rows can be given up without a job.
    const bool has_job = track.state == ShardState::kSubmitted || !track.job.empty();
    if (has_job && (owner == owners.end() || owner->second != track.shard)) {
      findings.AddProblem(Of(track.shard),
                          fmt::format("no attempt of it made its job '{}'", track.job));
    }
  }
}

}  // namespace

void CheckManifest(const VerifyInput& input, Findings& findings) {
  Ordinal next = 0;
  uint32_t number = 0;
  for (const ShardEntry& shard : input.manifest.shards()) {
    const std::string where = fmt::format("{}:{}", kManifest, number + 1);
    if (shard.shard != number) {
      findings.AddProblem(where, fmt::format("is shard {} and not {}", shard.shard, number));
    }
    if (shard.range.first != next || shard.range.count == 0 ||
        shard.after.next != shard.range.end()) {
      findings.AddProblem(where, fmt::format("holds rows {} to {}, expected rows from {} on",
                                             shard.range.first, shard.after.next, next));
    }
    if (shard.file != ShardFileName(number, true) && shard.file != ShardFileName(number, false)) {
      findings.AddProblem(where, fmt::format("names the file '{}'", shard.file));
    }
    next = shard.range.end();
    ++number;
  }
  if (input.is_packed() && input.manifest.end()->next != next) {
    findings.AddProblem(kManifest, fmt::format("ends at row {}, its shards at row {}",
                                               input.manifest.end()->next, next));
  }
}

void CheckLedger(const VerifyInput& input, Findings& findings) {
  std::set<uint32_t> tracked;
  for (const ShardTrack& track : input.tracks) {
    tracked.insert(track.shard);
    CheckTrack(input, track, findings);
    CheckAttemptsOf(input, track, findings);
  }
  for (const auto& [shard, counts] : input.merges) {
    if (!tracked.contains(shard)) {
      findings.AddProblem(Of(shard), "its merge is noted, but the shard is not");
    }
  }
  for (const ShardEntry& shard : input.manifest.shards()) {
    if (input.is_finished && !tracked.contains(shard.shard)) {
      findings.AddProblem(Of(shard.shard), "is in the manifest and not in the ledger");
    }
  }
  if (input.is_finished && !input.is_packed()) {
    findings.AddProblem(kManifest, "has no end, though the run is complete");
  }
  CheckAttempts(input, findings);
}

}  // namespace sluice
