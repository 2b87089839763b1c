#include "api/batches/batches_client.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/batches/operation.h"
#include "api/http/google_error.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kCreateAnswerBytesMax = uint64_t{1} << 20;
// A job with inline results carries them twice, and 20 MB of requests can have far larger answers.
constexpr uint64_t kJobAnswerBytesMax = uint64_t{256} << 20;

Result<Json> InputConfig(const CreateJobRequest& request) {
  if (request.staged_file.empty() == request.inline_requests.empty()) {
    return Fail(ErrorCode::kUsage, "a job has one source: an uploaded file or inline requests");
  }
  if (!request.staged_file.empty()) {
    SLUICE_TRY(CheckResourceName(request.staged_file, "files"));
    // The spellings of the official SDKs: they differ between the two calls.
    return Json{{request.task == Task::kEmbed ? "file_name" : "fileName", request.staged_file}};
  }
  Json items = Json::array();
  for (const InlineRequest& item : request.inline_requests) {
    Json body = Json::parse(item.request, nullptr, false);
    if (!body.is_object()) {
      return Fail(ErrorCode::kUsage, fmt::format("inline request '{}' is not a JSON object",
                                                 PrintableText(item.key, 80)));
    }
    items.push_back({{"request", std::move(body)}, {"metadata", {{"key", item.key}}}});
  }
  return Json{{"requests", {{"requests", std::move(items)}}}};
}

Result<HttpRequest> MakeCreateRequest(const GoogleService& service, const CreateJobRequest& request,
                                      std::stop_token stop) {
  SLUICE_ASSIGN(const std::string model, ModelPath(request.model));
  SLUICE_ASSIGN(Json input, InputConfig(request));
  const Json body = {
      {"batch", {{"displayName", request.display_name}, {"inputConfig", std::move(input)}}}};
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
  if (!job->display_name.empty() && job->display_name != request.display_name) {
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

Result<BatchJob> Batches::Get(const std::string& name, std::stop_token stop) const {
  SLUICE_TRY(CheckResourceName(name, "batches"));
  HttpRequest request = service_.Request("GET", "/" + name, std::move(stop));
  request.answer_bytes_max = kJobAnswerBytesMax;
  return service_.Call<BatchJob>(
      Repeat::kSafe, request, [&](const HttpResponse& answer) -> Result<BatchJob> {
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
  return service_.Call<JobPage>(
      Repeat::kSafe, service_.Request("GET", path, std::move(stop)),
      [&](const HttpResponse& answer) -> Result<JobPage> {
        SLUICE_ASSIGN(JobPage page, Named(ParseOperationPage(answer.body), "GET batches"));
        // A token that leads to itself would be a listing without an end.
        if (!page.next_page_token.empty() && page.next_page_token == options.page_token) {
          return Fail(ErrorCode::kBadAnswer, "GET batches: the page token leads back to its page");
        }
        return page;
      });
}

Result<void> Batches::Cancel(const std::string& name, std::stop_token stop) const {
  SLUICE_TRY(CheckResourceName(name, "batches"));
  const auto result = service_.Call<void>(
      Repeat::kSafe,
      service_.JsonRequest("POST", fmt::format("/{}:cancel", name), "{}", std::move(stop)),
      &Nothing);
  // FAILED_PRECONDITION: there is nothing to cancel any more.
  return !result && result.error().code == ErrorCode::kConflict ? Result<void>() : result;
}

Result<void> Batches::Delete(const std::string& name, std::stop_token stop) const {
  SLUICE_TRY(CheckResourceName(name, "batches"));
  return service_.Call<void>(Repeat::kSafe, service_.Request("DELETE", "/" + name, std::move(stop)),
                             &Nothing);
}

}  // namespace sluice
