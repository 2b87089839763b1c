#include "tools/run_end.h"

#include <string>

#include "io/file/atomic_file.h"
#include "tools/run_summary.h"

namespace sluice {
namespace {

Result<void> CopyReport(FileSystem& files, const RunSummary& summary, const std::string& copy) {
  constexpr uint64_t kReportMax = uint64_t{1} << 30;
  if (copy.empty()) {
    return {};
  }
  SLUICE_ASSIGN(const std::string report, ReadWholeFile(files, summary.report_path, kReportMax));
  return WriteFileAtomically(files, copy, report);
}

void PrintSummary(const CommandContext& context, const RunCommandOptions& options,
                  const RunSummary& summary, const Clock& clock) {
  const Console& console = context.console;
  if (options.progress == ProgressMode::kPlain) {
    console.Say(FormatDoneLine(summary, options.run, clock.WallNow()));
  }
  if (console.json) {
    console.Print(FormatRunSummaryAsJson(summary, options.run));
  } else {
    console.Say(FormatRunSummary(summary, options.run, console.err.color));
  }
}

}  // namespace

Result<void> EndRun(const CommandContext& context, const RunCommandOptions& options,
                    const RunSummary& summary, FileSystem& files, const Clock& clock) {
  SLUICE_TRY(CopyReport(files, summary, options.report_copy));
  PrintSummary(context, options, summary, clock);
  return {};
}

}  // namespace sluice
