#include "tools/job_format.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/json/json_document.h"
#include "tools/json_line.h"
#include "tools/text_table.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

// A word that nobody knows yet is shown as the service said it.
std::string StateWord(const BatchJob& job) {
  return job.state == JobState::kUnspecified && !job.raw_state.empty()
             ? job.raw_state
             : std::string(JobStateName(job.state));
}

// "12/20", or nothing without numbers.
std::string Answered(const BatchJob& job) {
  if (!job.stats) {
    return "";
  }
  return fmt::format("{}/{}", job.stats->success_count + job.stats->failure_count,
                     job.stats->total_count);
}

std::string StatsWords(const BatchJob& job) {
  if (!job.stats) {
    return "";
  }
  const JobStats& stats = *job.stats;
  return fmt::format("{} in all: {} succeeded, {} failed, {} pending{}", stats.total_count,
                     stats.success_count, stats.failure_count, stats.pending_count,
                     job.progress() ? fmt::format(" ({:.0f} %)", *job.progress()) : "");
}

std::string ErrorWords(const BatchJob& job) {
  return job.error ? fmt::format("{} (code {})", job.error->message, job.error->code) : "";
}

OrderedJson StatsAsJson(const BatchJob& job) {
  if (!job.stats) {
    return nullptr;
  }
  return {{"total", job.stats->total_count},
          {"success", job.stats->success_count},
          {"failure", job.stats->failure_count},
          {"pending", job.stats->pending_count}};
}

OrderedJson ErrorAsJson(const BatchJob& job) {
  if (!job.error) {
    return nullptr;
  }
  const OrderedJson details = ParseOrderedJson(job.error->details);
  return {{"code", job.error->code},
          {"message", job.error->message},
          {"details", details.is_discarded() ? OrderedJson() : details}};
}

OrderedJson JobAsJson(const BatchJob& job) {
  OrderedJson document = {{"name", job.name},
                          {"display_name", job.display_name},
                          {"model", job.model},
                          {"state", JobStateName(job.state)},
                          {"raw_state", job.raw_state},
                          {"done", job.done},
                          {"source_file", job.source_file},
                          {"result_file", job.result_file},
                          {"create_time", job.create_time},
                          {"start_time", job.start_time},
                          {"end_time", job.end_time},
                          {"update_time", job.update_time},
                          {"stats", StatsAsJson(job)},
                          {"progress", nullptr},
                          {"error", ErrorAsJson(job)}};
  if (job.progress()) {
    document["progress"] = *job.progress();
  }
  return document;
}

}  // namespace

std::string FormatJob(const BatchJob& job) {
  return FormatNamedValues({{"Name", job.name},
                            {"Display name", job.display_name},
                            {"State", StateWord(job)},
                            {"Model", job.model},
                            {"Requests", StatsWords(job)},
                            {"Error", ErrorWords(job)},
                            {"Source", job.source_file},
                            {"Result", job.result_file},
                            {"Created", job.create_time},
                            {"Started", job.start_time},
                            {"Ended", job.end_time},
                            {"Updated", job.update_time}});
}

std::string FormatJobTable(std::span<const BatchJob> jobs) {
  TextTable table({{.heading = "NAME"},
                   {.heading = "STATE"},
                   {.heading = "ANSWERED", .align = TextTable::Align::kRight},
                   {.heading = "MODEL"},
                   {.heading = "CREATED"},
                   {.heading = "DISPLAY NAME"}});
  for (const BatchJob& job : jobs) {
    table.AddRow(
        {job.name, StateWord(job), Answered(job), job.model, job.create_time, job.display_name});
  }
  return table.Format();
}

std::string FormatJobProgress(const BatchJob& job, WallTime now) {
  const std::string answered = Answered(job);
  const std::string line = fmt::format("{} {} {}{}{}", FormatTime(now), job.name, StateWord(job),
                                       answered.empty() ? "" : " ", answered);
  return EscapeControls(line) + '\n';
}

std::string FormatJobAsJson(const BatchJob& job, const Terminal& terminal) {
  return JsonLine(OrderedJson{{"v", 1}, {"type", "job"}, {"job", JobAsJson(job)}}, terminal);
}

std::string FormatJobsAsJson(std::span<const BatchJob> jobs, const std::string& next_page_token,
                             const Terminal& terminal) {
  OrderedJson document = {{"v", 1},
                          {"type", "jobs"},
                          {"jobs", OrderedJson::array()},
                          {"next_page_token", next_page_token}};
  for (const BatchJob& job : jobs) {
    document["jobs"].push_back(JobAsJson(job));
  }
  return JsonLine(document, terminal);
}

std::string FormatJobProgressAsJson(const BatchJob& job, WallTime now) {
  return JsonLine(OrderedJson{{"v", 1},
                              {"type", "progress"},
                              {"time", FormatTime(now)},
                              {"job", job.name},
                              {"state", JobStateName(job.state)},
                              {"stats", StatsAsJson(job)}});
}

}  // namespace sluice
