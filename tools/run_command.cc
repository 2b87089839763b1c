#include "tools/run_command.h"

#include <cstdio>
#include <fmt/format.h>
#include <string>

#include "engine/run.h"
#include "engine/run_directory.h"
#include "io/base/clock.h"
#include "io/file/atomic_file.h"
#include "tools/confirm.h"
#include "tools/progress_display.h"
#include "tools/run_command_options.h"
#include "tools/run_summary.h"
#include "tools/service_access.h"

namespace sluice {
namespace {

// --fresh throws away what may have been paid for: not without a yes.
Result<void> ConfirmFresh(const CommandContext& context, const std::string& run_folder) {
  return Confirm(context, fmt::format("Throw away the state in {}?", run_folder),
                 {.code = ErrorCode::kUsage,
                  .message = fmt::format("--fresh would throw away the state in {}", run_folder),
                  .hint = "add -y if that is meant; without --fresh the run resumes"});
}

// A folder that is no run's is never emptied, whatever -C says.
Result<void> EmptyRunFolder(const RunDirectory& directory, FileSystem& files) {
  if (!files.Exists(directory.ledger())) {
    return Fail(ErrorCode::kUsage,
                fmt::format("{} is no run folder: --fresh leaves it alone", directory.folder()));
  }
  SLUICE_ASSIGN(const RunLock lock, RunLock::Take(directory.lock()));
  return directory.Clear(files);
}

// The engine takes the lock only later, but neither --fresh nor the local service may touch what a
// live run works with.
Result<void> PrepareRunFolder(const CommandContext& context, const RunCommandOptions& options,
                              FileSystem& files) {
  const RunDirectory directory(options.run.run_folder);
  if (!files.Exists(directory.folder())) {
    // A mistyped input must not leave a run folder behind.
    SLUICE_TRY(ListCorpusFiles(files, options.run.corpus));
    return {};
  }
  if (context.arguments.Has("--fresh")) {
    SLUICE_TRY(ConfirmFresh(context, directory.folder()));
    return EmptyRunFolder(directory, files);
  }
  if (options.service.backend == Backend::kLocal && RunLock::IsHeld(directory.lock())) {
    return Fail(ErrorCode::kLocked, fmt::format("another sluice works on {}", directory.folder()),
                "wait for it, or stop it; what it has done is kept");
  }
  return {};
}

std::string SettingsLine(const RunCommandOptions& options, const std::string& base_url) {
  const RunOptions& run = options.run;
  const std::string text = fmt::format(
      "backend {} ({}{}{}), model {}, dimension {}, output {}, run folder {}, {} threads",
      BackendName(options.service.backend), run.provider_note, base_url.empty() ? "" : ", ",
      base_url, run.request.model, run.request.dimension, run.output, run.run_folder, run.threads);
  return EscapeControls(text) + '\n';
}

// The same command goes on, but for --fresh, which would begin anew.
std::string ResumeCommand(const Arguments& arguments) {
  std::string command = "sluice";
  for (const std::string& word : arguments.words) {
    if (word != "--fresh") {
      command += ' ' + QuoteForShell(EscapeControls(word));
    }
  }
  return command;
}

std::string StoppingLines(const CommandContext& context, const RunCommandOptions& options,
                          const Progress& progress) {
  const int64_t jobs = progress.jobs_queued + progress.jobs_running;
  if (context.console.json) {
    return fmt::format("{{\"v\":1,\"type\":\"stopping\",\"jobs\":{}}}\n", jobs);
  }
  const std::string what = options.service.backend == Backend::kLocal || jobs == 0
                               ? "what is done is kept"
                               : fmt::format("{} remote jobs keep running (nothing is lost)", jobs);
  return fmt::format("Stopping: finishing writes... {}.\nResume:   {}\n", what,
                     ResumeCommand(context.arguments));
}

// The engine's work with the progress shown meanwhile, and signals heard.
Result<RunSummary> RunShown(const CommandContext& context, const RunCommandOptions& options,
                            RunEnvironment& environment) {
  ProgressDisplay display(environment.progress, environment.clock,
                          {.mode = options.progress,
                           .interval = options.progress_interval,
                           .terminal = context.console.err});
  context.signals.OnStop(
      [&] { display.Note(StoppingLines(context, options, environment.progress)); });
  context.signals.OnInfo([&] { display.PrintNow(); });
  Result<RunSummary> summary = Run(options.run, environment);
  context.signals.OnStop({});
  context.signals.OnInfo({});
  return summary;
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
  SLUICE_TRY(PrepareRunFolder(context, options, *files));
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
