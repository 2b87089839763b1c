#include "tools/run_end.h"

#include <fmt/format.h>
#include <string>
#include <vector>

#include "io/file/atomic_file.h"
#include "tools/run_summary.h"

namespace sluice {
namespace {

Result<void> CopyReport(FileSystem& files, const RunSummary& summary, const std::string& copy) {
  constexpr uint64_t kReportMax = uint64_t{1} << 30;
  if (copy.empty()) {
    return {};
  }
  SLUICE_ASSIGN(const std::string report, ReadWholeFile(files, summary.report_path, kReportMax));
  return WriteFileAtomically(files, copy, report);
}

// The rows are safe on this disk when this fails; the same command tries it again.
Result<void> PublishOutput(const CommandContext& context, const std::string& target,
                           const RunSummary& summary, CloudFiles& cloud) {
  if (target.empty()) {
    return {};
  }
  SLUICE_ASSIGN(const ObjectName object, ParseObjectUri(target));
  std::vector<std::string> paths;
  paths.reserve(summary.outputs.size());
  for (const OutputFile& file : summary.outputs) {
    paths.push_back(file.path);
  }
  auto published = cloud.Publish(paths, object);
  if (!published.has_value()) {
    Error error = published.error();
    error.message += fmt::format("; the rows are safe in {}", paths.front());
    error.hint +=
        fmt::format("{}the same command publishes them again", error.hint.empty() ? "" : "; then ");
    return std::unexpected(std::move(error));
  }
  const std::vector<std::string> addresses = *std::move(published);
  for (const std::string& address : addresses) {
    context.console.Say(fmt::format("published {}\n", EscapeControls(address)));
  }
  return {};
}

void PrintSummary(const CommandContext& context, const RunCommandOptions& options,
                  const RunSummary& summary, const Clock& clock) {
  const Console& console = context.console;
  if (options.progress == ProgressMode::kPlain) {
    console.Say(FormatDoneLine(summary, options.run, clock.WallNow()));
  }
  if (console.json) {
    console.Print(FormatRunSummaryAsJson(summary, options.run, console.out));
  } else {
    console.Say(FormatRunSummary(summary, options.run, console.err.color));
  }
  for (const std::string& warning : WarningsOf(summary)) {
    console.Warn(warning);
  }
}

}  // namespace

Result<void> ExpectOutputPlace(const RunCommandOptions& options, CloudFiles& cloud) {
  if (options.run.published_output.empty()) {
    return {};
  }
  SLUICE_ASSIGN(const ObjectName object, ParseObjectUri(options.run.published_output));
  auto found = cloud.ExpectPlace(object);
  if (!found.has_value() && found.error().hint.empty()) {
    found.error().hint = fmt::format("the bucket of --output {} must be there before a run begins",
                                     EscapeControls(options.run.published_output));
  }
  return found;
}

Result<void> EndRun(const CommandContext& context, const RunCommandOptions& options,
                    const RunSummary& summary, CloudFiles& cloud, const Clock& clock) {
  SLUICE_TRY(PublishOutput(context, options.run.published_output, summary, cloud));
  SLUICE_TRY(CopyReport(cloud.files(), summary, options.report_copy));
  PrintSummary(context, options, summary, clock);
  return {};
}

}  // namespace sluice
