#include "tools/run_summary.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/arguments.h"
#include "tools/json_line.h"
#include "tools/terminal.h"
#include "tools/units.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::string Seconds(double seconds) {
  return FormatDuration(std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000)));
}

std::string WroteLines(const RunSummary& summary) {
  size_t name_width = 0;
  for (const OutputFile& file : summary.outputs) {
    name_width = std::max(name_width, CountCharacters(EscapeControls(file.path)));
  }
  std::string text;
  for (const OutputFile& file : summary.outputs) {
    const bool array = file.path.ends_with(".npy");
    const std::string shape =
        array ? fmt::format("{} x {} float32", FormatCount(file.rows), summary.dimension)
              : fmt::format("{} lines", FormatCount(file.rows));
    const std::string name = EscapeControls(file.path);
    text += fmt::format("{} {}{:{}}   {:<22} {:>9}\n", text.empty() ? "Wrote" : "     ", name, "",
                        name_width - CountCharacters(name), shape, FormatBytes(file.bytes));
  }
  return text;
}

std::string_view FailedRowsAre(const RunOptions& options) {
  if (options.on_error == OnError::kSkip) {
    return "left out";
  }
  return options.output.ends_with(".npy") ? "rows of NaN" : "lines with the failure";
}

std::string FailedLines(const RunSummary& summary, const RunOptions& options, bool color) {
  if (summary.failed == 0) {
    return "";
  }
  std::string classes;
  for (const auto& [name, count] : summary.failed_by_class) {
    classes += fmt::format("{}{} {}", classes.empty() ? "" : ", ", FormatCount(count), name);
  }
  const std::string head = fmt::format("{} documents failed", FormatCount(summary.failed));
  return fmt::format("{} ({}): {}, named in {}\n", Styled(color, Style::kYellow, head), classes,
                     FailedRowsAre(options), EscapeControls(summary.failures_path));
}

// How refused lines can be mended: their raw bytes are in the rejects file.
std::string RejectedLines(uint64_t rejected, const std::string& rejects_path, bool color) {
  if (rejected == 0) {
    return "";
  }
  const std::string head = fmt::format("{} lines were refused", FormatCount(rejected));
  const std::string path = EscapeControls(rejects_path);
  return fmt::format(
      "{}: file, line, offset, reason and raw bytes of each are in {}\n"
      "  mend them and feed them back:  jq -r '.raw // empty' {} > mended.jsonl\n",
      Styled(color, Style::kYellow, head), path, QuoteForShell(path));
}

std::string OddAnswers(const RunSummary& summary) {
  std::string text;
  if (summary.duplicates + summary.conflicts + summary.strangers > 0) {
    text = fmt::format("answers: {} twice, {} twice and different, {} that nobody asked for\n",
                       FormatCount(summary.duplicates), FormatCount(summary.conflicts),
                       FormatCount(summary.strangers));
  }
  if (summary.shortened > 0) {
    text += fmt::format("answers: {} vectors came longer than --dim and were cut\n",
                        FormatCount(summary.shortened));
  }
  return text;
}

// Which steps the time went into; they overlap.
std::string TimeLine(const RunSummary& summary) {
  if (summary.steps.empty()) {
    return "";
  }
  std::string text;
  for (const StepTime& step : summary.steps) {
    text +=
        fmt::format("{}{} {}", text.empty() ? "Time: " : ", ", step.name, Seconds(step.seconds));
    text += step.bound == step.name ? "" : fmt::format(" ({})", step.bound);
  }
  return text + fmt::format("; bound: {}\n", summary.bound);
}

std::string Count(uint64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", FormatCount(number), noun, number == 1 ? "" : "s");
}

std::string LastLine(const RunSummary& summary) {
  std::string text =
      fmt::format("{}, {}, {}", Count(summary.documents, "document"),
                  Count(summary.shards, "shard"), Count(summary.jobs_created, "job"));
  if (summary.prompt_tokens) {
    const auto tokens = static_cast<uint64_t>(std::max<int64_t>(*summary.prompt_tokens, 0));
    text += ", " + Count(tokens, "token");
  }
  return text + fmt::format(", {}{}.   Report: {}\n", Seconds(summary.seconds),
                            summary.resumed ? " (resumed)" : "",
                            EscapeControls(summary.report_path));
}

// What to do about rows that failed and might not.
std::string RetryLine(const RunSummary& summary) {
  if (summary.failed == 0) {
    return "";
  }
  const std::string command =
      "sluice retry -C " + QuoteForShell(EscapeControls(summary.run_folder));
  if (summary.cancelled) {
    return fmt::format(
        "This run was cancelled: what was delivered is written.\n"
        "Ask for the rest:  {}\n",
        command);
  }
  return fmt::format("Ask for them again:  {}\n", command);
}

std::string SurplusLine(const RunSummary& summary) {
  if (summary.surplus_jobs.empty()) {
    return "";
  }
  std::string names;
  for (const std::string& job : summary.surplus_jobs) {
    names += "  " + EscapeControls(job) + '\n';
  }
  return fmt::format(
      "{} that nobody asked for {} found, and asked to end if not over: a request was sent twice "
      "on its way\n{}",
      Count(summary.surplus_jobs.size(), "job"), summary.surplus_jobs.size() == 1 ? "was" : "were",
      names);
}

// Beside the line above: what an earlier audit found counts all the same.
std::string AuditLine(const RunSummary& summary) {
  if (summary.audit_failure.empty()) {
    return "";
  }
  return fmt::format(
      "Whether a job was made twice on the way is not known: the service's list was not to be "
      "had at the end ({})\nLook there yourself:  sluice jobs list\n",
      summary.audit_failure);
}

