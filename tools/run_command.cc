#include "tools/run_command.h"

#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <iostream>
#include <string>
#include <unistd.h>

#include "engine/run.h"
#include "engine/run_directory.h"
#include "io/base/clock.h"
#include "io/file/atomic_file.h"
#include "tools/progress_display.h"
#include "tools/run_settings.h"
#include "tools/run_summary.h"
#include "tools/service_access.h"

namespace sluice {
namespace {

// Asks on the terminal; anything but a yes is a no.
bool Ask(const CommandContext& context, std::string_view question) {
  context.console.Say(fmt::format("{} [y/N] ", question));
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

// --fresh throws away what may have been paid for: not without a yes.
Result<void> ConfirmFresh(const CommandContext& context, const RunOptions& run, FileSystem& files) {
  const Arguments& arguments = context.arguments;
  if (!run.fresh || arguments.Has("--yes") || !files.Exists(run.run_folder)) {
    return {};
  }
  const bool may_ask = isatty(STDIN_FILENO) == 1 && !arguments.Has("--no-input");
  if (may_ask && Ask(context, fmt::format("Throw away the state in {}?",
                                          EscapeControls(run.run_folder)))) {
    return {};
  }
  return Fail(ErrorCode::kUsage,
              fmt::format("--fresh would throw away the state in {}", run.run_folder),
              "add -y if that is meant; without --fresh the run resumes");
}

// The engine holds the lock only later, but the local service must not touch the jobs of a live
// run before that.
Result<void> PrepareLocalState(const RunSettings& settings) {
  const RunDirectory directory(settings.run.run_folder);
  if (settings.service.backend != Backend::kLocal) {
    return {};
  }
  if (RunLock::IsHeld(directory.lock())) {
    return Fail(ErrorCode::kLocked,
                fmt::format("another sluice works on {}", settings.run.run_folder),
                "wait for it, or stop it; what it has done is kept");
  }
  if (settings.run.fresh) {
    std::error_code ignored;
    std::filesystem::remove_all(settings.service.state_folder, ignored);
  }
  return {};
}

std::string SettingsLine(const RunSettings& settings, const std::string& base_url) {
  const RunOptions& run = settings.run;
  const std::string settings_line = fmt::format(
      "backend {} ({}{}{}), model {}, dimension {}, output {}, run folder {}, {} threads",
      BackendName(settings.service.backend), run.provider_note, base_url.empty() ? "" : ", ",
      base_url, run.request.model, run.request.dimension, run.output, run.run_folder, run.threads);
  return EscapeControls(settings_line) + '\n';
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

std::string StoppingLines(const CommandContext& context, const RunSettings& settings,
                          const Progress& progress) {
  const int64_t jobs = progress.jobs_queued + progress.jobs_running;
  if (context.console.json) {
    return fmt::format("{{\"v\":1,\"type\":\"stopping\",\"jobs\":{}}}\n", jobs);
  }
  const std::string what =
      settings.service.backend == Backend::kLocal || jobs == 0
          ? "what is done is kept"
          : fmt::format("{} remote jobs keep running (nothing is lost)", jobs);
  return fmt::format("Stopping: finishing writes... {}.\nResume:   {}\n", what,
                     ResumeCommand(context.arguments));
}

// The engine's work with the progress shown meanwhile, and signals heard.
Result<RunSummary> RunShown(const CommandContext& context, const RunSettings& settings,
                            RunEnvironment& environment) {
  ProgressDisplay display(environment.progress, environment.clock,
                          {.mode = settings.progress,
                           .interval = settings.progress_interval,
                           .terminal = context.console.err});
  context.signals.OnStop(
      [&] { display.Note(StoppingLines(context, settings, environment.progress)); });
  context.signals.OnInfo([&] { display.PrintNow(); });
  Result<RunSummary> summary = Run(settings.run, environment);
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

void PrintSummary(const CommandContext& context, const RunSettings& settings,
                  const RunSummary& summary, const Clock& clock) {
  const Console& console = context.console;
  if (settings.progress == ProgressMode::kPlain) {
    console.Say(FormatDoneLine(summary, settings.run, clock.WallNow()));
  }
  if (console.json) {
    console.Print(FormatRunSummaryAsJson(summary, settings.run));
  } else {
    console.Say(FormatRunSummary(summary, settings.run, console.err.color));
  }
}

}  // namespace

Result<int> RunCommand(const CommandContext& context) {
  const auto files = MakePosixFileSystem();
  SystemClock clock;
  SLUICE_ASSIGN(const RunSettings settings,
                ReadRunSettings(context.arguments, *files, context.console.err.is_terminal));
  SLUICE_TRY(ConfirmFresh(context, settings.run, *files));
  SLUICE_TRY(PrepareLocalState(settings));
  SLUICE_ASSIGN(ServiceAccess service, ServiceAccess::Open(settings.service, clock));
  if (context.arguments.Has("--verbose")) {
    context.console.Say(SettingsLine(settings, service.base_url()));
  }
  Progress progress;
  RunEnvironment environment{.files = *files,
                             .clock = clock,
                             .provider = service.provider(),
                             .progress = progress,
                             .stop = context.signals.stop_token()};
  SLUICE_ASSIGN(const RunSummary summary, RunShown(context, settings, environment));
  SLUICE_TRY(CopyReport(*files, summary, settings.report_copy));
  // Its rows are safe, so nobody will ask for its jobs again.
  service.DiscardLocalState();
  PrintSummary(context, settings, summary, clock);
  return summary.exit_code;
}

}  // namespace sluice
