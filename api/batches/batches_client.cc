#include "api/batches/batches_client.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <random>

#include "api/auth/vertex.h"
#include "api/batches/inline_answers.h"
#include "api/batches/job_wide_members.h"
#include "api/batches/operation.h"
#include "api/files/files_client.h"
#include "api/http/google_error.h"
#include "api/http/json_fields.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kCreateAnswerBytesMax = uint64_t{1} << 20;

// Far above the 2 GB of an input file; a bound, not an expectation.
constexpr uint64_t kResultBytesMax = uint64_t{64} << 30;
// The last poll of a wait gets this long even when the wait is over.
constexpr std::chrono::milliseconds kPollTimeoutMin{1'000};

// The name as it stands in addresses; a bare id is taken for that of a job.
Result<std::string> JobName(const std::string& name) {
  if (name.starts_with("batchPredictionJobs/") || name.starts_with("projects/")) {
    return FailForVertex("a batch prediction job");
  }
  std::string full = name.find('/') == std::string::npos ? "batches/" + name : name;
  SLUICE_TRY(CheckResourceName(full, "batches"));
  return full;
}

Result<void> CheckSource(const CreateJobRequest& request) {
  if (!request.gcs_uris.empty()) {
    return FailForVertex("gcs_uri");
  }
  if (!request.bigquery_uri.empty()) {
    return FailForVertex("bigquery_uri");
  }
  if (request.staged_file.empty() == request.inline_requests.empty()) {
    return Fail(ErrorCode::kUsage, "a job has one source: an uploaded file or inline requests");
  }
  const bool job_wide = !request.generation_config.empty() || !request.system_instruction.empty();
  if (job_wide && !request.staged_file.empty()) {
    return Fail(ErrorCode::kUsage,
                "a generation config or system instruction cannot be given to a job with a file: "
                "the service takes it from each request",
                "put it into each line of the file before it is uploaded: MakeRequestLines()");
  }
  return {};
}

Result<Json> InputConfig(const CreateJobRequest& request) {
  SLUICE_TRY(CheckSource(request));
  if (!request.staged_file.empty()) {
    SLUICE_TRY(CheckResourceName(request.staged_file, "files"));
    // The spellings of the official SDKs: they differ between the two calls.
    return Json{{request.task == Task::kEmbed ? "file_name" : "fileName", request.staged_file}};
  }
  SLUICE_ASSIGN(const Json job_wide, JobWideMembers<Json>(request.task, request.generation_config,
                                                          request.system_instruction));
  Json items = Json::array();
  for (const InlineRequest& item : request.inline_requests) {
    Json body = Json::parse(item.request, nullptr, false);
    if (!body.is_object()) {
      return Fail(ErrorCode::kUsage, fmt::format("inline request '{}' is not a JSON object",
                                                 PrintableText(item.key, 80)));
    }
    AddMissing(job_wide, body);
    items.push_back({{"request", std::move(body)}, {"metadata", {{"key", item.key}}}});
  }
  return Json{{"requests", {{"requests", std::move(items)}}}};
}

Result<HttpRequest> MakeCreateRequest(const GoogleService& service, const CreateJobRequest& request,
                                      std::stop_token stop) {
  SLUICE_ASSIGN(const std::string model, ModelPath(request.model));
  SLUICE_ASSIGN(Json input, InputConfig(request));
  Json batch = {{"inputConfig", std::move(input)}};
  if (!request.display_name.empty()) {
    batch["displayName"] = request.display_name;
  }
  if (request.priority != 0) {
    batch["priority"] = std::to_string(request.priority);  // int64 travels as a string
  }
  const Json body = {{"batch", std::move(batch)}};
  const char* method =
      request.task == Task::kEmbed ? "asyncBatchEmbedContent" : "batchGenerateContent";
  HttpRequest http = service.JsonRequest("POST", fmt::format("/{}:{}", model, method),
                                         body.dump(-1, ' ', false, Json::error_handler_t::replace),
                                         std::move(stop));
  http.fresh_connection = true;
  http.answer_bytes_max = kCreateAnswerBytesMax;
  return http;
}

CreateAnswer NotCreated(CreateOutcome outcome, Error error) {
  return CreateAnswer{.outcome = outcome, .job = {}, .error = std::move(error)};
}

CreateOutcome OutcomeOfError(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
      return CreateOutcome::kRefused;
    case ErrorCode::kNotSent:
      return CreateOutcome::kNotSent;
    default:
      return CreateOutcome::kUnknown;
  }
}

