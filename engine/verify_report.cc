#include "engine/verify_report.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/merge_counts.h"
#include "io/file/line_reader.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr const char* kReport = "report.json";
constexpr size_t kFailuresInReport = 1'000;

Json DocumentsOf(const VerifyInput& input, const MergeCounts& sum) {
  const PackPosition position = input.manifest.position();
  return {{"accepted", position.next},     {"ok", sum.ok},
          {"failed", sum.failed},          {"failed_by_class", sum.failed_by_class},
          {"rejected", position.rejected}, {"blank_lines", position.blank}};
}

Json AnswersOf(const MergeCounts& sum) {
  Json answers = {{"duplicates", sum.duplicates},
                  {"conflicts", sum.conflicts},
                  {"unknown", sum.strangers + sum.malformed_lines},
                  {"bytes", sum.answer_bytes},
                  {"values", sum.values},
                  {"general_values", sum.general_values}};
  if (sum.shortened > 0) {  // older reports lack it
    answers["shortened"] = sum.shortened;
  }
  if (sum.truncated > 0) {
    answers["truncated"] = sum.truncated;
  }
  if (sum.first_conflict.has_value()) {
    answers["first_conflict"] = *sum.first_conflict;
  }
  return answers;
}

Json ShardsOf(const VerifyInput& input) {
  uint64_t plain = 0;
  uint64_t compressed = 0;
  for (const ShardEntry& shard : input.manifest.shards()) {
    plain += shard.plain_bytes;
    compressed += shard.compressed_bytes;
  }
  return {{"count", input.manifest.shards().size()},
          {"plain_bytes", plain},
          {"compressed_bytes", compressed}};
}

Json JobsOf(const VerifyInput& input) {
  const auto made = std::ranges::count_if(
      input.attempts, [](const AttemptRecord& attempt) { return !attempt.job.empty(); });
  return {{"created", static_cast<uint64_t>(made)}, {"surplus", input.surplus_jobs}};
}

// Of the members of `wanted`, each has to be in `found` with the same value.
void Compare(const std::string& name, const Json& found, const Json& wanted, Findings& findings) {
  for (const auto& [member, value] : wanted.items()) {
    const Json said = found.is_object() ? found.value(member, Json()) : Json();
    if (said != value) {
      findings.AddProblem(
          kReport, fmt::format("{}{} is {}, expected {}", name, member, said.dump(-1, ' ', true),
                               value.dump(-1, ' ', true)));
    }
  }
}

void CompareFailures(const VerifyInput& input, const Json& failures, Findings& findings) {
  auto file = input.files.Open(input.directory.failures(), OpenMode::kRead);
  if (!file.has_value()) {
    return;  // is a finding of the output already
  }
  LineReader lines(MakeFileSource(std::move(*file)));
  size_t count = 0;
  while (count < kFailuresInReport) {
    const auto line = lines.Next();
    if (!line.has_value() || !line->has_value()) {
      break;
    }
    if (count >= failures.size() || failures[count] != ParseJson(**line)) {
      findings.AddProblem(kReport, fmt::format("its failure {} is not line {} of failures.jsonl",
                                               count + 1, count + 1));
      return;
    }
    ++count;
  }
  if (failures.size() != count) {
    findings.AddProblem(kReport,
                        fmt::format("has {} failures, expected {}", failures.size(), count));
  }
}

}  // namespace

void CheckReport(const VerifyInput& input, Findings& findings) {
  constexpr uint64_t kReportBytesMax = uint64_t{1} << 28;
  const auto text = ReadWholeFile(input.files, input.directory.report(), kReportBytesMax);
  if (!text.has_value()) {
    findings.AddProblem(kReport, text.error().message);
    return;
  }
  const Json report = ParseJson(*text);
  if (!report.is_object()) {
    findings.AddProblem(kReport, "is no JSON object");
    return;
  }
  const MergeCounts sum = SumOfCounts(input.merges);
  Compare("documents.", report.value("documents", Json()), DocumentsOf(input, sum), findings);
  Compare("answers.", report.value("answers", Json()), AnswersOf(sum), findings);
  Compare("shards.", report.value("shards", Json()), ShardsOf(input), findings);
  Compare("jobs.", report.value("jobs", Json()), JobsOf(input), findings);
  const bool embeds = input.pinned.request.task == Task::kEmbed;
  Compare("", report,
          {{"model", input.pinned.request.model},
           {"provider", input.pinned.provider_name},
           {"task", embeds ? "embed" : "generate"},
           {"dimension", input.dimension},
           {"text_field", input.pinned.request.text_field},
           {"outputs", ParseJson(input.outputs)}},
          findings);
  const Json failures = report.value("failures", Json::array());
  CompareFailures(input, failures.is_array() ? failures : Json::array(), findings);
}

}  // namespace sluice
