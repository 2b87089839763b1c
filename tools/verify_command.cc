#include "tools/verify_command.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/verify.h"
#include "io/base/clock.h"
#include "tools/cloud_files.h"
#include "tools/json_line.h"
#include "tools/kept_run.h"
#include "tools/run_folder.h"
#include "tools/terminal.h"
#include "tools/units.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

// As for an input that cannot be used: no other try of the same command helps.
constexpr int kSomethingIsWrong = 7;

OrderedJson CountsAsJson(const VerifyCounts& counts) {
  return {{"units", counts.units},
          {"results", counts.results},
          {"failed", counts.failed},
          {"missing", counts.missing},
          {"pending", counts.pending},
          {"refused", counts.refused},
          {"blank", counts.blank},
          {"shards", counts.shards},
          {"shards_merged", counts.shards_merged},
          {"answers_compared", counts.answers_compared}};
}

std::string ReportAsJson(const VerifyReport& report, int exit_code, const Terminal& terminal) {
  OrderedJson problems = OrderedJson::array();
  for (const Problem& problem : report.findings.problems()) {
    problems.push_back({{"where", problem.where}, {"what", problem.what}});
  }
  const OrderedJson document = {{"v", 1},
                                {"type", "verified"},
                                {"exit_code", exit_code},
                                {"run", report.run_folder},
                                {"state", report.state},
                                {"counts", CountsAsJson(report.counts)},
                                {"problem_count", report.findings.problem_count()},
                                {"problems", problems},
                                {"notes", report.findings.notes()}};
  return JsonLine(document, terminal);
}

std::string CountsAsText(const VerifyCounts& counts) {
  return fmt::format(
      "Corpus:  {} lines and documents = {} results + {} failed + {} missing + {} pending + {} "
      "refused + {} blank\n"
      "Shards:  {}, {} of them merged; kept answers of {} compared\n",
      FormatCount(counts.units), FormatCount(counts.results), FormatCount(counts.failed),
      FormatCount(counts.missing), FormatCount(counts.pending), FormatCount(counts.refused),
      FormatCount(counts.blank), FormatCount(counts.shards), FormatCount(counts.shards_merged),
      FormatCount(counts.answers_compared));
}

std::string ReportAsText(const VerifyReport& report) {
  const Findings& findings = report.findings;
  std::string text = fmt::format("{}   {}\n", EscapeControls(report.run_folder), report.state) +
                     CountsAsText(report.counts);
  for (const std::string& note : findings.notes()) {
    text += fmt::format("note: {}\n", EscapeControls(note));
  }
  for (const Problem& problem : findings.problems()) {
    text +=
        fmt::format("wrong: {}: {}\n", EscapeControls(problem.where), EscapeControls(problem.what));
  }
  if (findings.problem_count() > findings.problems().size()) {
    text += fmt::format("... and {} more\n",
                        FormatCount(findings.problem_count() - findings.problems().size()));
  }
  return text + (findings.problem_count() == 0
                     ? "Nothing is wrong.\n"
                     : fmt::format("{} things are wrong.   (exit {})\n",
                                   FormatCount(findings.problem_count()), kSomethingIsWrong));
}

}  // namespace

Result<int> VerifyCommand(const CommandContext& context) {
  const Arguments& arguments = context.arguments;
  SLUICE_ASSIGN(const std::string run_folder,
                arguments.positionals.empty() ? FindRunFolder(arguments)
                                              : Result<std::string>(arguments.positionals.front()));
  SystemClock clock;
  CloudFiles cloud(clock, context.signals.stop_token());
  cloud.ServedBy([&] { return KeptAddressOfObjects(run_folder); });
  SLUICE_ASSIGN(const VerifyReport report,
                VerifyRun(cloud.files(), run_folder, context.signals.stop_token()));
  const int exit_code = report.findings.problem_count() == 0 ? 0 : kSomethingIsWrong;
  context.console.Print(context.console.json ? ReportAsJson(report, exit_code, context.console.out)
                                             : ReportAsText(report));
  return exit_code;
}

}  // namespace sluice
