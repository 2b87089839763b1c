#include "tools/shown_progress.h"

#include <fmt/format.h>
#include <string>

#include "tools/stopping.h"

namespace sluice {
namespace {

std::string StoppingLines(const CommandContext& context, const RunCommandOptions& options,
                          const Progress& progress) {
  const int64_t jobs = progress.jobs_queued + progress.jobs_running;
  const std::string what = options.service.backend == Backend::kLocal || jobs == 0
                               ? "what is done is kept"
                               : fmt::format("{} remote jobs keep running (nothing is lost)", jobs);
  return FormatStopping(context, "finishing writes... " + what, jobs);
}

}  // namespace

ShownProgress::ShownProgress(const CommandContext& context, const RunCommandOptions& options,
                             const Progress& progress, Clock& clock, StepsShown steps)
    : signals_(context.signals),
      display_(progress, clock,
               {.mode = options.progress,
                .interval = options.progress_interval,
                .terminal = context.console.err,
                .steps = steps}) {
  signals_.OnStop([this, &context, &options, &progress] {
    display_.Note(StoppingLines(context, options, progress));
  });
  signals_.OnInfo([this] { display_.PrintNow(); });
}

ShownProgress::~ShownProgress() {
  signals_.OnStop({});
  signals_.OnInfo({});
}

}  // namespace sluice