CreateAnswer ReadCreated(const HttpResponse& answer, const CreateJobRequest& request) {
  auto job = ParseOperation(answer.body);
  if (!job) {
    return NotCreated(CreateOutcome::kUnknown, std::move(job).error());
  }
  if (!job->display_name.empty() && !request.display_name.empty() &&
      job->display_name != request.display_name) {
    return NotCreated(CreateOutcome::kUnknown,
                      Error{.code = ErrorCode::kBadAnswer,
                            .message = "the answer to a create call names another job"});
  }
  return CreateAnswer{.outcome = CreateOutcome::kCreated, .job = *std::move(job), .error = {}};
}

// A refusal is definite only when the service itself says so in its own form.
bool IsDefiniteRefusal(const HttpResponse& answer) {
  const bool refusing =
      answer.status == 400 || answer.status == 401 || answer.status == 403 || answer.status == 404;
  return refusing && ParseGoogleStatus(answer.body).has_value();
}

Result<void> Nothing(const HttpResponse&) { return {}; }

// Adds the call to an Error of a parser.
template <typename T>
Result<T> Named(Result<T> result, std::string_view call) {
  if (!result) {
    result.error().message = fmt::format("{}: {}", call, result.error().message);
  }
  return result;
}

}  // namespace

CreateAnswer Batches::Create(const CreateJobRequest& request, std::stop_token stop) const {
  if (stop.stop_requested()) {
    return NotCreated(
        CreateOutcome::kNotSent,
        Error{.code = ErrorCode::kUnfinished, .message = "stopped before a job was created"});
  }
  auto http = MakeCreateRequest(service_, request, std::move(stop));
  if (!http) {
    return NotCreated(CreateOutcome::kRefused, std::move(http).error());
  }
  auto answer = service_.Send(*http);
  if (!answer) {
    const CreateOutcome outcome = OutcomeOfError(answer.error().code);
    return NotCreated(outcome, std::move(answer).error());
  }
  if (answer->ok()) {
    return ReadCreated(*answer, request);
  }
  return NotCreated(IsDefiniteRefusal(*answer) ? CreateOutcome::kRefused : CreateOutcome::kUnknown,
                    service_.ErrorOf(*answer, *http));
}

CreateAnswer Batches::CreateEmbeddings(CreateJobRequest request, std::stop_token stop) const {
  request.task = Task::kEmbed;
  if (request.model.empty()) {
    request.model = kDefaultEmbeddingModel;
  }
  return Create(request, std::move(stop));
}

Result<BatchJob> Batches::Get(const std::string& name, std::stop_token stop) const {
  return GetWith(Repeat::kSafe, name, service_.options().request_timeout, std::move(stop));
}

Result<BatchJob> Batches::GetWith(Repeat repeat, const std::string& given_name,
                                  std::chrono::milliseconds timeout, std::stop_token stop) const {
  SLUICE_ASSIGN(const std::string name, JobName(given_name));
  HttpRequest request = service_.Request("GET", "/" + name, std::move(stop));
  request.answer_bytes_max = job_bytes_max_;
  request.timeout = timeout;
  return service_.Call<BatchJob>(
      repeat, request, [&](const HttpResponse& answer) -> Result<BatchJob> {
        SLUICE_ASSIGN(BatchJob job, Named(ParseOperation(answer.body), "GET " + name));
        if (job.name != name) {
          return Fail(ErrorCode::kBadAnswer,
                      fmt::format("GET {}: the answer is about {}", name, job.name));
        }
        return job;
      });
}

Result<JobPage> Batches::List(const ListJobsOptions& options, std::stop_token stop) const {
  std::string path = fmt::format("/batches?pageSize={}", options.page_size);
  if (!options.page_token.empty()) {
    path += "&pageToken=" + EncodeQueryValue(options.page_token);
  }
  if (!options.filter.empty()) {
    path += "&filter=" + EncodeQueryValue(options.filter);
  }
  return service_.Call<JobPage>(
      Repeat::kSafe, service_.Request("GET", path, std::move(stop)),
      [&](const HttpResponse& answer) -> Result<JobPage> {
        SLUICE_ASSIGN(JobPage page, Named(ParseOperationPage(answer.body), "GET batches"));
        SLUICE_TRY(CheckNextPage("GET batches", options.page_token, page.next_page_token));
        return page;
      });
}

PagedList<BatchJob> Batches::ListAll(const ListJobsOptions& options, std::stop_token stop) const {
  const auto fetch = [service = &service_, options, stop = std::move(stop)](
                         const std::string& page_token) -> Result<PagedList<BatchJob>::Page> {
    ListJobsOptions page_options = options;
    page_options.page_token = page_token;
    SLUICE_ASSIGN(JobPage page, Batches(*service).List(page_options, stop));
    return PagedList<BatchJob>::Page{.items = std::move(page.jobs),
                                     .next_page_token = std::move(page.next_page_token)};
  };
  return PagedList<BatchJob>(fetch, options.page_token);
}

