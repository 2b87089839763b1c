#include "tools/cancel_command.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/cancel.h"
#include "io/base/clock.h"
#include "tools/confirm.h"
#include "tools/json_line.h"
#include "tools/kept_run.h"
#include "tools/service_access.h"
#include "tools/units.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::string Count(uint64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", FormatCount(number), noun, number == 1 ? "" : "s");
}

std::string What(const CancelPlan& plan) {
  std::string what = Count(plan.jobs.size(), "job");
  if (plan.lost > 0) {
    what +=
        fmt::format(", {} of which nobody knows whether there is a job", Count(plan.lost, "shard"));
  }
  return what + fmt::format(", {} not sent", Count(plan.unsent, "shard"));
}

Result<void> ConfirmCancel(const CommandContext& context, const CancelPlan& plan,
                           const std::string& run_folder) {
  return Confirm(context, fmt::format("Cancel {} ({})?", run_folder, What(plan)),
                 {.code = ErrorCode::kUsage,
                  .message = fmt::format("cancelling {} ({}) needs a yes", run_folder, What(plan)),
                  .hint = "add -y if that is meant, -n to see what would be done"});
}

void PrintNames(const Console& console, const CancelSummary& summary, bool dry_run) {
  if (console.json) {
    const OrderedJson document = {{"v", 1},
                                  {"type", "cancelled"},
                                  {"dry_run", dry_run},
                                  {"names", summary.jobs},
                                  {"files", summary.files}};
    return console.Print(JsonLine(document, console.out));
  }
  for (const std::string& job : summary.jobs) {
    console.Print(
        fmt::format("{} {}\n", dry_run ? "would cancel" : "cancelled", EscapeControls(job)));
  }
  for (const std::string& file : summary.files) {
    console.Print(
        fmt::format("{} {}\n", dry_run ? "would delete" : "deleted", EscapeControls(file)));
  }
}

}  // namespace

Result<int> CancelCommand(const CommandContext& context) {
  const auto files = MakePosixFileSystem();
  SystemClock clock;
  SLUICE_ASSIGN(const RunCommandOptions options, ReadKeptRun(context, *files));
  const std::string& run_folder = options.run.run_folder;
  const bool delete_files = context.arguments.Has("--delete-files");
  SLUICE_ASSIGN(const CancelPlan plan, PlanCancel(*files, run_folder));
  if (plan.is_finished) {
    context.console.Say("The run is complete: there is nothing to cancel.\n");
    PrintNames(context.console, {}, false);
    return 0;
  }
  if (context.arguments.Has("--dry-run")) {
    PrintNames(context.console,
               {.jobs = plan.jobs, .files = delete_files ? plan.files : std::vector<std::string>()},
               true);
    return 0;
  }
  SLUICE_TRY(ConfirmCancel(context, plan, run_folder));
  SLUICE_ASSIGN(ServiceAccess service, ServiceAccess::Open(options.service, clock));
  context.console.Warn(service.warning());
  Progress progress;
  RunEnvironment environment{.files = *files,
                             .clock = clock,
                             .provider = service.provider(),
                             .progress = progress,
                             .stop = context.signals.stop_token()};
  SLUICE_ASSIGN(const CancelSummary summary, Cancel(options.run, delete_files, environment));
  PrintNames(context.console, summary, false);
  const std::string folder = QuoteForShell(EscapeControls(run_folder));
  context.console.Say(fmt::format(
      "Nothing more will be bought for {}. The same `sluice run` command writes what was "
      "delivered; ask for the rest:  sluice retry -C {}\n",
      folder, folder));
  return 0;
}

}  // namespace sluice
