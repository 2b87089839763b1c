#include "engine/report.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "engine/failures.h"
#include "engine/merge_counts.h"
#include "io/file/atomic_file.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr size_t kFailuresInReport = 1'000;

void SetCounts(MergeCounts counts, RunSummary& summary) {
  summary.ok = counts.ok;
  summary.failed = counts.failed;
  summary.failed_by_class = std::move(counts.failed_by_class);
  summary.duplicates = counts.duplicates;
  summary.conflicts = counts.conflicts;
  summary.strangers = counts.strangers + counts.malformed_lines;
  summary.answer_bytes = counts.answer_bytes;
  summary.values = counts.values;
  summary.general_values = counts.general_values;
  summary.shortened = counts.shortened;
  summary.truncated = counts.truncated;
  summary.first_conflict = counts.first_conflict;
  summary.prompt_tokens = counts.prompt_tokens;
  summary.output_tokens = counts.output_tokens;
}

int ExitCodeOf(const RunSummary& summary, bool gave_jobs_up) {
  constexpr int kSomeRowsFailed = 3;
  constexpr int kJobsFailed = 6;
  if (gave_jobs_up) {
    return kJobsFailed;
  }
  return summary.failed > 0 || summary.rejected > 0 ? kSomeRowsFailed : 0;
}

OrderedJson DocumentsJson(const RunSummary& summary) {
  return {{"accepted", summary.documents}, {"ok", summary.ok},
          {"failed", summary.failed},      {"failed_by_class", summary.failed_by_class},
          {"rejected", summary.rejected},  {"blank_lines", summary.lines_blank}};
}

OrderedJson RowOrNull(const std::optional<uint64_t>& row) {
  return row.has_value() ? OrderedJson(*row) : OrderedJson();
}

OrderedJson AnswersJson(const RunSummary& summary) {
  return {{"duplicates", summary.duplicates},
          {"conflicts", summary.conflicts},
          {"unknown", summary.strangers},
          {"bytes", summary.answer_bytes},
          {"values", summary.values},
          {"general_values", summary.general_values},
          {"shortened", summary.shortened},
          {"truncated", summary.truncated},
          {"first_conflict", RowOrNull(summary.first_conflict)}};
}

OrderedJson TokensJson(const RunSummary& summary) {
  OrderedJson json = {{"estimated", summary.estimated_tokens}};
  json["prompt"] =
      summary.prompt_tokens.has_value() ? OrderedJson(*summary.prompt_tokens) : OrderedJson();
  json["output"] =
      summary.output_tokens.has_value() ? OrderedJson(*summary.output_tokens) : OrderedJson();
  return json;
}

// Of a stage sums over threads, of a step wall time.
OrderedJson TimesJson(const StageTimes& times, const RunSummary& summary) {
  OrderedJson stages = OrderedJson::object();
  size_t slowest = 0;
  for (size_t i = 0; i < kStageNames.size(); ++i) {
    const double spent = times.seconds(static_cast<Stage>(i));
    stages[std::string(kStageNames[i])] = spent;
    slowest = spent > times.seconds(static_cast<Stage>(slowest)) ? i : slowest;
  }
  OrderedJson steps = OrderedJson::array();
  for (const StepTime& step : summary.steps) {
    steps.push_back({{"step", step.name}, {"wall_seconds", step.seconds}, {"bound", step.bound}});
  }
  return {{"wall_seconds", summary.seconds},
          {"steps", steps},
          {"bound", summary.bound},
          {"stage_thread_seconds", stages},
          {"slowest_stage", kStageNames[slowest]}};
}

OrderedJson CorpusJson(const ReportInput& input) {
  uint64_t bytes = 0;
  OrderedJson names = OrderedJson::array();
  constexpr size_t kNamesMax = 100;
  for (const CorpusFile& file : input.list) {
    bytes += file.size;
    if (names.size() < kNamesMax) {
      names.push_back(file.name);
    }
  }
  return {{"files", input.list.size()}, {"bytes_on_disk", bytes}, {"names", names}};
}

OrderedJson ShardsJson(const Manifest& manifest) {
  uint64_t plain = 0;
  uint64_t compressed = 0;
  for (const ShardEntry& shard : manifest.shards()) {
    plain += shard.plain_bytes;
    compressed += shard.compressed_bytes;
  }
  return {{"count", manifest.shards().size()},
          {"plain_bytes", plain},
          {"compressed_bytes", compressed}};
}

