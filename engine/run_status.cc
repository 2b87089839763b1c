#include "engine/run_status.h"

#include <nlohmann/json.hpp>

#include "engine/ledger.h"
#include "engine/run_directory.h"
#include "engine/run_lock.h"
#include "io/json/json_document.h"
#include "io/shard/manifest.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

JobStatus StatusOf(const ShardTrack& track, const std::map<uint32_t, MergeCounts>& merges) {
  JobStatus status{.shard = track.shard,
                   .attempt = track.attempt,
                   .round = track.round,
                   .state = std::string(ShardStateName(track.state)),
                   .job = track.job,
                   .note = track.note,
                   .rows = track.rows};
  if (const auto counts = merges.find(track.shard); counts != merges.end()) {
    status.ok = counts->second.ok;
    status.failed = counts->second.failed;
  }
  return status;
}

}  // namespace

Result<RunStatus> ReadRunStatus(FileSystem& files, const std::string& run_folder) {
  const RunDirectory directory(run_folder);
  SLUICE_TRY(directory.ExpectRun(files));
  SLUICE_ASSIGN(Ledger ledger, Ledger::OpenToRead(directory.ledger()));
  SLUICE_ASSIGN(const Manifest manifest, Manifest::Read(files, directory.manifest()));
  SLUICE_ASSIGN(const auto tracks, ledger.Tracks());
  SLUICE_ASSIGN(const auto merges, ledger.Merges());
  SLUICE_ASSIGN(const auto settings_text, ledger.Get(kSettingsKey));
  SLUICE_ASSIGN(const auto state, ledger.Get(kStateKey));
  SLUICE_ASSIGN(const auto cancelled, ledger.Get(kCancelledKey));
  const Json settings = ParseJson(settings_text.value_or("{}"));
  RunStatus status{.run_folder = run_folder,
                   .state = state == kFinished ? kFinished : "STOPPED",
                   .model = settings.value("--model", ""),
                   .provider = settings.value("--backend", ""),
                   .output = settings.value("--output", ""),
                   .packed = manifest.end().has_value(),
                   .cancelled = cancelled.has_value(),
                   .documents = manifest.position().next,
                   .rejected = manifest.position().rejected,
                   .jobs = {}};
  if (RunLock::IsHeld(directory.lock())) {
    status.state = "RUNNING";
  }
  for (const ShardTrack& track : tracks) {
    status.jobs.push_back(StatusOf(track, merges));
    status.merged += status.jobs.back().ok;
    status.failed += status.jobs.back().failed;
  }
  return status;
}

}  // namespace sluice
