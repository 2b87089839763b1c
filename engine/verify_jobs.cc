#include "engine/verify_jobs.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <set>

#include "engine/job_plan.h"
#include "io/shard/shard_file.h"

namespace sluice {
namespace {

constexpr const char* kLedger = "ledger.db";
constexpr const char* kManifest = "manifest.jsonl";

// A round after the first begins when the one before it was merged.
bool WasMerged(const ShardTrack& track) { return IsMerged(track) || track.round > 0; }

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
    if (attempt.outcome == "CREATED" && attempt.job.empty()) {
      findings.AddProblem(Of(attempt.shard),
                          fmt::format("attempt {} made a job without a name", attempt.attempt));
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
