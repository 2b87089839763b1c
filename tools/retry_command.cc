#include "tools/retry_command.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/retry.h"
#include "io/base/clock.h"
#include "tools/cloud_files.h"
#include "tools/json_line.h"
#include "tools/kept_run.h"
#include "tools/run_end.h"
#include "tools/service_access.h"
#include "tools/shown_progress.h"
#include "tools/units.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

Result<FailureClasses> ReadClasses(const Arguments& arguments) {
  FailureClasses classes = FailureClasses::Retryable();
  classes.Add(FailureClass::kMalformed);
  classes.Add(FailureClass::kCancelled);
  if (!arguments.Has("--class")) {
    return classes;
  }
  classes = {};
  for (const std::string& name : arguments.List("--class")) {
    const auto parsed = ParseFailureClass(name);
    if (name == "all") {
      classes = FailureClasses::All();
    } else if (parsed.has_value()) {
      classes.Add(*parsed);
    } else {
      return Fail(ErrorCode::kUsage, fmt::format("--class: there is no class '{}'", name),
                  "all, or one of " + FailureClasses::All().text());
    }
  }
  return classes;
}

std::string FormatPlan(const RetryPlan& plan) {
  if (!plan.is_finished && !plan.is_cancelled) {
    return "the run is not finished: it would go on\n";
  }
  std::string failed;
  for (const auto& [name, count] : plan.rows_by_class) {
    failed += fmt::format("{}{} {}", failed.empty() ? "" : ", ", FormatCount(count), name);
  }
  return fmt::format("would ask again for {} rows in {} shards (failed: {})\n",
                     FormatCount(plan.rows), FormatCount(plan.shards),
                     failed.empty() ? "none" : failed);
}

void PrintPlan(const Console& console, const RetryPlan& plan) {
  if (!console.json) {
    return console.Print(FormatPlan(plan));
  }
  const OrderedJson document = {{"v", 1},
                                {"type", "retry"},
                                {"dry_run", true},
                                {"finished", plan.is_finished},
                                {"cancelled", plan.is_cancelled},
                                {"failed_by_class", plan.rows_by_class},
                                {"rows", plan.rows},
                                {"shards", plan.shards}};
  console.Print(JsonLine(document, console.out));
}

Result<RunSummary> RetryShown(const CommandContext& context, const RunCommandOptions& options,
                              FailureClasses classes, RunEnvironment& environment) {
  const ShownProgress shown(context, options, environment.progress, environment.clock);
  return Retry(options.run, classes, environment);
}

}  // namespace

Result<int> RetryCommand(const CommandContext& context) {
  SystemClock clock;
  CloudFiles cloud(clock, context.signals.stop_token());
  FileSystem& files = cloud.files();
  SLUICE_ASSIGN(const FailureClasses classes, ReadClasses(context.arguments));
  SLUICE_ASSIGN(const RunCommandOptions options, ReadKeptRun(context, files));
  cloud.ServedBy([&] { return AddressOfObjects(options.service); });
  SLUICE_ASSIGN(const RetryPlan plan, PlanRetry(files, options.run.run_folder, classes));
  if (context.arguments.Has("--dry-run")) {
    PrintPlan(context.console, plan);
    return 0;
  }
  if (plan.is_finished && plan.rows == 0) {
    context.console.Say("No row failed in a way that is to be asked again: nothing was sent.\n");
  }
  SLUICE_TRY(ExpectOutputPlace(options, cloud));
  SLUICE_ASSIGN(ServiceAccess service, ServiceAccess::Open(options.service, clock));
  context.console.Warn(service.warning());
  Progress progress;
  RunEnvironment environment{.files = files,
                             .clock = clock,
                             .provider = service.provider(),
                             .progress = progress,
                             .stop = context.signals.stop_token()};
  SLUICE_ASSIGN(const RunSummary summary, RetryShown(context, options, classes, environment));
  service.DiscardLocalState();
  SLUICE_TRY(EndRun(context, options, summary, cloud, clock));
  return summary.exit_code;
}

}  // namespace sluice
