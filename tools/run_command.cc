#include "tools/run_command.h"

#include <fmt/format.h>
#include <string>

#include "engine/run.h"
#include "io/base/clock.h"
#include "tools/cloud_files.h"
#include "tools/run_command_options.h"
#include "tools/run_end.h"
#include "tools/run_folder.h"
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

Result<void> ExpectPlaceForShards(const RunCommandOptions& options) {
  const RunCloud& cloud = options.run.cloud;
  if (options.service.backend != Backend::kVertex || !cloud.bucket.empty() ||
      !cloud.bigquery_dataset.empty()) {
    return {};
  }
  return Fail(ErrorCode::kUsage, "a run at Vertex AI needs a place for its shards",
              "--bucket NAME[/PREFIX], or --bigquery-dataset NAME for a generation model");
}

// The engine's work with the progress shown meanwhile, and signals heard.
Result<RunSummary> RunShown(const CommandContext& context, const RunCommandOptions& options,
                            RunEnvironment& environment) {
  const ShownProgress shown(context, options, environment.progress, environment.clock);
  return Run(options.run, environment);
}

}  // namespace

Result<int> RunCommand(const CommandContext& context) {
  SystemClock clock;
  CloudFiles cloud(clock, context.signals.stop_token());
  FileSystem& files = cloud.files();
  SLUICE_ASSIGN(const RunCommandOptions options,
                ReadRunCommandOptions(context.arguments, files, context.console.err.is_terminal));
  cloud.ServedBy([&] { return AddressOfObjects(options.service); });
  SLUICE_TRY(ExpectPlaceForShards(options));
  SLUICE_TRY(ExpectOutputPlace(options, cloud));
  SLUICE_TRY(ReadyRunFolder(context, options, files));
  SLUICE_ASSIGN(ServiceAccess service, ServiceAccess::Open(options.service, clock));
  context.console.Warn(service.warning());
  if (context.arguments.Has("--verbose")) {
    context.console.Say(SettingsLine(options, service.base_url()));
  }
  Progress progress;
  RunEnvironment environment{.files = files,
                             .clock = clock,
                             .provider = service.provider(),
                             .progress = progress,
                             .stop = context.signals.stop_token()};
  SLUICE_ASSIGN(const RunSummary summary, RunShown(context, options, environment));
  // Its rows are safe, so nobody will ask for its jobs again.
  service.DiscardLocalState();
  SLUICE_TRY(EndRun(context, options, summary, cloud, clock));
  return summary.exit_code;
}

}  // namespace sluice
