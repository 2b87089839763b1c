#include "tools/status_command.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/run_status.h"
#include "io/base/clock.h"
#include "tools/json_line.h"
#include "tools/run_errors.h"
#include "tools/run_folder.h"
#include "tools/text_table.h"
#include "tools/units.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr size_t kJobsShown = 20;

// Its rows are safe; what is left is tidying up at the service.
bool IsMerged(const JobStatus& job) { return job.state == "MERGED" || job.state == "DONE"; }

uint64_t Pending(const RunStatus& status) {
  const uint64_t settled = status.merged + status.failed;
  return status.documents > settled ? status.documents - settled : 0;
}

std::string HeadLine(const RunStatus& status) {
  const uint64_t done = status.merged + status.failed;
  const uint64_t percent = status.documents == 0 ? 100 : done * 100 / status.documents;
  std::string line =
      fmt::format("{}   {}   {} of {}{} merged ({} %)", EscapeControls(status.run_folder),
                  status.state, FormatCount(status.merged), FormatCount(status.documents),
                  status.packed ? "" : " so far", status.documents == 0 ? 0 : percent);
  if (status.failed > 0) {
    line += fmt::format(", {} failed", FormatCount(status.failed));
  }
  if (status.rejected > 0) {
    line += fmt::format(", {} refused", FormatCount(status.rejected));
  }
  return line + '\n';
}

void AddJobRow(const JobStatus& job, TextTable& table) {
  const bool counted = job.ok + job.failed > 0;
  table.AddRow({fmt::format("{:05}", job.shard), job.job, job.state, FormatCount(job.rows),
                counted ? FormatCount(job.ok) : "", counted ? FormatCount(job.failed) : "",
                std::to_string(job.attempt), job.note});
}

std::string JobTable(const RunStatus& status, bool all) {
  constexpr auto kRight = TextTable::Align::kRight;
  TextTable table({{.heading = "SHARD"},
                   {.heading = "JOB"},
                   {.heading = "STATE"},
                   {.heading = "ROWS", .align = kRight},
                   {.heading = "OK", .align = kRight},
                   {.heading = "FAIL", .align = kRight},
                   {.heading = "TRY", .align = kRight},
                   {.heading = ""}});
  size_t shown = 0;
  size_t hidden = 0;
  for (const JobStatus& job : status.jobs) {
    if (all || (!IsMerged(job) && shown < kJobsShown)) {
      AddJobRow(job, table);
      ++shown;
    } else {
      hidden += IsMerged(job) ? 0 : 1;
    }
  }
  const std::string more =
      hidden == 0 ? ""
                  : fmt::format("... and {} more: sluice status --jobs\n", FormatCount(hidden));
  return table.Format() + more;
}

std::string NextLine(const RunStatus& status) {
  if (status.state == "STOPPED" && status.cancelled) {
    return "next: this run was cancelled: the same `sluice run` command writes what was delivered, "
           "`sluice retry` asks for the rest\n";
  }
  if (status.state == "STOPPED") {
    return "next: the same `sluice run` command goes on\n";
  }
  return "";
}

OrderedJson JobsAsJson(const RunStatus& status) {
  OrderedJson jobs = OrderedJson::array();
  for (const JobStatus& job : status.jobs) {
    jobs.push_back({{"shard", job.shard},
                    {"attempt", job.attempt},
                    {"round", job.round},
                    {"state", job.state},
                    {"job", job.job},
                    {"note", job.note},
                    {"rows", job.rows},
                    {"ok", job.ok},
                    {"failed", job.failed}});
  }
  return jobs;
}

struct StatusRequest {
  std::string run_folder;
  bool all_jobs = false;
  bool errors = false;
};

Result<void> PrintStatusAsJson(const StatusRequest& request, const RunStatus& status,
                               FileSystem& files, const Console& console) {
  const OrderedJson document = {
      {"v", 1},
      {"type", "status"},
      {"run", status.run_folder},
      {"state", status.state},
      {"model", status.model},
      {"provider", status.provider},
      {"output", status.output},
      {"packed", status.packed},
      {"cancelled", status.cancelled},
      {"counts",
       {{"documents", status.documents},
        {"merged", status.merged},
        {"failed", status.failed},
        {"rejected", status.rejected},
        {"pending", Pending(status)}}},
      {"jobs", JobsAsJson(status)},
  };
  std::string text = JsonLine(document, console.out);
  if (request.errors) {
    text.resize(text.rfind('}'));
    console.Print(text + ",\"errors\":");
    SLUICE_TRY(PrintRunErrorsAsJson(files, request.run_folder, console));
    text = "}\n";
  }
  console.Print(text);
  return {};
}

Result<void> PrintStatusAsText(const StatusRequest& request, const RunStatus& status,
                               FileSystem& files, const Console& console) {
  std::string text = HeadLine(status) + JobTable(status, request.all_jobs) + NextLine(status);
  if (request.errors) {
    SLUICE_ASSIGN(const std::string errors, FormatRunErrors(files, request.run_folder));
    text += errors;
  }
  console.Print(text);
  return {};
}

// One look; gives the state.
Result<std::string> PrintStatus(const CommandContext& context, const StatusRequest& request,
                                FileSystem& files) {
  SLUICE_ASSIGN(const RunStatus status, ReadRunStatus(files, request.run_folder));
  SLUICE_TRY(context.console.json ? PrintStatusAsJson(request, status, files, context.console)
                                  : PrintStatusAsText(request, status, files, context.console));
  return status.state;
}

// Looks again and again until the run is done; on a terminal each look replaces the one before.
Result<int> WatchStatus(const CommandContext& context, const StatusRequest& request,
                        FileSystem& files) {
  const std::string text = context.arguments.TextOr("--watch", "");
  SLUICE_ASSIGN(const auto pause, ParseDuration(text.empty() ? "2s" : text));
  SystemClock clock;
  while (true) {
    if (context.console.out.is_terminal && !context.console.json) {
      context.console.Print("\x1b[H\x1b[2J");
    }
    SLUICE_ASSIGN(const std::string state, PrintStatus(context, request, files));
    std::fflush(stdout);
    if (state == "DONE") {
      return 0;
    }
    if (!clock.SleepUntil(clock.Now() + pause, context.signals.stop_token())) {
      return Fail(ErrorCode::kUnfinished, "stopped watching");
    }
  }
}

}  // namespace

Result<int> StatusCommand(const CommandContext& context) {
  const Arguments& arguments = context.arguments;
  const auto files = MakePosixFileSystem();
  StatusRequest request{
      .run_folder = {}, .all_jobs = arguments.Has("--jobs"), .errors = arguments.Has("--errors")};
  SLUICE_ASSIGN(request.run_folder, FindRunFolder(arguments));
  if (arguments.Has("--watch")) {
    return WatchStatus(context, request, *files);
  }
  SLUICE_TRY(PrintStatus(context, request, *files));
  return 0;
}

}  // namespace sluice