Result<BatchJob> Batches::Wait(const std::string& name, const WaitOptions& options,
                               const std::stop_token& stop) const {
  Clock& clock = service_.clock();
  const MonotonicTime deadline = clock.Now() + options.timeout;
  Backoff backoff(service_.options().retry, std::random_device{}());
  std::string last = "never seen";
  for (int failures = 0;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock.Now());
    const auto timeout =
        std::min(std::max(left, kPollTimeoutMin), service_.options().request_timeout);
    Result<BatchJob> job = GetWith(Repeat::kOnce, name, timeout, stop);
    auto pause = options.poll_interval;
    if (job) {
      failures = 0;
      last = job->raw_state.empty() ? JobStateName(job->state) : job->raw_state;
      if (options.progress) {
        options.progress(*job);
      }
      if (job->complete()) {
        return job;
      }
    } else if (IsTransient(job.error().code)) {
      pause = backoff.Wait(++failures, job.error());
    } else {
      return job;
    }
    if (clock.Now() >= deadline) {
      return Fail(ErrorCode::kUnfinished,
                  fmt::format("{} has not ended in time; its last state: {}{}", name, last,
                              job ? "" : "; the last poll failed: " + job.error().message));
    }
    if (!clock.SleepUntil(std::min(clock.Now() + pause, deadline), stop)) {
      return Fail(ErrorCode::kUnfinished, fmt::format("stopped while waiting for {}", name));
    }
  }
}

Result<void> Batches::Cancel(const std::string& given_name, std::stop_token stop) const {
  SLUICE_ASSIGN(const std::string name, JobName(given_name));
  const auto result = service_.Call<void>(
      Repeat::kSafe,
      service_.JsonRequest("POST", fmt::format("/{}:cancel", name), "{}", std::move(stop)),
      &Nothing);
  // FAILED_PRECONDITION: there is nothing to cancel any more.
  return !result && result.error().code == ErrorCode::kConflict ? Result<void>() : result;
}

Result<void> Batches::Delete(const std::string& given_name, std::stop_token stop) const {
  SLUICE_ASSIGN(const std::string name, JobName(given_name));
  return service_.Call<void>(Repeat::kSafe, service_.Request("DELETE", "/" + name, std::move(stop)),
                             &Nothing);
}

Result<uint64_t> Batches::ForEachResponse(
    const BatchJob& job, const std::function<Result<void>(const JobResponse& response)>& take,
    std::stop_token stop) const {
  if (!job.complete()) {
    return Fail(ErrorCode::kConflict, fmt::format("{} is {} and has no responses yet", job.name,
                                                  JobStateName(job.state)));
  }
  std::string result_file = job.result_file;
  std::string inline_responses = job.inline_responses;
  if (result_file.empty() && inline_responses.empty()) {
    // A job out of a list has no inline responses, and a stale one no result file yet.
    SLUICE_ASSIGN(BatchJob whole, Get(job.name, stop));
    result_file = std::move(whole.result_file);
    inline_responses = std::move(whole.inline_responses);
  }
  JobResponseStream stream(take);
  if (!result_file.empty()) {
    const BodyWriter writer = [&](std::span<const std::byte> bytes) {
      return stream.Write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    };
    const auto restart = [&]() -> Result<void> {
      stream.Restart();
      return {};
    };
    SLUICE_TRY(
        Files(service_).Download(result_file, kResultBytesMax, writer, restart, std::move(stop)));
  } else if (!inline_responses.empty()) {
    SLUICE_TRY(ForEachInlineAnswer(inline_responses,
                                   [&](std::string_view line) { return stream.Write(line); }));
  } else {
    return Fail(ErrorCode::kNotFound,
                fmt::format("{} ({}) has no responses{}", job.name, JobStateName(job.state),
                            job.error ? ": " + PrintableText(job.error->message, 300) : ""));
  }
  SLUICE_TRY(stream.Close());
  return stream.count();
}

Result<std::vector<JobResponse>> Batches::GetResponses(const BatchJob& job,
                                                       std::stop_token stop) const {
  std::vector<JobResponse> responses;
  const auto take = [&](const JobResponse& response) -> Result<void> {
    responses.push_back(response);
    return {};
  };
  SLUICE_TRY(ForEachResponse(job, take, std::move(stop)));
  return responses;
}

}  // namespace sluice
