#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <string>

#include "api/bigquery/table_name.h"
#include "io/file/file_system.h"
#include "tools/argument_files.h"
#include "tools/job_format.h"
#include "tools/job_source.h"
#include "tools/jobs_commands.h"
#include "tools/json_line.h"
#include "tools/service_access.h"
#include "tools/service_client.h"
#include "tools/shown_upload.h"
#include "tools/units.h"

namespace sluice {
namespace {

Result<JobSourceOptions> ReadSourceOptions(const Arguments& arguments, Task task) {
  using Way = JobSourceOptions::Way;
  if (arguments.Has("--inline") && arguments.Has("--upload")) {
    return Fail(ErrorCode::kUsage, "--inline and --upload exclude each other");
  }
  if (arguments.positionals.front() == "-" && arguments.Text("--api-key-file") == "-") {
    return Fail(ErrorCode::kUsage, "--api-key-file: standard input holds the requests already");
  }
  const auto files = MakePosixFileSystem();
  JobSourceOptions options{.task = task};
  options.way = arguments.Has("--inline")   ? Way::kInline
                : arguments.Has("--upload") ? Way::kUpload
                                            : Way::kBySize;
  SLUICE_ASSIGN(options.generation_config, ReadFlagFile(arguments, "--generation-config", *files));
  SLUICE_ASSIGN(options.system_instruction,
                ReadFlagFile(arguments, "--system-instruction", *files));
  return options;
}

Result<CreateJobRequest> ReadRequest(const Arguments& arguments, Task task) {
  SLUICE_ASSIGN(const auto priority, arguments.Integer("--priority", INT64_MIN, INT64_MAX));
  CreateJobRequest request{
      .task = task,
      .model = arguments.TextOr("--model", DefaultModel(Backend::kGemini, task)),
      .display_name = arguments.TextOr("--display-name", ""),
      .priority = priority.value_or(0)};
  const std::string to = arguments.TextOr("--to", "");
  (IsTableUri(to) ? request.output_bigquery_uri : request.output_gcs_uri) = to;
  return request;
}

std::string SourceWords(const JobSource& source) {
  if (!source.uploaded_file.empty() || !source.cloud_uri.empty()) {
    return source.uploaded_file + source.cloud_uri;
  }
  return source.lines_to_upload
             ? fmt::format("an uploaded file of {}", FormatBytes(source.lines_to_upload->size))
             : fmt::format("{} inline requests", FormatCount(source.inline_requests.size()));
}

void PrintDryRun(const Console& console, const CreateJobRequest& request, const JobSource& source) {
  const bool embeds = request.task == Task::kEmbed;
  if (!console.json) {
    console.Print(EscapeControls(fmt::format("would create {} job with {} of {}",
                                             embeds ? "an embedding" : "a generation",
                                             request.model, SourceWords(source))) +
                  '\n');
    return;
  }
  const nlohmann::ordered_json document = {{"v", 1},
                                           {"type", "created"},
                                           {"dry_run", true},
                                           {"task", embeds ? "embed" : "generate"},
                                           {"model", request.model},
                                           {"source", SourceWords(source)}};
  console.Print(JsonLine(document, console.out));
}

// When nobody knows whether the job was made, no scheduler may start the same command again: that
// would buy it twice. So the error is the one whose exit code never means that.
Result<BatchJob> ReadAnswer(const CreateAnswer& answer) {
  Result<BatchJob> job = answer.result();
  if (answer.outcome == CreateOutcome::kUnknown) {
    job.error().code = ErrorCode::kInternal;
  }
  return job;
}

// Puts the source into the request, but for lines that have no name at the service yet.
void FillIn(const JobSource& source, CreateJobRequest& request) {
  request.staged_file = source.uploaded_file;
  request.inline_requests = source.inline_requests;
  if (IsTableUri(source.cloud_uri)) {
    request.bigquery_uri = source.cloud_uri;
  } else if (!source.cloud_uri.empty()) {
    request.gcs_uris = {source.cloud_uri};
  }
}

Result<void> CheckForDryRun(const Client& client, CreateJobRequest request,
                            const JobSource& source) {
  FillIn(source, request);
  return source.lines_to_upload ? Result<void>() : client.batches().Check(request);
}

Result<BatchJob> CreateJob(const CommandContext& context, Client& client, CreateJobRequest request,
                           const JobSource& source) {
  const std::stop_token stop = context.signals.stop_token();
  FillIn(source, request);
  if (source.lines_to_upload) {
    SLUICE_ASSIGN(UploadedFile uploaded, UploadShown(context, client, *source.lines_to_upload,
                                                     {.display_name = request.display_name}));
    request.staged_file = std::move(uploaded.file.name);
  }
  const CreateAnswer answer = client.batches().Create(request, stop);
  const bool surely_none =
      answer.outcome == CreateOutcome::kRefused || answer.outcome == CreateOutcome::kNotSent;
  if (surely_none && source.lines_to_upload) {
    // Nobody will need it; when it cannot be deleted, the service does so after two days.
    // After a stop, too: the time limit of a request bounds it.
    static_cast<void>(client.files().Delete(request.staged_file, {}));
  }
  return ReadAnswer(answer);
}

Result<int> Create(const CommandContext& context, Task task) {
  const Arguments& arguments = context.arguments;
  const Console& console = context.console;
  SLUICE_ASSIGN(const std::string text, RequirePositional(arguments));
  SLUICE_ASSIGN(const JobSourceOptions options, ReadSourceOptions(arguments, task));
  SLUICE_ASSIGN(const CreateJobRequest request, ReadRequest(arguments, task));
  SLUICE_ASSIGN(const auto client, OpenClient(context));
  SLUICE_ASSIGN(const JobSource source, ReadJobSource(text, options, context.signals.stop_token()));
  if (arguments.Has("--dry-run")) {
    SLUICE_TRY(CheckForDryRun(*client, request, source));
    PrintDryRun(console, request, source);
    return 0;
  }
  SLUICE_ASSIGN(const BatchJob job, CreateJob(context, *client, request, source));
  if (console.json) {
    console.Print(FormatJobAsJson(job, console.out));
    return 0;
  }
  console.Print(job.name + '\n');
  console.Say(fmt::format("Follow it: sluice jobs wait {}\n", job.name));
  return 0;
}

}  // namespace

Result<int> JobsCreateCommand(const CommandContext& context) {
  return Create(context, Task::kGenerate);
}

Result<int> JobsCreateEmbeddingsCommand(const CommandContext& context) {
  return Create(context, Task::kEmbed);
}

}  // namespace sluice
