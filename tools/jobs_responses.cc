#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <string>

#include "io/file/file_system.h"
#include "tools/job_response_line.h"
#include "tools/jobs_commands.h"
#include "tools/result_output.h"
#include "tools/service_client.h"
#include "tools/units.h"

namespace sluice {
namespace {

struct ResponseCounts {
  uint64_t all = 0;
  uint64_t failed = 0;
};

// A job that cannot have responses is an error of its own kind: it may still run, or have failed as
// a whole.
Error ExplainMissing(const BatchJob& job, Error error) {
  if (!job.complete()) {
    return {.code = ErrorCode::kUnfinished,
            .message = error.message,
            .hint = "wait for its end: sluice jobs wait " + job.name};
  }
  if (error.code == ErrorCode::kNotFound && !job.succeeded()) {
    error.code = ErrorCode::kRemoteFailed;
  }
  return error;
}

std::string ResponseLine(const JobResponse& response, bool raw, const Terminal& terminal) {
  if (!raw) {
    return FormatJobResponse(response, terminal);
  }
  return (terminal.is_terminal ? EscapeControls(response.json) : response.json) + '\n';
}

Result<ResponseCounts> WriteResponses(const CommandContext& context, const Batches& batches,
                                      const BatchJob& job, ResultOutput& output) {
  const Arguments& arguments = context.arguments;
  const bool raw = arguments.Has("--raw");
  const Terminal terminal =
      IsStandardOutput(arguments.TextOr("--output", "")) ? context.console.out : Terminal{};
  ResponseCounts counts;
  const auto take = [&](const JobResponse& response) {
    counts.failed += response.ok() ? 0 : 1;
    return output.Write(ResponseLine(response, raw, terminal));
  };
  Result<uint64_t> all = batches.ForEachResponse(job, take, context.signals.stop_token());
  if (!all.has_value()) {
    return std::unexpected(ExplainMissing(job, std::move(all).error()));
  }
  counts.all = *all;
  return counts;
}

// The service has been seen to leave requests without any answer; its counters tell.
uint64_t CountMissing(const BatchJob& job, const ResponseCounts& counts) {
  const int64_t total = job.stats ? job.stats->total_count : 0;
  const auto expected = static_cast<uint64_t>(std::max<int64_t>(total, 0));
  return expected - std::min(expected, counts.all);
}

void SayCounts(const Console& console, const ResponseCounts& counts, uint64_t missing) {
  if (missing > 0) {
    console.Warn(fmt::format("{} of {} requests have no response", FormatCount(missing),
                             FormatCount(counts.all + missing)));
  }
  if (!console.json) {
    console.Say(fmt::format("{} responses, {} failed\n", FormatCount(counts.all),
                            FormatCount(counts.failed)));
  }
}

}  // namespace

Result<int> JobsResponsesCommand(const CommandContext& context) {
  constexpr int kSomeFailed = 3;
  const std::string path = context.arguments.TextOr("--output", "");
  SLUICE_ASSIGN(const std::string name, RequirePositional(context.arguments));
  SLUICE_TRY(RefuseCloudAddress(path));
  SLUICE_ASSIGN(const auto client, OpenClient(context));
  const auto files = MakePosixFileSystem();
  SLUICE_ASSIGN(const BatchJob job, client->batches().Get(name, context.signals.stop_token()));
  SLUICE_ASSIGN(ResultOutput output, ResultOutput::Open(*files, path));
  SLUICE_ASSIGN(const ResponseCounts counts,
                WriteResponses(context, client->batches(), job, output));
  SLUICE_TRY(output.Close());
  const uint64_t missing = CountMissing(job, counts);
  SayCounts(context.console, counts, missing);
  return counts.failed + missing > 0 ? kSomeFailed : 0;
}

}  // namespace sluice
