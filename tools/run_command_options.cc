#include "tools/run_command_options.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <thread>
#include <utility>

#include "api/storage/object_name.h"
#include "io/json/json_text.h"
#include "io/sink/sink.h"
#include "tools/argument_files.h"
#include "tools/result_output.h"

namespace sluice {
namespace {

Task ReadTask(const Arguments& arguments) {
  if (const auto task = arguments.Text("--task")) {
    return *task == "generate" ? Task::kGenerate : Task::kEmbed;
  }
  for (const std::string_view flag :
       {"--template", "--system-instruction", "--generation-config"}) {
    if (arguments.Has(flag)) {
      return Task::kGenerate;
    }
  }
  const bool to_lines = arguments.TextOr("--output", "").ends_with(".jsonl");
  return to_lines && arguments.Has("--request-field") ? Task::kGenerate : Task::kEmbed;
}

Result<void> ReadCorpus(const Arguments& arguments, CorpusOptions& corpus) {
  if (arguments.positionals.empty()) {
    return Fail(
        ErrorCode::kUsage, fmt::format("'{}' needs an INPUT", arguments.command->name),
        fmt::format("a .jsonl file, a folder, a glob, or - for standard input; see sluice {} "
                    "--help",
                    arguments.command->name));
  }
  corpus.inputs = arguments.positionals;
  const bool on_stdin = std::ranges::find(corpus.inputs, "-") != corpus.inputs.end();
  if (on_stdin && arguments.Text("--api-key-file") == "-") {
    return Fail(ErrorCode::kUsage, "--api-key-file: standard input is the corpus already");
  }
  corpus.globs = arguments.List("--glob");
  corpus.excludes = arguments.List("--exclude");
  const std::string format = arguments.TextOr("--input-format", "auto");
  corpus.format = format == "jsonl"  ? CorpusOptions::Format::kJsonLines
                  : format == "text" ? CorpusOptions::Format::kText
                                     : CorpusOptions::Format::kAuto;
  SLUICE_TRY(Store(arguments.Size("--max-line-bytes"), corpus.line_bytes_max));
  if (corpus.line_bytes_max == 0) {
    return Fail(ErrorCode::kUsage, "--max-line-bytes: must be at least 1");
  }
  return {};
}

Result<void> ReadRequest(const Arguments& arguments, FileSystem& files, Backend backend,
                         RequestOptions& request) {
  request.task = ReadTask(arguments);
  request.model = arguments.TextOr("--model", DefaultModel(backend, request.task));
  SLUICE_TRY(Store(arguments.Integer("--dim", 1, 1'000'000), request.dimension));
  const bool embeds = request.task == Task::kEmbed;
  for (const std::string_view flag :
       {"--model", "--task-type", "--text-field", "--title-field", "--request-field", "--id-field",
        "--output", "--project", "--location"}) {
    if (FindInvalidUtf8(arguments.TextOr(flag, "")).has_value()) {
      return Fail(ErrorCode::kUsage, fmt::format("{} is not valid UTF-8", flag));
    }
  }
  request.task_type = arguments.TextOr("--task-type", embeds ? "RETRIEVAL_DOCUMENT" : "");
  request.text_field = arguments.TextOr("--text-field", "text");
  request.title_field = arguments.TextOr("--title-field", "");
  request.request_field = arguments.TextOr("--request-field", "");
  SLUICE_ASSIGN(request.prompt_template, ReadFlagFile(arguments, "--template", files));
  SLUICE_ASSIGN(request.generation_config, ReadFlagFile(arguments, "--generation-config", files));
  SLUICE_ASSIGN(request.system_instruction, ReadFlagFile(arguments, "--system-instruction", files));
  for (const std::string_view flag :
       {"--template", "--system-instruction", "--generation-config"}) {
    if (embeds && arguments.Has(flag)) {
      return Fail(ErrorCode::kUsage, fmt::format("{} does not go with --task embed", flag));
    }
  }
  for (const std::string_view flag : {"--dim", "--task-type", "--title-field", "--normalize"}) {
    if (!embeds && arguments.Has(flag)) {
      return Fail(ErrorCode::kUsage, fmt::format("{} does not go with generation", flag),
                  "generation makes text; vectors are made with --task embed");
    }
  }
  return {};
}

std::string NoteOf(Backend backend, const std::string& base_url) {
  std::string api = backend == Backend::kVertex ? "Vertex AI" : "Gemini Developer API";
  if (base_url.empty()) {
    return api;
  }
  return backend == Backend::kVertex ? "a service that speaks Vertex AI"
                                     : "a service that speaks the " + api;
}

Result<void> ReadCloud(const Arguments& arguments, Backend backend, RunCloud& cloud) {
  for (const std::string_view flag : {"--bucket", "--bigquery-dataset"}) {
    if (arguments.Has(flag) && backend != Backend::kVertex) {
      return Fail(ErrorCode::kUsage, fmt::format("{} goes with --backend vertex only", flag));
    }
  }
  if (backend == Backend::kVertex) {
    cloud = {.project = arguments.TextOr("--project", ""),
             .location = arguments.TextOr("--location", ""),
             .bucket = arguments.TextOr("--bucket", ""),
             .bigquery_dataset = arguments.TextOr("--bigquery-dataset", "")};
  }
  return {};
}

std::string WithoutSlashAtEnd(std::string path) {
  while (path.ends_with('/')) {
    path.pop_back();
  }
  return path;
}

// Shards and answers of a run are no documents, also when its corpus is the bucket that they go
// through. Without a prefix of its own nobody could tell them from documents.
Result<void> KeepOwnObjectsOut(const std::string& bucket, CorpusOptions& corpus) {
  if (bucket.empty()) {
    return {};
  }
  const std::string scheme = "gs://";
  const std::string place = WithoutSlashAtEnd(IsObjectUri(bucket) ? bucket : scheme + bucket);
  const bool has_prefix = place.find('/', scheme.size()) != std::string::npos;
  for (const std::string& own : {place + "/in", place + "/out"}) {
    const bool is_read = std::ranges::any_of(corpus.inputs, [&](const std::string& input) {
      const std::string root = WithoutSlashAtEnd(input);
      return root == own || (!has_prefix && root == place);
    });
    if (is_read) {
      return Fail(ErrorCode::kUsage,
                  fmt::format("the corpus holds {}/, where this run puts its own objects", own),
                  "give it a prefix that is no part of the corpus: --bucket NAME/PREFIX");
    }
    if (has_prefix) {
      corpus.own_paths.push_back(own);
    }
  }
  return {};
}

}  // namespace

Result<std::optional<int>> ReadCompression(const Arguments& arguments) {
  const std::string text = arguments.TextOr("--compress", "zstd");
  constexpr int kLevelDefault = 3;
  if (text == "none") {
    return std::nullopt;
  }
  if (text == "zstd") {
    return kLevelDefault;
  }
  const std::string_view prefix = "zstd:";
  if (text.starts_with(prefix)) {
    const auto level = ParseInteger(std::string_view(text).substr(prefix.size()), 1, 19);
    if (level.has_value()) {
      return static_cast<int>(*level);
    }
  }
  return Fail(ErrorCode::kUsage,
              fmt::format("--compress: '{}' is neither none nor zstd:N with N from 1 to 19", text));
}

Result<void> ReadShardLimits(const Arguments& arguments, ShardLimits& limits) {
  SLUICE_TRY(Store(arguments.Size("--shard-rows"), limits.rows_max));
  SLUICE_TRY(Store(arguments.Size("--shard-bytes"), limits.bytes_max));
  SLUICE_TRY(Store(arguments.Size("--shard-tokens"), limits.tokens_max));
  SLUICE_TRY(Store(arguments.Size("--shard-answer-bytes"), limits.answer_bytes_max));
  if (limits.rows_max == 0 || limits.bytes_max == 0 || limits.answer_bytes_max == 0) {
    return Fail(ErrorCode::kUsage, "a shard cannot be empty: its limits must be at least 1");
  }
  return {};
}

Result<size_t> ReadThreads(const Arguments& arguments) {
  size_t threads = std::max(1U, std::thread::hardware_concurrency());
  SLUICE_TRY(Store(arguments.Integer("--threads", 1, 1024), threads));
  return threads;
}

Result<void> ReadPace(const Arguments& arguments, RunOptions& run) {
  SLUICE_TRY(Store(arguments.Integer("--uploads", 1, 64), run.uploads));
  SLUICE_TRY(Store(arguments.Integer("--jobs-in-flight", 1, 100'000), run.jobs_in_flight));
  SLUICE_TRY(Store(arguments.Integer("--attempts", 1, 1000), run.attempts_max));
  SLUICE_ASSIGN(run.threads, ReadThreads(arguments));
  SLUICE_ASSIGN(const auto poll, arguments.Range("--poll"));
  if (poll) {
    run.poll_first = poll->first;
    run.poll_max = poll->last;
  }
  SLUICE_TRY(Store(arguments.Duration("--settle"), run.settle));
  SLUICE_TRY(Store(arguments.Duration("--deadline"), run.deadline));
  SLUICE_TRY(Store(arguments.Size("--max-jobs"), run.cap.jobs_max));
  SLUICE_TRY(Store(arguments.Size("--max-rows"), run.cap.rows_max));
  const bool asks = arguments.TextOr("--on-unknown", "adopt") == "ask";
  run.on_unknown = asks ? OnUnknown::kAsk : OnUnknown::kAdopt;
  return {};
}

Result<void> ReadServiceLimits(const Arguments& arguments, ServiceAccessOptions& service) {
  SLUICE_TRY(Store(arguments.Duration("--request-timeout"), service.request_timeout));
  SLUICE_TRY(Store(arguments.Duration("--stall-timeout"), service.stall_timeout));
  SLUICE_TRY(Store(arguments.Size("--max-answer-bytes"), service.answer_bytes_max));
  constexpr std::chrono::milliseconds kNone{0};
  for (const auto& [flag, time] : {std::pair("--request-timeout", service.request_timeout),
                                   std::pair("--stall-timeout", service.stall_timeout)}) {
    if (time == kNone) {
      return Fail(ErrorCode::kUsage, fmt::format("{}: must be more than nothing", flag));
    }
  }
  return {};
}

void SuitLocalService(RunOptions& run, ServiceAccessOptions& service) {
  // It answers within milliseconds and forgets nothing: no need to wait as for a remote one.
  run.poll_first = run.poll_first.value_or(std::chrono::milliseconds(50));
  run.poll_max = run.poll_max.value_or(std::chrono::milliseconds(500));
  run.settle = run.settle.value_or(std::chrono::milliseconds(500));
  run.delete_remote_jobs = true;
  run.provider_note = LocalService::kNote;
  run.account = "local";
  service.state_folder = run.run_folder + "/service";
}

namespace {

Result<void> ReadOutput(const Arguments& arguments, const std::string& fallback, RunOptions& run) {
  run.output = arguments.TextOr("--output", fallback);
  if (IsObjectUri(run.output)) {
    SLUICE_TRY(ParseObjectUri(run.output));
    run.published_output = run.output;
    run.output = run.output.substr(run.output.rfind('/') + 1);
  }
  SLUICE_TRY(ExpectOutputFormat(run.output));
  run.run_folder = arguments.TextOr("--run", run.output + ".sluice");
  if (!run.published_output.empty()) {
    run.output = run.run_folder + "/" + run.output;
  }
  return {};
}

ProgressMode ReadProgressMode(const Arguments& arguments, bool stderr_is_terminal) {
  const std::string text = arguments.TextOr("--progress", "auto");
  if (arguments.Has("--quiet") || text == "none") {
    return ProgressMode::kNone;
  }
  if (text == "json" || (text == "auto" && arguments.Has("--json"))) {
    return ProgressMode::kJson;
  }
  // A bar needs a screen, whoever asks for it.
  const bool bar = stderr_is_terminal && text != "plain";
  return bar ? ProgressMode::kBar : ProgressMode::kPlain;
}

std::filesystem::path NormalPath(const std::string& path) {
  std::error_code error;
  return std::filesystem::absolute(path, error).lexically_normal();
}

Result<void> ExpectPlace(std::string_view flag, const std::string& path) {
  Result<void> place = ExpectPlaceForResult(path);
  if (!place.has_value()) {
    place.error().message = fmt::format("{}: {}", flag, place.error().message);
  }
  return place;
}

}  // namespace

Result<void> ReadProgress(const Arguments& arguments, bool stderr_is_terminal,
                          RunCommandOptions& options) {
  options.progress = ReadProgressMode(arguments, stderr_is_terminal);
  return Store(arguments.Duration("--progress-interval"), options.progress_interval);
}

Result<void> ExpectPlacesForResults(const RunCommandOptions& options) {
  const std::string& output = options.run.output;
  SLUICE_TRY(ExpectPlace("--output", output));
  if (options.report_copy.empty()) {
    return {};
  }
  const auto report = NormalPath(options.report_copy);
  if (report == NormalPath(output) || report == NormalPath(IdsPathOf(output))) {
    return Fail(ErrorCode::kUsage, "--report names the file that the output is written to");
  }
  SLUICE_TRY(ExpectPlace("--report", options.report_copy));
  if (report.string().starts_with(NormalPath(options.run.run_folder + "/").string())) {
    return Fail(ErrorCode::kUsage,
                fmt::format("--report: '{}' lies in the run folder, which keeps the run",
                            options.report_copy),
                "name a place outside of it; report.json is there anyway");
  }
  std::error_code error;
  if (std::filesystem::is_directory(report, error)) {
    return Fail(ErrorCode::kUsage, fmt::format("--report: '{}' is a folder", options.report_copy),
                "name a file");
  }
  if (!std::filesystem::is_directory(report.parent_path(), error)) {
    return Fail(ErrorCode::kUsage,
                fmt::format("--report: there is no folder '{}'", report.parent_path().string()),
                "make it, or name another file");
  }
  return {};
}

Result<RunCommandOptions> ReadRunCommandOptions(const Arguments& arguments, FileSystem& files,
                                                bool stderr_is_terminal) {
  RunCommandOptions options;
  options.service = {.backend = ParseBackend(arguments.TextOr("--backend", "gemini")),
                     .api_version = arguments.TextOr("--api-version", ""),
                     .api_key_file = arguments.TextOr("--api-key-file", ""),
                     .state_folder = {}};
  options.service.base_url = ReadBaseUrl(arguments, options.service.backend == Backend::kVertex);
  SLUICE_TRY(ReadServiceLimits(arguments, options.service));
  const Backend backend = options.service.backend;
  options.report_copy = arguments.TextOr("--report", "");
  RunOptions& run = options.run;
  run.backend = BackendName(backend);
  run.provider_name = ProviderNameOf(backend);
  SLUICE_TRY(ReadCorpus(arguments, run.corpus));
  SLUICE_TRY(ReadRequest(arguments, files, backend, run.request));
  SLUICE_TRY(ReadCloud(arguments, backend, run.cloud));
  run.id_field = arguments.TextOr("--id-field", "");
  const bool embeds = run.request.task == Task::kEmbed;
  SLUICE_TRY(ReadOutput(arguments, embeds ? "vectors.npy" : "answers.jsonl", run));
  run.on_error = ParseOnError(arguments.TextOr("--on-error", "nan"));
  run.normalize = arguments.Has("--normalize");
  run.keep_remote = arguments.Has("--keep-remote");
  run.keep_answers = arguments.Has("--keep-answers");
  SLUICE_TRY(ReadShardLimits(arguments, run.limits));
  SLUICE_ASSIGN(run.zstd_level, ReadCompression(arguments));
  SLUICE_TRY(ReadPace(arguments, run));
  if (backend == Backend::kLocal) {
    SuitLocalService(run, options.service);
  } else {
    run.base_url = options.service.base_url;
    run.provider_note = NoteOf(backend, run.base_url);
  }
  options.service.task = run.request.task;
  options.service.model = run.request.model;
  options.service.cloud = run.cloud;
  SLUICE_TRY(ExpectPlacesForResults(options));
  run.corpus.own_paths = {run.run_folder, run.output, IdsPathOf(run.output), options.report_copy};
  SLUICE_TRY(KeepOwnObjectsOut(run.cloud.bucket, run.corpus));
  SLUICE_TRY(ReadProgress(arguments, stderr_is_terminal, options));
  return options;
}

}  // namespace sluice