OrderedJson OutputsJson(const std::vector<OutputFile>& outputs) {
  OrderedJson json = OrderedJson::array();
  for (const OutputFile& output : outputs) {
    json.push_back({{"path", output.path}, {"rows", output.rows}, {"bytes", output.bytes}});
  }
  return json;
}

OrderedJson FailuresJson(const std::vector<std::string>& lines) {
  OrderedJson json = OrderedJson::array();
  for (const std::string& line : lines) {
    json.push_back(ParseOrderedJson(line));
  }
  return json;
}

}  // namespace

Result<RunSummary> Summarize(const ReportInput& input, Ledger& ledger) {
  SLUICE_ASSIGN(const auto merges, ledger.Merges());
  SLUICE_ASSIGN(const auto tracks, ledger.Tracks());
  SLUICE_ASSIGN(const auto jobs, ledger.JobNames());
  SLUICE_ASSIGN(const auto surplus, ledger.Surplus());
  SLUICE_ASSIGN(const auto cancelled, ledger.Get(kCancelledKey));
  SLUICE_ASSIGN(const auto audit, ledger.Get(kAuditKey));
  const PackPosition position = input.manifest.position();
  RunSummary summary;
  summary.lines_blank = position.blank;
  summary.rejected = position.rejected;
  summary.documents = position.next;
  SetCounts(SumOfCounts(merges), summary);
  summary.jobs_created = jobs.size();
  for (const SurplusJob& job : surplus) {
    summary.surplus_jobs.push_back(job.job);
  }
  summary.audit_failure = audit.value_or(kAudited) == kAudited ? "" : *audit;
  summary.cancelled = cancelled.has_value();
  bool gave_jobs_up = false;
  for (const ShardTrack& track : tracks) {
    summary.jobs_failed += static_cast<uint64_t>(track.jobs_ended_empty);
    gave_jobs_up = gave_jobs_up || track.given_up.has_value();
  }
  for (const ShardEntry& shard : input.manifest.shards()) {
    summary.estimated_tokens += shard.tokens;
  }
  summary.shards = input.manifest.shards().size();
  summary.dimension = input.dimension;
  summary.outputs = input.outputs;
  summary.run_folder = input.directory.folder();
  summary.rejects_path = input.directory.rejects();
  summary.failures_path = input.directory.failures();
  summary.report_path = input.directory.report();
  summary.seconds = input.seconds;
  summary.steps = StepTimesOf(input.times, input.options.threads);
  summary.bound = BoundOf(summary.steps, summary.seconds);
  summary.resumed = input.resumed;
  summary.exit_code = ExitCodeOf(summary, gave_jobs_up);
  SLUICE_CHECK(summary.documents == summary.ok + summary.failed, "the counts do not add up");
  return summary;
}

std::string ReportJson(const ReportInput& input, const RunSummary& summary,
                       const std::vector<std::string>& first_failures) {
  const RequestOptions& request = input.options.request;
  const OrderedJson json = {
      {"v", 1},
      {"type", "report"},
      {"finished", input.finished},
      {"exit_code", summary.exit_code},
      {"backend", input.options.backend},
      {"provider", input.options.provider_name},
      {"provider_note", input.options.provider_note},
      {"base_url", input.options.base_url},
      {"model", request.model},
      {"task", request.task == Task::kEmbed ? "embed" : "generate"},
      {"dimension", summary.dimension},
      {"text_field", request.text_field},
      {"documents", DocumentsJson(summary)},
      {"answers", AnswersJson(summary)},
      {"tokens", TokensJson(summary)},
      {"jobs",
       {{"created", summary.jobs_created},
        {"ended_without_results", summary.jobs_failed},
        {"surplus", summary.surplus_jobs.size()},
        {"surplus_jobs", summary.surplus_jobs},
        {"audit_failure", summary.audit_failure}}},
      {"cancelled", summary.cancelled},
      {"corpus", CorpusJson(input)},
      {"shards", ShardsJson(input.manifest)},
      {"outputs", OutputsJson(summary.outputs)},
      {"times", TimesJson(input.times, summary)},
      {"resumed", summary.resumed},
      {"rejects_file", summary.rejects_path},
      {"failures_file", summary.failures_path},
      {"failures", FailuresJson(first_failures)},
  };
  return json.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

Result<void> WriteReport(FileSystem& files, const ReportInput& input, const RunSummary& summary) {
  SLUICE_ASSIGN(const auto failures, FirstFailures(files, input.directory, kFailuresInReport));
  return WriteFileAtomically(files, input.directory.report(), ReportJson(input, summary, failures));
}

}  // namespace sluice
