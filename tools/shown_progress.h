// ShownProgress: while it lives, the progress of a run is on stderr, SIGUSR1 prints a line, and the
// first signal to stop says how to go on.
#pragma once

#include "engine/progress.h"
#include "io/base/clock.h"
#include "tools/command_context.h"
#include "tools/progress_display.h"
#include "tools/run_command_options.h"

namespace sluice {

class ShownProgress {
 public:
  // All of it must outlive the object.
  ShownProgress(const CommandContext& context, const RunCommandOptions& options,
                const Progress& progress, Clock& clock, StepsShown steps = StepsShown::kAll);
  ~ShownProgress();
  ShownProgress(const ShownProgress&) = delete;
  ShownProgress& operator=(const ShownProgress&) = delete;

 private:
  Signals& signals_;
  ProgressDisplay display_;
};

}  // namespace sluice
