#include "api/files/resumable_upload.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/files/upload_body.h"
#include "api/http/decimal.h"
#include "api/http/google_error.h"
#include "api/http/idle_tries.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr int kSessionsMax = 4;
constexpr int kIdleTriesMax = 5;

}  // namespace

std::string ResumableUpload::Label() const {
  return fmt::format("upload of files/{}", request_.file_id.empty() ? "(new)" : request_.file_id);
}

Result<UploadEnd> ResumableUpload::Run() {
  if (source_.size == 0) {
    return Fail(ErrorCode::kInput, Label() + ": an empty file cannot be uploaded");
  }
  SLUICE_ASSIGN(std::optional<std::string> answer, GoOn());
  for (int session = 1; !answer && session <= kSessionsMax; ++session) {
    SLUICE_ASSIGN(const std::string url, Start());
    SLUICE_ASSIGN(answer, SendThrough(url, false));
  }
  if (!answer) {
    return Fail(ErrorCode::kTransport,
                fmt::format("{}: {} upload sessions were lost", Label(), kSessionsMax));
  }
  SLUICE_ASSIGN(std::string sha256, HashOfSource());
  return UploadEnd{.answer = *std::move(answer), .sha256 = std::move(sha256)};
}

Result<std::optional<std::string>> ResumableUpload::GoOn() {
  const auto kept = request_.session_file ? request_.session_file->Load() : std::nullopt;
  if (!kept || kept->mime_type != request_.mime_type ||
      !service_.CheckSession(kept->url, Label())) {
    return std::nullopt;
  }
  auto answer = SendThrough(kept->url, true);
  const bool refused =
      !answer && answer.error().http_status != 0 &&
      (!IsTransient(answer.error().code) || answer.error().code == ErrorCode::kBadAnswer);
  // What is wrong with an old session need not be wrong with a new one.
  return refused ? Result<std::optional<std::string>>(std::nullopt) : answer;
}

Result<std::string> ResumableUpload::Start() {
  Json file = {{"mimeType", request_.mime_type}, {"sizeBytes", std::to_string(source_.size)}};
  if (!request_.file_id.empty()) {
    file["name"] = "files/" + request_.file_id;
  }
  if (!request_.display_name.empty()) {
    file["displayName"] = request_.display_name;
  }
  HttpRequest request = service_.JsonRequest(
      "POST", "/files",
      Json{{"file", std::move(file)}}.dump(-1, ' ', false, Json::error_handler_t::replace), stop_,
      "/upload");
  request.label = Label();
  request.headers.insert(request.headers.end(),
                         {{"X-Goog-Upload-Protocol", "resumable"},
                          {"X-Goog-Upload-Command", "start"},
                          {"X-Goog-Upload-Header-Content-Length", std::to_string(source_.size)},
                          {"X-Goog-Upload-Header-Content-Type", request_.mime_type}});
  return service_.Call<std::string>(
      Repeat::kSafe, request, [&](const HttpResponse& answer) -> Result<std::string> {
        const auto url = answer.Header("x-goog-upload-url");
        if (!url) {
          return Fail(ErrorCode::kBadAnswer, Label() + ": the service named no upload address");
        }
        SLUICE_TRY(service_.CheckSession(*url, Label()));
        if (request_.session_file) {
          SLUICE_TRY(request_.session_file->Save(
              {.url = std::string(*url), .mime_type = request_.mime_type}));
        }
        return std::string(*url);
      });
}

HttpRequest ResumableUpload::SessionRequest(const std::string& url, const char* command) const {
  HttpRequest request = service_.SessionRequest("POST", url, Label(), stop_);
  // A service, or what stands before it, may close each connection behind its answer without a
  // word, and a body cannot be sent twice.
  request.fresh_connection = was_broken_;
  request.headers = {{"X-Goog-Upload-Command", command}};
  return request;
}

Result<std::optional<std::string>> ResumableUpload::SendThrough(const std::string& url,
                                                                bool begun) {
  uint64_t offset = 0;
  int idle = 0;
  IdleTries idle_tries(service_.clock());
  while (true) {
    idle_tries.Begin();
    Standing standing{.kind = Standing::kActive, .answer = {}};
    if (!begun) {
      SLUICE_ASSIGN(standing, SendFrom(url, offset));
    }
    begun = false;
    const std::optional<Error> broken = standing.error;
    was_broken_ = was_broken_ || broken.has_value();
    if (standing.kind == Standing::kUnclear || standing.kind == Standing::kActive) {
      if (broken) {
        const auto wait = backoff_.Wait(idle + 1, *broken);
        if (!service_.clock().SleepUntil(service_.clock().Now() + wait, stop_)) {
          return Fail(ErrorCode::kUnfinished, Label() + ": stopped");
        }
      }
      SLUICE_ASSIGN(standing, Query(url));
    }
    if (standing.kind == Standing::kFinal) {
      return std::move(standing.answer);
    }
    if (standing.kind == Standing::kGone) {
      return std::nullopt;
    }
    offset = standing.received;
    idle = idle_tries.End(offset);
    if (idle > kIdleTriesMax) {
      return std::unexpected(broken.value_or(
          Error{.code = ErrorCode::kTransport, .message = Label() + ": makes no progress"}));
    }
  }
}

