#include "engine/verify.h"

#include <array>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "api/http/decimal.h"
#include "engine/ledger_copy.h"
#include "engine/run_lock.h"
#include "engine/verify_corpus.h"
#include "engine/verify_input.h"
#include "engine/verify_jobs.h"
#include "engine/verify_output.h"
#include "engine/verify_report.h"

namespace sluice {
namespace {

// All that the ledger knows. Every Error is about the ledger's content.
struct LedgerContent {
  std::optional<PinnedRun> pinned;
  std::string run_id, outputs, state, dimension;
  std::vector<ShardTrack> tracks;
  std::vector<AttemptRecord> attempts;
  std::map<uint32_t, MergeCounts> merges;
  uint64_t surplus_jobs = 0;
};

Result<LedgerContent> ReadLedger(const std::string& path) {
  SLUICE_ASSIGN(Ledger ledger, Ledger::OpenToRead(path));
  SLUICE_TRY(ledger.CheckIntegrity());
  LedgerContent content;
  SLUICE_ASSIGN(const auto settings, ledger.Get(kSettingsKey));
  if (settings.has_value()) {
    SLUICE_ASSIGN(content.pinned, ReadPinnedRun(ledger));
  }
  const std::array<std::pair<const char*, std::string*>, 4> facts = {
      {{kRunIdKey, &content.run_id},
       {kOutputsKey, &content.outputs},
       {kStateKey, &content.state},
       {kDimensionKey, &content.dimension}}};
  for (const auto& [name, place] : facts) {
    SLUICE_ASSIGN(const auto value, ledger.Get(name));
    *place = value.value_or("");
  }
  SLUICE_ASSIGN(content.tracks, ledger.Tracks());
  SLUICE_ASSIGN(content.attempts, ledger.Attempts());
  SLUICE_ASSIGN(content.merges, ledger.Merges());
  SLUICE_ASSIGN(const auto surplus, ledger.Surplus());
  content.surplus_jobs = surplus.size();
  return content;
}

int DimensionOf(const LedgerContent& ledger) {
  if (ledger.pinned->request.task != Task::kEmbed) {
    return 0;
  }
  const int known = ParseDecimal<int>(ledger.dimension).value_or(0);
  return known > 0 ? known : ledger.pinned->request.dimension;
}

std::string StateOf(const VerifyInput& input) {
  if (input.is_finished) {
    return kFinished;
  }
  if (!input.is_packed()) {
    return "PREPARING";
  }
  return input.attempts.empty() ? "PREPARED" : "MERGING";
}

void NoteWhatIsNotThere(const VerifyInput& input, const VerifyCounts& counts, Findings& findings) {
  if (!input.is_packed()) {
    findings.AddNote("the corpus is not packed to its end");
  }
  if (!input.is_finished) {
    findings.AddNote(fmt::format("{} of {} shards are merged; there is no output yet",
                                 counts.shards_merged, counts.shards));
  }
  for (const auto& [shard, merge] : input.merges) {
    if (!merge.digest.has_value()) {
      findings.AddNote(
          "an older sluice merged some shards and did not note what tells whether "
          "their values are still the same");
      break;
    }
  }
}

Result<void> CheckAll(const VerifyInput& input, VerifyReport& report) {
  Findings& findings = report.findings;
  CheckManifest(input, findings);
  CheckLedger(input, findings);
  SLUICE_ASSIGN(const CorpusCounts corpus, CheckCorpus(input, findings));
  SLUICE_ASSIGN(const OutputCounts output, CheckOutput(input, findings));
  if (input.is_finished) {
    CheckReport(input, findings);
  }
  const uint64_t settled = output.results + output.failed + output.missing;
  report.counts = {.units = corpus.units,
                   .results = output.results,
                   .failed = output.failed,
                   .missing = output.missing,
                   .pending = corpus.accepted > settled ? corpus.accepted - settled : 0,
                   .refused = corpus.refused,
                   .blank = corpus.blank,
                   .shards = input.manifest.shards().size(),
                   .shards_merged = output.shards_merged,
                   .answers_compared = output.answers_compared};
  if (input.is_finished && settled != corpus.accepted) {
    findings.AddProblem(
        "the run", fmt::format("{} documents were accepted, but {} are results, {} "
                               "failed and {} are missing",
                               corpus.accepted, output.results, output.failed, output.missing));
  }
  NoteWhatIsNotThere(input, report.counts, findings);
  return {};
}

// What cannot be read at all is a finding, and the last one.
Result<void> Look(FileSystem& files, const RunDirectory& directory, const std::stop_token& stop,
                  VerifyReport& report) {
  // SQLite repairs what a crash left when it opens a file, and nothing in the run folder is to
  // change by being looked at.
  SLUICE_ASSIGN(const LedgerCopy copy, LedgerCopy::Make(directory.ledger()));
  Result<LedgerContent> ledger = ReadLedger(copy.path());
  if (!ledger.has_value()) {
    // A run that was killed while its ledger was made has no manifest yet.
    files.Exists(directory.manifest())
        ? report.findings.AddProblem("ledger.db", ledger.error().message)
        : report.findings.AddNote("nothing has begun here: " + ledger.error().message);
    return {};
  }
  // A run that may still go on must not do so now.
  std::optional<RunLock> lock;
  if (ledger->state != kFinished && files.Exists(directory.lock())) {
    SLUICE_ASSIGN(RunLock taken, RunLock::TakeToRead(directory.lock()));
    lock.emplace(std::move(taken));
  }
  const Result<Manifest> manifest = Manifest::Read(files, directory.manifest());
  if (!manifest.has_value()) {
    report.findings.AddProblem("manifest.jsonl", manifest.error().message);
    return {};
  }
  if (!ledger->pinned.has_value()) {
    const bool is_empty = manifest->shards().empty() && ledger->tracks.empty();
    is_empty ? report.findings.AddNote("nothing has begun here")
             : report.findings.AddProblem("ledger.db", "does not say what the run was asked to do");
    return {};
  }
  const auto protocol = MakeLineProtocol(ledger->pinned->provider_name, ledger->pinned->request);
  if (!protocol.has_value()) {
    report.findings.AddProblem("ledger.db", protocol.error().message);
    return {};
  }
  const VerifyInput input{.files = files,
                          .directory = directory,
                          .manifest = *manifest,
                          .pinned = *ledger->pinned,
                          .protocol = **protocol,
                          .run_id = ledger->run_id,
                          .tracks = ledger->tracks,
                          .attempts = ledger->attempts,
                          .merges = ledger->merges,
                          .surplus_jobs = ledger->surplus_jobs,
                          .outputs = ledger->outputs,
                          .dimension = DimensionOf(*ledger),
                          .is_finished = ledger->state == kFinished,
                          .stop = stop};
  report.state = StateOf(input);
  return CheckAll(input, report);
}

}  // namespace

Result<VerifyReport> VerifyRun(FileSystem& files, const std::string& run_folder,
                               const std::stop_token& stop) {
  const size_t end = run_folder.find_last_not_of('/');
  const RunDirectory directory(end == std::string::npos ? run_folder
                                                        : run_folder.substr(0, end + 1));
  if (!files.Exists(directory.ledger())) {
    return Fail(ErrorCode::kUsage, fmt::format("'{}' is not a run directory", run_folder),
                "name it with -C DIR; `sluice run` makes OUTPUT.sluice");
  }
  SLUICE_TRY(RunLock::RequireFree(directory.lock()));
  VerifyReport report{.run_folder = run_folder, .state = "UNKNOWN", .counts = {}, .findings = {}};
  SLUICE_TRY(Look(files, directory, stop, report));
  return report;
}

}  // namespace sluice
