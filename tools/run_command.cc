#include "tools/run_command.h"

#include <cstdio>
#include <fmt/format.h>
#include <string>

#include "engine/run.h"
#include "io/base/clock.h"
#include "io/file/atomic_file.h"
#include "tools/run_command_options.h"
#include "tools/run_folder.h"
#include "tools/run_summary.h"
#include "tools/service_access.h"
#include "tools/shown_progress.h"

namespace sluice {
namespace {

std::string SettingsLine(const RunCommandOptions& options, const std::string& base_url) {
  const RunOptions& run = options.run;
  const std::string text = fmt::format(
      "backend {} ({}{}{}), model {}, dimension {}, output {}, run folder {}, {} threads",
      BackendName(options.service.backend), run.provider_note, base_url.empty() ? "" : ", ",
      base_url, run.request.model, run.request.dimension, run.output, run.run_folder, run.threads);
  return EscapeControls(text) + '\n';
}

// The engine's work with the progress shown meanwhile, and signals heard.
Result<RunSummary> RunShown(const CommandContext& context, const RunCommandOptions& options,
                            RunEnvironment& environment) {
  const ShownProgress shown(context, options, environment.progress, environment.clock);
  return Run(options.run, environment);
}

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

Result<int> RunCommand(const CommandContext& context) {
  const auto files = MakePosixFileSystem();
  SystemClock clock;
  SLUICE_ASSIGN(const RunCommandOptions options,
                ReadRunCommandOptions(context.arguments, *files, context.console.err.is_terminal));
  SLUICE_TRY(ReadyRunFolder(context, options, *files));
  SLUICE_ASSIGN(ServiceAccess service, ServiceAccess::Open(options.service, clock));
  context.console.Warn(service.warning());
  if (context.arguments.Has("--verbose")) {
    context.console.Say(SettingsLine(options, service.base_url()));
  }
  Progress progress;
  RunEnvironment environment{.files = *files,
                             .clock = clock,
                             .provider = service.provider(),
                             .progress = progress,
                             .stop = context.signals.stop_token()};
  SLUICE_ASSIGN(const RunSummary summary, RunShown(context, options, environment));
  SLUICE_TRY(CopyReport(*files, summary, options.report_copy));
  // Its rows are safe, so nobody will ask for its jobs again.
  service.DiscardLocalState();
  PrintSummary(context, options, summary, clock);
  return summary.exit_code;
}

}  // namespace sluice