Result<ResumableUpload::Standing> ResumableUpload::SendFrom(const std::string& url,
                                                            uint64_t offset) {
  const bool all_received = offset == source_.size;
  HttpRequest request = SessionRequest(url, all_received ? "finalize" : "upload, finalize");
  std::optional<UploadBody> body;
  if (!all_received) {
    SLUICE_ASSIGN(body, UploadBody::Open(source_, offset));
    request.body_size = source_.size - offset;
    request.body_reader = [&](std::span<std::byte> buffer) -> Result<size_t> {
      SLUICE_ASSIGN(const size_t size, body->Read(buffer));
      if (request_.progress) {
        request_.progress(body->position());
      }
      return size;
    };
    request.timeout = std::chrono::milliseconds(0);  // Any size; a stall still ends it.
  }
  request.headers.emplace_back("X-Goog-Upload-Offset", std::to_string(offset));
  auto answer = service_.Send(request);
  if (body && body->digest()) {
    sha256_ = *body->digest();
  }
  if (!answer) {
    if (!IsTransient(answer.error().code)) {
      return std::unexpected(std::move(answer).error());
    }
    return Standing{.kind = Standing::kUnclear, .answer = {}, .error = std::move(answer).error()};
  }
  return ReadStanding(*answer, request);
}

Result<ResumableUpload::Standing> ResumableUpload::Query(const std::string& url) {
  const HttpRequest request = SessionRequest(url, "query");
  const auto ask = [&]() -> Result<Standing> {
    SLUICE_ASSIGN(const HttpResponse answer, service_.Send(request));
    SLUICE_ASSIGN(Standing standing, ReadStanding(answer, request));
    if (standing.kind == Standing::kUnclear) {
      return std::unexpected(*standing.error);
    }
    const auto received =
        ParseDecimal<uint64_t>(answer.Header("x-goog-upload-size-received").value_or(""));
    if (standing.kind == Standing::kActive && (!received || *received > source_.size)) {
      return Fail(ErrorCode::kBadAnswer,
                  Label() + ": the service does not say how many bytes it has");
    }
    standing.received = received.value_or(0);
    return standing;
  };
  return CallWithRetry<Standing>(Repeat::kSafe, service_.options().retry, service_.clock(), stop_,
                                 ask);
}

Result<ResumableUpload::Standing> ResumableUpload::ReadStanding(const HttpResponse& answer,
                                                                const HttpRequest& request) const {
  const std::string_view status = answer.Header("x-goog-upload-status").value_or("");
  if (answer.ok() && status == "final") {
    return Standing{.kind = Standing::kFinal, .answer = answer.body};
  }
  if (answer.ok() && status == "active") {
    return Standing{.kind = Standing::kActive, .answer = {}};
  }
  Error error = service_.ErrorOf(answer, request);
  if (answer.ok()) {
    // The SDKs take a missing status for "send it again"; asking is cheaper.
    error.code = ErrorCode::kBadAnswer;
    error.message = Label() + ": an answer without an upload status";
  }
  // The file service refuses in its own form (a bad MIME type or name, a taken name); what the
  // upload server says of offsets and sessions is plain text: also that the upload is closed, when
  // a network has sent the last bytes twice.
  const bool of_the_file = ParseGoogleStatus(answer.body).has_value();
  if (of_the_file && !IsTransient(error.code)) {
    return std::unexpected(std::move(error));
  }
  if (status == "cancelled" || answer.status == 404 || answer.status == 410) {
    return Standing{.kind = Standing::kGone, .answer = {}};
  }
  if (answer.status == 401 || answer.status == 413) {
    return std::unexpected(std::move(error));
  }
  if (!IsTransient(error.code)) {
    error.code = ErrorCode::kTransport;  // Out of step with the session: ask, then go on.
  }
  return Standing{.kind = Standing::kUnclear, .answer = {}, .error = std::move(error)};
}

Result<std::string> ResumableUpload::HashOfSource() {
  if (sha256_.empty()) {  // The final answer came before any sending of ours read to the end.
    SLUICE_ASSIGN(const UploadBody body, UploadBody::Open(source_, source_.size));
    sha256_ = body.digest().value_or("");
  }
  return sha256_;
}

}  // namespace sluice
