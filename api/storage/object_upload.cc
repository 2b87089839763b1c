#include "api/storage/object_upload.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/http/decimal.h"
#include "api/http/google_error.h"
#include "api/http/idle_tries.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr int kSessionsMax = 4;
constexpr int kIdleTriesMax = 5;
constexpr int kResumeIncomplete = 308;
constexpr uint64_t kGranularity = 256 << 10;

// "bytes=0-N": N + 1; 0 without the header, which means that nothing is stored.
std::optional<uint64_t> ReceivedBytes(const HttpResponse& answer) {
  constexpr std::string_view kFromStart = "bytes=0-";
  const auto header = answer.Header("range");
  if (!header) {
    return 0;
  }
  const auto last = header->starts_with(kFromStart)
                        ? ParseDecimal<uint64_t>(header->substr(kFromStart.size()))
                        : std::nullopt;
  return last && *last < UINT64_MAX ? std::optional(*last + 1) : std::nullopt;
}

}  // namespace

std::string ObjectUpload::Label() const {
  return "upload of " + PrintableText(FormatObjectUri(name_), 300);
}

Result<RemoteObject> ObjectUpload::Run() {
  if (options_.chunk_bytes == 0 || options_.chunk_bytes % kGranularity != 0) {
    return Fail(ErrorCode::kUsage, "a chunk of an upload must be a multiple of 256 KiB");
  }
  for (int session = 1; session <= kSessionsMax; ++session) {
    SLUICE_ASSIGN(const std::string url, Start());
    SLUICE_ASSIGN(std::optional<RemoteObject> object, SendThrough(url));
    if (object) {
      return *std::move(object);
    }
  }
  return Fail(ErrorCode::kTransport,
              fmt::format("{}: {} upload sessions were lost", Label(), kSessionsMax));
}

Result<std::string> ObjectUpload::Start() {
  std::string path = fmt::format("/b/{}/o?uploadType=resumable&name={}", name_.bucket,
                                 EncodeQueryValue(name_.object));
  path += options_.overwrite ? "" : "&ifGenerationMatch=0";
  Json resource = {{"contentType", options_.content_type}};
  if (!options_.metadata.empty()) {
    resource["metadata"] = options_.metadata;
  }
  HttpRequest request = service_.JsonRequest(
      "POST", path, resource.dump(-1, ' ', false, Json::error_handler_t::replace), stop_,
      "/upload/storage");
  request.label = Label();
  request.headers.insert(request.headers.end(),
                         {{"X-Upload-Content-Type", options_.content_type},
                          {"X-Upload-Content-Length", std::to_string(source_.size)}});
  return service_.Call<std::string>(
      Repeat::kSafe, request, [&](const HttpResponse& answer) -> Result<std::string> {
        const auto url = answer.Header("location");
        if (!url) {
          return Fail(ErrorCode::kBadAnswer, Label() + ": the service named no upload address");
        }
        SLUICE_TRY(service_.CheckSession(*url, Label()));
        return std::string(*url);
      });
}

HttpRequest ObjectUpload::SessionRequest(const std::string& url, std::string content_range) const {
  HttpRequest request = service_.SessionRequest("PUT", url, Label(), stop_);
  request.headers = {{"Content-Range", std::move(content_range)}};
  return request;
}

