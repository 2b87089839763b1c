#include "engine/merged_rows.h"

#include <fmt/format.h>

#include "engine/run_settings.h"
#include "engine/verify_output.h"

namespace sluice {
namespace {

std::unexpected<Error> CannotFetchAgain(const ShardTrack& track, const Problem& problem) {
  return Fail(ErrorCode::kInput,
              fmt::format("rows that were merged have changed on disk: {}: {}", problem.where,
                          problem.what),
              fmt::format("shard {} was asked for in {} rounds and cannot be fetched again as a "
                          "whole; put the file back, or start over with --fresh",
                          track.shard, track.round + 1));
}

void SendBack(ShardTrack& track) {
  track.state = ShardState::kEnded;
  track.retry_classes = {};
  track.note = "what was merged of it changed on disk: it is fetched again";
}

}  // namespace

Result<void> SendBackDamagedShards(const MergedRowsEnvironment& environment,
                                   const Manifest& manifest, int dimension, Ledger& ledger) {
  SLUICE_ASSIGN(const PinnedRun pinned, ReadPinnedRun(ledger));
  SLUICE_ASSIGN(const auto tracks, ledger.Tracks());
  SLUICE_ASSIGN(const auto merges, ledger.Merges());
  for (ShardTrack track : tracks) {
    if (!IsMerged(track)) {
      continue;
    }
    const VerifyInput input{.files = environment.files,
                            .directory = environment.directory,
                            .manifest = manifest,
                            .pinned = pinned,
                            .protocol = environment.protocol,
                            .run_id = {},
                            .tracks = {track},
                            .attempts = {},
                            .merges = {{track.shard, merges.at(track.shard)}},
                            .outputs = {},
                            .dimension = dimension,
                            .is_finished = false,
                            .compares_answers = false,
                            .stop = environment.stop};
    Findings findings;
    SLUICE_TRY(CheckOutput(input, findings));
    if (findings.problem_count() == 0) {
      continue;
    }
    if (track.round > 0) {
      return CannotFetchAgain(track, findings.problems().front());
    }
    SendBack(track);
    SLUICE_TRY(ledger.Save(track));
  }
  return {};
}

}  // namespace sluice
