// Report: what came of a run, as report.json (docs/formats.md) and as a RunSummary. Everything is
// taken from the manifest, the ledger and the failures file, so the counts add up by construction:
// documents = ok + failed.
#pragma once

#include <string>
#include <vector>

#include "engine/ledger.h"
#include "engine/run.h"
#include "engine/run_directory.h"
#include "engine/stage_times.h"
#include "io/base/error.h"
#include "io/shard/manifest.h"

namespace sluice {

struct ReportInput {
  const RunOptions& options;
  const RunDirectory& directory;
  const Manifest& manifest;
  const StageTimes& times;
  const std::vector<CorpusFile>& list;
  std::vector<OutputFile> outputs;
  int dimension = 0;
  double seconds = 0;
  bool resumed = false;
  std::string finished;  // RFC 3339
};

[[nodiscard]] Result<RunSummary> Summarize(const ReportInput& input, Ledger& ledger);
// Writes report.json atomically.
[[nodiscard]] Result<void> WriteReport(FileSystem& files, const ReportInput& input,
                                       const RunSummary& summary);
// The summary as the JSON of report.json; `run --json` prints the same.
[[nodiscard]] std::string ReportJson(const ReportInput& input, const RunSummary& summary,
                                     const std::vector<std::string>& first_failures);

}  // namespace sluice
