#include "api/batches/batches_client.h"

#include <algorithm>
#include <fmt/format.h>
#include <random>

#include "api/batches/gemini_batch_api.h"
#include "api/batches/job_id.h"
#include "api/http/done_answer.h"
#include "api/http/google_error.h"

namespace sluice {
namespace {

constexpr uint64_t kCreateAnswerBytesMax = uint64_t{1} << 20;

// Far above the 2 GB of an input file; a bound, not an expectation.
constexpr uint64_t kResultBytesMax = uint64_t{64} << 30;
// The last poll of a wait gets this long even when the wait is over.
constexpr std::chrono::milliseconds kPollTimeoutMin{1'000};

Result<HttpRequest> MakeCreateRequest(const GoogleService& service, const BatchApi& api,
                                      const CreateJobRequest& request, std::stop_token stop) {
  SLUICE_ASSIGN(CreateCall call, api.MakeCreateCall(request));
  HttpRequest http = service.JsonRequest("POST", call.path, std::move(call.body), std::move(stop));
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
    case ErrorCode::kAuth:  // nobody could sign in, so nothing was sent
      return CreateOutcome::kRefused;
    case ErrorCode::kNotSent:
      return CreateOutcome::kNotSent;
    default:
      return CreateOutcome::kUnknown;
  }
}

CreateAnswer ReadCreated(const BatchApi& api, const HttpResponse& answer,
                         const CreateJobRequest& request) {
  auto job = api.ParseJob(answer.body);
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

Result<void> Done(const HttpResponse& answer) { return CheckDone(answer); }

// Adds the call to an Error of a parser.
template <typename T>
Result<T> Named(Result<T> result, std::string_view call) {
  if (!result) {
    result.error().message = fmt::format("{}: {}", call, result.error().message);
  }
  return result;
}

}  // namespace

Batches::Batches(const GoogleService& service, uint64_t job_bytes_max)
    : Batches(service, MakeGeminiBatchApi(service), job_bytes_max) {}

Result<void> Batches::Check(const CreateJobRequest& request) const {
  SLUICE_TRY(MakeCreateRequest(service_, *api_, request, {}));
  return {};
}

CreateAnswer Batches::Create(const CreateJobRequest& request, std::stop_token stop) const {
  if (stop.stop_requested()) {
    return NotCreated(
        CreateOutcome::kNotSent,
        Error{.code = ErrorCode::kUnfinished, .message = "stopped before a job was created"});
  }
  auto http = MakeCreateRequest(service_, *api_, request, std::move(stop));
  if (!http) {
    return NotCreated(CreateOutcome::kRefused, std::move(http).error());
  }
  auto answer = service_.Send(*http);
  if (!answer) {
    const CreateOutcome outcome = OutcomeOfError(answer.error().code);
    return NotCreated(outcome, std::move(answer).error());
  }
  if (answer->ok()) {
    return ReadCreated(*api_, *answer, request);
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
  SLUICE_ASSIGN(const std::string name, api_->FullName(given_name));
  HttpRequest request = service_.Request("GET", "/" + name, std::move(stop));
  request.answer_bytes_max = job_bytes_max_;
  request.timeout = timeout;
  return service_.Call<BatchJob>(
      repeat, request, [&](const HttpResponse& answer) -> Result<BatchJob> {
        SLUICE_ASSIGN(BatchJob job, Named(api_->ParseJob(answer.body), "GET " + name));
        if (JobIdOf(name) != JobIdOf(job.name)) {
          return Fail(ErrorCode::kBadAnswer,
                      fmt::format("GET {}: the answer is about {}", name, job.name));
        }
        return job;
      });
}

Result<JobPage> Batches::List(const ListJobsOptions& options, std::stop_token stop) const {
  const std::string collection = api_->ListPath();
  const std::string call = "GET" + collection.substr(collection.rfind('/')).replace(0, 1, " ");
  std::string path = fmt::format("{}?pageSize={}", collection, options.page_size);
  if (!options.page_token.empty()) {
    path += "&pageToken=" + EncodeQueryValue(options.page_token);
  }
  if (!options.filter.empty()) {
    path += "&filter=" + EncodeQueryValue(options.filter);
  }
  return service_.Call<JobPage>(
      Repeat::kSafe, service_.Request("GET", path, std::move(stop)),
      [&](const HttpResponse& answer) -> Result<JobPage> {
        SLUICE_ASSIGN(JobPage page, Named(api_->ParsePage(answer.body), call));
        SLUICE_TRY(CheckNextPage(call, options.page_token, page.next_page_token));
        return page;
      });
}

PagedList<BatchJob> Batches::ListAll(const ListJobsOptions& options, std::stop_token stop) const {
  const auto fetch = [service = &service_, api = api_, options, stop = std::move(stop)](
                         const std::string& page_token) -> Result<PagedList<BatchJob>::Page> {
    ListJobsOptions page_options = options;
    page_options.page_token = page_token;
    SLUICE_ASSIGN(JobPage page, Batches(*service, api).List(page_options, stop));
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
      if (job->complete() || job->done) {
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
  SLUICE_ASSIGN(const std::string name, api_->FullName(given_name));
  const auto result = service_.Call<void>(
      Repeat::kSafe,
      service_.JsonRequest("POST", fmt::format("/{}:cancel", name), "{}", std::move(stop)), &Done);
  // FAILED_PRECONDITION: there is nothing to cancel any more.
  return !result && result.error().code == ErrorCode::kConflict ? Result<void>() : result;
}

Result<void> Batches::Delete(const std::string& given_name, std::stop_token stop) const {
  SLUICE_ASSIGN(const std::string name, api_->FullName(given_name));
  return service_.Call<void>(Repeat::kSafe, service_.Request("DELETE", "/" + name, std::move(stop)),
                             &Done);
}

Result<uint64_t> Batches::FetchAnswers(const BatchJob& job, uint64_t bytes_max,
                                       const BodyWriter& writer,
                                       const std::function<Result<void>()>& restart,
                                       std::stop_token stop) const {
  if (job.has_results()) {
    return api_->FetchAnswers(job, bytes_max, writer, restart, std::move(stop));
  }
  // A job out of a list has no inline responses, and a stale one no result file yet.
  SLUICE_ASSIGN(const BatchJob whole, Get(job.name, stop));
  if (!whole.has_results()) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("{} ({}) has no responses{}", whole.name, JobStateName(whole.state),
                            whole.error ? ": " + PrintableText(whole.error->message, 300) : ""));
  }
  return api_->FetchAnswers(whole, bytes_max, writer, restart, std::move(stop));
}

Result<uint64_t> Batches::ForEachResponse(
    const BatchJob& job, const std::function<Result<void>(const JobResponse& response)>& take,
    std::stop_token stop) const {
  if (!job.complete() && !job.done) {
    return Fail(ErrorCode::kConflict, fmt::format("{} is {} and has no responses yet", job.name,
                                                  JobStateName(job.state)));
  }
  JobResponseStream stream(take);
  const BodyWriter writer = [&](std::span<const std::byte> bytes) {
    return stream.Write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  };
  const auto restart = [&]() -> Result<void> {
    stream.Restart();
    return {};
  };
  SLUICE_TRY(FetchAnswers(job, kResultBytesMax, writer, restart, std::move(stop)));
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