OrderedJson StepsJson(const RunSummary& summary) {
  OrderedJson steps = OrderedJson::array();
  for (const StepTime& step : summary.steps) {
    steps.push_back({{"step", step.name}, {"wall_seconds", step.seconds}, {"bound", step.bound}});
  }
  return steps;
}

OrderedJson OrNull(const std::optional<int64_t>& number) {
  return number ? OrderedJson(*number) : OrderedJson();
}

}  // namespace

std::string FormatRunSummary(const RunSummary& summary, const RunOptions& options, bool color) {
  return WroteLines(summary) + FailedLines(summary, options, color) + RetryLine(summary) +
         SurplusLine(summary) + AuditLine(summary) +
         RejectedLines(summary.rejected, summary.rejects_path, color) + OddAnswers(summary) +
         TimeLine(summary) + LastLine(summary);
}

std::vector<std::string> WarningsOf(const RunSummary& summary) {
  std::vector<std::string> warnings;
  if (summary.first_conflict.has_value()) {
    warnings.push_back(
        fmt::format("the service gave {} a second answer that differs, first row {}; the "
                    "one that came first is in the output",
                    Count(summary.conflicts, "row"), *summary.first_conflict));
  }
  if (summary.truncated > 0) {
    warnings.push_back(
        fmt::format("of {} the service embedded the beginning only: longer than the model takes",
                    Count(summary.truncated, "document")));
  }
  return warnings;
}

std::string FormatRunSummaryAsJson(const RunSummary& summary, const RunOptions& options,
                                   const Terminal& terminal) {
  OrderedJson outputs = OrderedJson::array();
  for (const OutputFile& file : summary.outputs) {
    outputs.push_back({{"path", file.path}, {"bytes", file.bytes}, {"rows", file.rows}});
  }
  const OrderedJson document = {
      {"v", 1},
      {"type", "summary"},
      {"exit_code", summary.exit_code},
      {"run", summary.run_folder},
      {"backend", options.backend},
      {"model", options.request.model},
      {"dimension", summary.dimension},
      {"outputs", outputs},
      {"counts",
       {{"documents", summary.documents},
        {"ok", summary.ok},
        {"failed", summary.failed},
        {"rejected", summary.rejected},
        {"blank", summary.lines_blank}}},
      {"failed_by_class", summary.failed_by_class},
      {"answers",
       {{"duplicates", summary.duplicates},
        {"conflicts", summary.conflicts},
        {"strangers", summary.strangers},
        {"shortened", summary.shortened},
        {"truncated", summary.truncated}}},
      {"shards", summary.shards},
      {"jobs_created", summary.jobs_created},
      {"jobs_failed", summary.jobs_failed},
      {"published", options.published_output},
      {"jobs_surplus", summary.surplus_jobs.size()},
      {"surplus_jobs", summary.surplus_jobs},
      {"audit_failure", summary.audit_failure},
      {"cancelled", summary.cancelled},
      {"estimated_tokens", summary.estimated_tokens},
      {"prompt_tokens", OrNull(summary.prompt_tokens)},
      {"output_tokens", OrNull(summary.output_tokens)},
      {"seconds", summary.seconds},
      {"steps", StepsJson(summary)},
      {"bound", summary.bound},
      {"resumed", summary.resumed},
      {"rejects", summary.rejects_path},
      {"failures", summary.failures_path},
      {"report", summary.report_path},
  };
  return JsonLine(document, terminal);
}

std::string FormatDoneLine(const RunSummary& summary, const RunOptions& options, WallTime now) {
  return fmt::format("{} done rows={} failed={} refused={} output={} exit={}\n", FormatTime(now),
                     summary.ok, summary.failed, summary.rejected,
                     QuoteForShell(EscapeControls(options.output)), summary.exit_code);
}

std::string FormatPrepareSummary(const PrepareSummary& summary, const RunOptions& options,
                                 bool color) {
  const std::string folder = EscapeControls(options.run_folder);
  std::string text =
      fmt::format("Prepared {} in {}: {}, {} of requests, {} on disk\n",
                  Count(summary.documents, "document"), folder, Count(summary.shards, "shard"),
                  FormatBytes(summary.plain_bytes), FormatBytes(summary.shard_bytes));
  text += RejectedLines(summary.rejected, summary.rejects_path, color);
  text += fmt::format("About {}, {}{}{}.\n", Count(summary.estimated_tokens, "token"),
                      Seconds(summary.seconds), summary.resumed ? " (resumed)" : "",
                      summary.bound.empty() ? "" : fmt::format(" (bound: {})", summary.bound));
  return text + fmt::format(
                    "Send them:  sluice run -C {} INPUT... -o OUTPUT   (with the same INPUT "
                    "and flags)\n",
                    QuoteForShell(folder));
}

std::string FormatPrepareSummaryAsJson(const PrepareSummary& summary, const RunOptions& options,
                                       int exit_code, const Terminal& terminal) {
  const OrderedJson document = {
      {"v", 1},
      {"type", "prepared"},
      {"exit_code", exit_code},
      {"run", options.run_folder},
      {"model", options.request.model},
      {"counts",
       {{"documents", summary.documents},
        {"rejected", summary.rejected},
        {"blank", summary.lines_blank}}},
      {"shards", summary.shards},
      {"request_bytes", summary.plain_bytes},
      {"shard_bytes", summary.shard_bytes},
      {"estimated_tokens", summary.estimated_tokens},
      {"seconds", summary.seconds},
      {"bound", summary.bound},
      {"resumed", summary.resumed},
      {"rejects", summary.rejects_path},
  };
  return JsonLine(document, terminal);
}

}  // namespace sluice