Result<std::optional<RemoteObject>> ObjectUpload::SendThrough(const std::string& url) {
  uint64_t offset = 0;
  int idle = 0;
  IdleTries idle_tries(service_.clock());
  while (true) {
    idle_tries.Begin();
    SLUICE_ASSIGN(Standing standing, SendChunk(url, offset));
    const std::optional<Error> broken = standing.error;
    if (broken) {
      SLUICE_ASSIGN(standing, AskAfter(url, *broken, idle));
    }
    if (standing.kind == Standing::kStored) {
      return std::move(standing.object);
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

// A source is read on where it stands, and from its start only when the service has fewer bytes.
Result<void> ObjectUpload::OpenBodyAt(uint64_t offset) {
  if (body_ && body_->position() == offset) {
    return {};
  }
  SLUICE_ASSIGN(body_, HashedBody<Crc32cSum>::Open(source_, offset));
  return {};
}

Result<ObjectUpload::Standing> ObjectUpload::SendChunk(const std::string& url, uint64_t offset) {
  const uint64_t size = std::min(options_.chunk_bytes, source_.size - offset);
  if (size == 0 && offset > 0) {
    return Ask(url);  // With all bytes there, the question ends the upload.
  }
  SLUICE_TRY(OpenBodyAt(offset));
  HttpRequest request = SessionRequest(
      url, size == 0 ? fmt::format("bytes */{}", source_.size)
                     : fmt::format("bytes {}-{}/{}", offset, offset + size - 1, source_.size));
  request.body_size = size;
  if (size > 0) {
    request.timeout = std::chrono::milliseconds(0);  // Any size; a stall still ends it.
    request.body_reader = [&, end = offset + size](std::span<std::byte> buffer) -> Result<size_t> {
      const uint64_t left = end - body_->position();
      SLUICE_ASSIGN(
          const size_t count,
          body_->Read(buffer.first(static_cast<size_t>(std::min<uint64_t>(left, buffer.size())))));
      if (options_.progress) {
        options_.progress(body_->position());
      }
      return count;
    };
  }
  const auto answer = service_.Send(request);
  crc32c_ = body_->digest().value_or(crc32c_);
  return ReadStanding(answer, request);
}

Result<ObjectUpload::Standing> ObjectUpload::Ask(const std::string& url) {
  const HttpRequest request = SessionRequest(url, fmt::format("bytes */{}", source_.size));
  return CallWithRetry<Standing>(
      Repeat::kSafe, service_.options().retry, service_.clock(), stop_, [&]() -> Result<Standing> {
        SLUICE_ASSIGN(Standing standing, ReadStanding(service_.Send(request), request));
        if (standing.error) {
          return std::unexpected(*std::move(standing.error));
        }
        return standing;
      });
}

Result<ObjectUpload::Standing> ObjectUpload::AskAfter(const std::string& url, const Error& error,
                                                      int idle) {
  const auto wait = backoff_.Wait(idle + 1, error);
  if (!service_.clock().SleepUntil(service_.clock().Now() + wait, stop_)) {
    return Fail(ErrorCode::kUnfinished, Label() + ": stopped");
  }
  return Ask(url);
}

Result<ObjectUpload::Standing> ObjectUpload::ReadStanding(const Result<HttpResponse>& answer,
                                                          const HttpRequest& request) const {
  if (!answer) {
    if (!IsTransient(answer.error().code)) {
      return std::unexpected(answer.error());
    }
    return Standing{.kind = Standing::kUnclear, .error = answer.error()};
  }
  if (answer->ok()) {
    SLUICE_ASSIGN(RemoteObject object, ParseRemoteObject(answer->body));
    return Standing{.kind = Standing::kStored, .object = std::move(object)};
  }
  if (answer->status == kResumeIncomplete) {
    const auto received = ReceivedBytes(*answer);
    if (!received || *received > source_.size) {
      return Fail(ErrorCode::kBadAnswer,
                  Label() + ": the service does not say how many bytes it has");
    }
    return Standing{.kind = Standing::kIncomplete, .received = *received};
  }
  if (answer->status == 404 || answer->status == 410) {
    return Standing{.kind = Standing::kGone};
  }
  Error error = service_.ErrorOf(*answer, request);
  // Whoever says it: who is told that the object is there looks at it, and asks the service then.
  error.code = answer->status == 412 ? ErrorCode::kConflict : error.code;
  // A chunk is out of step with the session (400, 416), or its token has ended (401): the session
  // is asked, with a new token. When it says the same of the question, that is the answer.
  const bool carries_bytes = request.body_reader != nullptr;
  const bool may_go_on = answer->status == 400 || answer->status == 401 || answer->status == 416;
  if (!IsTransient(error.code) && !(carries_bytes && may_go_on)) {
    return std::unexpected(std::move(error));
  }
  return Standing{.kind = Standing::kUnclear, .error = std::move(error)};
}

Result<std::string> ObjectUpload::Crc32cOfSource() {
  if (crc32c_.empty()) {
    SLUICE_ASSIGN(const auto body, HashedBody<Crc32cSum>::Open(source_, source_.size));
    crc32c_ = body.digest().value_or("");
  }
  return crc32c_;
}

}  // namespace sluice
