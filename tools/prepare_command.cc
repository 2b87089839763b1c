#include "tools/prepare_command.h"

#include "engine/prepare_run.h"
#include "tools/cloud_files.h"
#include "tools/run_command_options.h"
#include "tools/run_folder.h"
#include "tools/run_summary.h"
#include "tools/service_access.h"
#include "tools/shown_progress.h"

namespace sluice {
namespace {

// As for a run with the same flags, but for what only the service and the output need: that is
// pinned by the run that goes on from here.
Result<RunCommandOptions> ReadOptions(const CommandContext& context, FileSystem& files) {
  SLUICE_ASSIGN(RunCommandOptions options,
                ReadRunCommandOptions(context.arguments, files, context.console.err.is_terminal));
  options.run.output.clear();
  options.run.account.clear();
  return options;
}

Result<PrepareSummary> PrepareShown(const CommandContext& context, const RunCommandOptions& options,
                                    PrepareEnvironment& environment) {
  const ShownProgress shown(context, options, environment.progress, environment.clock,
                            StepsShown::kPrepare);
  return PrepareRun(options.run, environment);
}

}  // namespace

Result<int> PrepareCommand(const CommandContext& context) {
  SystemClock clock;
  CloudFiles cloud(clock, context.signals.stop_token());
  FileSystem& files = cloud.files();
  SLUICE_ASSIGN(const RunCommandOptions options, ReadOptions(context, files));
  cloud.ServedBy([&] { return AddressOfObjects(options.service); });
  SLUICE_TRY(ReadyRunFolder(context, options, files));
  Progress progress;
  StageTimes times;
  PrepareEnvironment environment{.files = files,
                                 .clock = clock,
                                 .progress = progress,
                                 .times = times,
                                 .stop = context.signals.stop_token()};
  SLUICE_ASSIGN(const PrepareSummary summary, PrepareShown(context, options, environment));
  constexpr int kSomeLinesRefused = 3;
  const int exit_code = summary.rejected > 0 ? kSomeLinesRefused : 0;
  if (context.console.json) {
    context.console.Print(
        FormatPrepareSummaryAsJson(summary, options.run, exit_code, context.console.out));
  } else {
    context.console.Say(FormatPrepareSummary(summary, options.run, context.console.err.color));
  }
  return exit_code;
}

}  // namespace sluice
