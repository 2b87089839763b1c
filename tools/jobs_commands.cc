#include "tools/jobs_commands.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <string>
#include <vector>

#include "io/base/clock.h"
#include "tools/each_name.h"
#include "tools/job_format.h"
#include "tools/list_flags.h"
#include "tools/service_client.h"
#include "tools/stopping.h"

namespace sluice {
namespace {

void PrintJob(const Console& console, const BatchJob& job) {
  console.Print(console.json ? FormatJobAsJson(job, console.out) : FormatJob(job));
}

// Whether a job passes --state.
std::function<bool(const BatchJob&)> StateFilter(const Arguments& arguments) {
  std::string word = arguments.TextOr("--state", "");
  std::ranges::transform(word, word.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return [state = ParseJobState(word), any = word.empty()](const BatchJob& job) {
    return any || job.state == state;
  };
}

// The jobs of one page, or of all.
Result<JobPage> ListJobs(const Batches& batches, const Arguments& arguments,
                         const std::stop_token& stop) {
  SLUICE_ASSIGN(const ListFlags flags, ReadListFlags(arguments));
  const ListJobsOptions options{.page_size = flags.page_size,
                                .page_token = flags.page_token,
                                .filter = arguments.TextOr("--filter", "")};
  const auto wanted = StateFilter(arguments);
  JobPage page;
  if (flags.one_page) {
    SLUICE_ASSIGN(page, batches.List(options, stop));
    std::erase_if(page.jobs, [&](const BatchJob& job) { return !wanted(job); });
  } else {
    SLUICE_ASSIGN(page.jobs,
                  TakeItems<BatchJob>(batches.ListAll(options, stop), flags.limit, wanted));
  }
  return page;
}

Result<WaitOptions> ReadWaitOptions(const Arguments& arguments) {
  WaitOptions options;
  SLUICE_ASSIGN(const auto poll, arguments.Duration("--poll"));
  SLUICE_ASSIGN(const auto timeout, arguments.Duration("--timeout"));
  options.poll_interval = poll.value_or(options.poll_interval);
  options.timeout = timeout.value_or(options.timeout);
  return options;
}

// A wait that ended before its job, which a signal or a timeout does not touch.
Error ExplainUnended(const CommandContext& context, Error error) {
  if (error.code == ErrorCode::kUnfinished) {
    error.hint = "go on waiting: " + ResumeCommand(context.arguments);
    if (context.signals.received() != 0) {
      context.console.Say(FormatStopping(context, "the job keeps running", 1));
    }
  }
  return error;
}

// The exit code that says how a job ended.
Result<int> JudgeEnd(const BatchJob& job) {
  constexpr int kSomeFailed = 3;
  if (job.state == JobState::kPartiallySucceeded) {
    return kSomeFailed;
  }
  if (job.succeeded()) {
    return job.stats && job.stats->failure_count > 0 ? kSomeFailed : 0;
  }
  return Fail(ErrorCode::kRemoteFailed,
              fmt::format("{} ended {}{}", job.name, JobStateName(job.state),
                          job.error ? ": " + job.error->message : ""),
              "what was answered before may still be there: sluice jobs responses " + job.name);
}

}  // namespace

Result<int> JobsGetCommand(const CommandContext& context) {
  SLUICE_ASSIGN(const std::string name, RequirePositional(context.arguments));
  SLUICE_ASSIGN(const auto client, OpenClient(context));
  SLUICE_ASSIGN(const BatchJob job, client->batches().Get(name, context.signals.stop_token()));
  PrintJob(context.console, job);
  return 0;
}

Result<int> JobsListCommand(const CommandContext& context) {
  const Console& console = context.console;
  SLUICE_ASSIGN(const auto client, OpenClient(context));
  SLUICE_ASSIGN(const JobPage page,
                ListJobs(client->batches(), context.arguments, context.signals.stop_token()));
  if (console.json) {
    console.Print(FormatJobsAsJson(page.jobs, page.next_page_token, console.out));
    return 0;
  }
  console.Print(FormatJobTable(page.jobs));
  SayNextPage(console, page.next_page_token);
  return 0;
}

Result<int> JobsWaitCommand(const CommandContext& context) {
  const Console& console = context.console;
  SLUICE_ASSIGN(const std::string name, RequirePositional(context.arguments));
  SLUICE_ASSIGN(WaitOptions options, ReadWaitOptions(context.arguments));
  options.progress = [&console](const BatchJob& job) {
    const WallTime now = SystemClock().WallNow();
    console.Say(console.json ? FormatJobProgressAsJson(job, now) : FormatJobProgress(job, now));
  };
  SLUICE_ASSIGN(const auto client, OpenClient(context));
  Result<BatchJob> job = client->batches().Wait(name, options, context.signals.stop_token());
  if (!job.has_value()) {
    return std::unexpected(ExplainUnended(context, std::move(job).error()));
  }
  PrintJob(console, *job);
  return JudgeEnd(*job);
}

Result<int> JobsCancelCommand(const CommandContext& context) {
  SLUICE_ASSIGN(const auto client, OpenClient(context));
  return ForEachPositional(context, {.verb = "cancel",
                                     .past = "cancelled",
                                     .warning = "What it has not answered by then is lost.",
                                     .call = [&](const std::string& name) {
                                       return client->batches().Cancel(
                                           name, context.signals.stop_token());
                                     }});
}

Result<int> JobsDeleteCommand(const CommandContext& context) {
  SLUICE_ASSIGN(const auto client, OpenClient(context));
  return ForEachPositional(context, {.verb = "delete",
                                     .past = "deleted",
                                     .warning = "Its inline responses go with it.",
                                     .call = [&](const std::string& name) {
                                       return client->batches().Delete(
                                           name, context.signals.stop_token());
                                     }});
}

}  // namespace sluice
