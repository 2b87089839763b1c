// The retry table: what becomes of each operation when its first request meets each fault. All in
// one process, over a transport that plays the service; what a real network makes of a fault is the
// business of curl_transport_test and of tests/faults.
#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

#include "api/batches/batches_client.h"
#include "api/files/files_client.h"
#include "api/files/sha256.h"
#include "api/http/google_service.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_key.h"

namespace sluice {
namespace {

const std::string kContent = "0123456789";
constexpr size_t kCutAt = 4;

// How the first request of the operation ends.
struct Fault {
  const char* name;
  // An answer, or an Error when there is no status.
  int status = 0;
  const char* body = "";
  ErrorCode code = ErrorCode::kTransport;
  bool cuts = false;  // some bytes of the answer come first
};

#define SLUICE_GOOGLE_ERROR(code, status) \
  "{\"error\":{\"code\":" #code ",\"status\":\"" status "\",\"message\":\"no\"}}"

// In the order of the columns below.
const std::vector<Fault> kFaults = {
    {.name = "not connected", .code = ErrorCode::kNotSent},
    {.name = "reset, closed, timed out or stalled"},
    {.name = "cut answer", .cuts = true},
    {.name = "packed answer", .code = ErrorCode::kBadAnswer},
    {.name = "200, HTML", .status = 200, .body = "<html>sign in</html>"},
    {.name = "200, empty", .status = 200},
    {.name = "200, an error", .status = 200, .body = SLUICE_GOOGLE_ERROR(503, "UNAVAILABLE")},
    {.name = "307", .status = 307},
    {.name = "400", .status = 400, .body = SLUICE_GOOGLE_ERROR(400, "INVALID_ARGUMENT")},
    {.name = "400, precondition",
     .status = 400,
     .body = SLUICE_GOOGLE_ERROR(400, "FAILED_PRECONDITION")},
    {.name = "401", .status = 401, .body = SLUICE_GOOGLE_ERROR(401, "UNAUTHENTICATED")},
    {.name = "403, a proxy's", .status = 403, .body = "<html>blocked</html>"},
    {.name = "403", .status = 403, .body = SLUICE_GOOGLE_ERROR(403, "PERMISSION_DENIED")},
    {.name = "404, a proxy's", .status = 404, .body = "<html>not found</html>"},
    {.name = "404", .status = 404, .body = SLUICE_GOOGLE_ERROR(404, "NOT_FOUND")},
    {.name = "408", .status = 408},
    {.name = "409", .status = 409, .body = SLUICE_GOOGLE_ERROR(409, "ALREADY_EXISTS")},
    {.name = "429", .status = 429, .body = SLUICE_GOOGLE_ERROR(429, "RESOURCE_EXHAUSTED")},
    {.name = "500", .status = 500, .body = SLUICE_GOOGLE_ERROR(500, "INTERNAL")},
    {.name = "502, a proxy's", .status = 502, .body = "<html>bad gateway</html>"},
    {.name = "503", .status = 503, .body = SLUICE_GOOGLE_ERROR(503, "UNAVAILABLE")},
    {.name = "504", .status = 504},
};

enum class Operation {
  kUploadStart,
  kUploadBytes,
  kUploadQuery,
  kGetFile,
  kListFiles,
  kDeleteFile,
  kDownload,
  kDownloadRest,
  kCreateEmbeddings,
  kCreateGeneration,
  kGetJob,
  kListJobs,
  kCancelJob,
  kDeleteJob,
};
using enum Operation;

// What each operation is to do, one letter for each fault:
//   r  the same request again, which succeeds
//   q  asks the upload session how far it is, and goes on
//   s  begins another session under the same name
//   a  finds the file that bears the name, which has the same content, and takes it
//   g  asks for the rest, and goes on
//   .  is done: it was done before
//   t  takes the answer for the content: whoever counts its rows finds out
//   A N C R  ends at once: no access, not found, conflict, refused
//   0  no job: nothing was sent
//   X  no job: definitely refused
//   U  unknown whether there is a job: only looking is allowed now
struct Row {
  Operation operation;
  const char* name;
  const char* expected;
};
const std::vector<Row> kRows = {
    {kUploadStart, "start an upload", "rrrrrrrrRCArArNrarrrrr"},
    {kUploadBytes, "send its bytes", "qqqqqqqqRCAqAsNqaqqqqq"},
    {kUploadQuery, "ask for its place", "rrrrrrrrRCArAsNrarrrrr"},
    {kGetFile, "get a file", "rrrrrrrrRCArArNrCrrrrr"},
    {kListFiles, "list files", "rrrrrrrrRCArArNrCrrrrr"},
    {kDeleteFile, "delete a file", "rrrrrrrrRCArArNrCrrrrr"},
    {kDownload, "download", "rrgrtttrRCArArNrCrrrrr"},
    {kDownloadRest, "download the rest", "rrrrtttrRCArArNrCrrrrr"},
    {kCreateEmbeddings, "create an embedding job", "0UUUUUUUXXXUXUXUUUUUUU"},
    {kCreateGeneration, "create a generation job", "0UUUUUUUXXXUXUXUUUUUUU"},
    {kGetJob, "get a job", "rrrrrrrrRCArArNrCrrrrr"},
    {kListJobs, "list jobs", "rrrrrrrrRCArArNrCrrrrr"},
    {kCancelJob, "cancel a job", "rrrrrrrrR.ArArNr.rrrrr"},
    {kDeleteJob, "delete a job", "rrrrrrrrRCArArNrCrrrrr"},
};

bool IsCreate(Operation operation) {
  return operation == kCreateEmbeddings || operation == kCreateGeneration;
}

std::string HeaderOf(const HttpRequest& request, std::string_view name) {
  const auto found =
      std::ranges::find(request.headers, name, [](const auto& h) { return h.first; });
  return found == request.headers.end() ? "" : found->second;
}

Operation OperationOf(const HttpRequest& request) {
  const auto has = [&](std::string_view part) {
    return request.url.find(part) != std::string::npos;
  };
  const std::string command = HeaderOf(request, "X-Goog-Upload-Command");
  if (!command.empty()) {
    return command == "start" ? kUploadStart : command == "query" ? kUploadQuery : kUploadBytes;
  }
  if (has(":download")) {
    return HeaderOf(request, "Range").empty() ? kDownload : kDownloadRest;
  }
  if (has(":asyncBatchEmbedContent") || has(":batchGenerateContent")) {
    return has("Embed") ? kCreateEmbeddings : kCreateGeneration;
  }
  if (has("/files")) {
    return request.method == "DELETE" ? kDeleteFile : has("/files/") ? kGetFile : kListFiles;
  }
  if (request.method == "DELETE") {
    return kDeleteJob;
  }
  return has(":cancel") ? kCancelJob : has("/batches/") ? kGetJob : kListJobs;
}

// The service in short. The first request of one operation meets a fault; when that operation comes
// about only after another failure, the other one fails once, too.
class FaultyService final : public Transport {
 public:
  FaultyService(Operation operation, const Fault& fault) : operation_(operation), fault_(fault) {}

  Result<HttpResponse> Send(const HttpRequest& request) override {
    const Operation operation = OperationOf(request);
    const int count = ++counts_[operation];
    // An upload that broke once goes on by connections of its own, too.
    const bool may_be_fresh =
        IsCreate(operation) || operation == kUploadBytes || operation == kUploadQuery;
    EXPECT_TRUE(request.fresh_connection || !IsCreate(operation)) << request.url;
    EXPECT_TRUE(may_be_fresh || !request.fresh_connection) << request.url;
    if (operation == operation_ && count == 1) {
      return Broken(request);
    }
    const bool leads_there =
        count == 1 && ((operation_ == kUploadQuery && operation == kUploadBytes) ||
                       (operation_ == kDownloadRest && operation == kDownload));
    if (leads_there && operation == kDownload) {
      SLUICE_TRY(Give(request, {.status = 200, .headers = {{"content-length", "10"}}},
                      kContent.substr(0, kCutAt)));
    }
    return leads_there ? Fail(ErrorCode::kTransport, "reset") : Good(operation, request);
  }

  [[nodiscard]] int count(Operation operation) const {
    const auto found = counts_.find(operation);
    return found == counts_.end() ? 0 : found->second;
  }

 private:
  // As a transport gives an answer: head, then the body to the writer of a good one.
  static Result<HttpResponse> Give(const HttpRequest& request, HttpResponse answer,
                                   std::string body) {
    if (!answer.ok() || !request.body_writer) {
      answer.body = std::move(body);
      return answer;
    }
    if (request.head_reader) {
      SLUICE_TRY(request.head_reader(answer));
    }
    SLUICE_TRY(request.body_writer(AsBytes(body)));
    return answer;
  }

  Result<HttpResponse> Broken(const HttpRequest& request) const {
    if (fault_.status != 0) {
      return Give(request, {.status = fault_.status}, fault_.body);
    }
    if (fault_.cuts && request.body_writer) {
      SLUICE_TRY(Give(request, {.status = 200, .headers = {{"content-length", "10"}}},
                      kContent.substr(0, kCutAt)));
    }
    return Fail(fault_.code, fault_.name);
  }

  static std::string FileJson() {
    return fmt::format(
        R"({{"name":"files/f","sizeBytes":"{}","state":"ACTIVE","sha256Hash":"{}"}})",
        kContent.size(), kHashOfContent);
  }

  static Result<HttpResponse> Good(Operation operation, const HttpRequest& request) {
    switch (operation) {
      case kUploadStart:
        return HttpResponse{.status = 200,
                            .headers = {{"x-goog-upload-url", "http://127.0.0.1:9/u?upload_id=1"}}};
      case kUploadBytes:
        SLUICE_TRY(ReadAll(request));
        return HttpResponse{.status = 200,
                            .headers = {{"x-goog-upload-status", "final"}},
                            .body = "{\"file\":" + FileJson() + "}"};
      case kUploadQuery:
        return HttpResponse{
            .status = 200,
            .headers = {{"x-goog-upload-status", "active"}, {"x-goog-upload-size-received", "0"}}};
      case kGetFile:
        return HttpResponse{.status = 200, .body = FileJson()};
      case kDownload:
        return Give(request, {.status = 200, .headers = {{"content-length", "10"}}}, kContent);
      case kDownloadRest:
        return Give(
            request,
            {.status = 206, .headers = {{"content-range", fmt::format("bytes {}-9/10", kCutAt)}}},
            kContent.substr(kCutAt));
      case kCreateEmbeddings:
      case kCreateGeneration:
      case kGetJob:
        return HttpResponse{
            .status = 200,
            .body = R"({"name":"batches/b","metadata":{"state":"BATCH_STATE_PENDING"}})"};
      default:
        return HttpResponse{.status = 200, .body = "{}"};
    }
  }

  static Result<void> ReadAll(const HttpRequest& request) {
    std::array<std::byte, 64> part{};
    for (size_t size = 1; size > 0;) {
      SLUICE_ASSIGN(size, request.body_reader(part));
    }
    return {};
  }

  // base64 of the SHA-256 of kContent, raw.
  static constexpr const char* kHashOfContent = "hNiYd/DUBB77a/kaFvAkjy/Vc+avBcGflr7bn4gveII=";

  const Operation operation_;
  const Fault& fault_;
  std::map<Operation, int> counts_;
};

// What happened, as a letter of the table.
class Played {
 public:
  Played(Operation operation, const Fault& fault)
      : operation_(operation), transport_(operation, fault) {
    GoogleServiceOptions options;
    options.base_url = "http://127.0.0.1:9";
    options.api_key = kTestKey;
    service_ = GoogleService::Make(std::move(options), transport_, clock_).value();
  }

  char Letter() {
    if (IsCreate(operation_)) {
      return Create();
    }
    const Result<bool> right = Call();
    const int count = transport_.count(operation_);
    if (!right.has_value()) {
      // An operation that failed was not tried again, for nothing here fails twice.
      EXPECT_EQ(count, 1);
      return LetterOf(right.error().code);
    }
    if (!*right) {
      EXPECT_EQ(count, 1);
      return 't';
    }
    return LetterOfSuccess(count);
  }

  int creates() const {
    return transport_.count(kCreateEmbeddings) + transport_.count(kCreateGeneration);
  }

 private:
  char LetterOfSuccess(int count) const {
    const bool is_upload =
        operation_ == kUploadStart || operation_ == kUploadBytes || operation_ == kUploadQuery;
    if (is_upload && transport_.count(kGetFile) > 0) {
      return 'a';
    }
    if (is_upload && operation_ != kUploadStart && transport_.count(kUploadStart) > 1) {
      return 's';
    }
    if (operation_ == kUploadBytes && transport_.count(kUploadQuery) > 0) {
      return 'q';
    }
    if (operation_ == kDownload && transport_.count(kDownloadRest) > 0) {
      return 'g';
    }
    const bool begun_anew = operation_ == kDownloadRest && transport_.count(kDownload) > 1;
    return count > 1 || begun_anew ? 'r' : '.';
  }

  static char LetterOf(ErrorCode code) {
    switch (code) {
      case ErrorCode::kAuth:
        return 'A';
      case ErrorCode::kNotFound:
        return 'N';
      case ErrorCode::kConflict:
        return 'C';
      case ErrorCode::kRefused:
        return 'R';
      default:
        return '?';
    }
  }

  char Create() {
    CreateJobRequest request{.model = "m", .staged_file = "files/f", .display_name = "a job"};
    request.task = operation_ == kCreateEmbeddings ? Task::kEmbed : Task::kGenerate;
    switch (Batches(*service_).Create(request).outcome) {
      case CreateOutcome::kCreated:
        return '.';
      case CreateOutcome::kNotSent:
        return '0';
      case CreateOutcome::kRefused:
        return 'X';
      case CreateOutcome::kUnknown:
        return 'U';
    }
    return '?';
  }

  // Whether the call brought what it should.
  Result<bool> Call() {
    Files files(*service_);
    const Batches batches(*service_);
    const auto done = [](const auto& result) -> Result<bool> {
      return result.has_value() ? Result<bool>(true) : std::unexpected(result.error());
    };
    switch (operation_) {
      case kUploadStart:
      case kUploadBytes:
      case kUploadQuery:
        return done(files.UploadBytes(kContent, {.file_id = "f"}));
      case kGetFile:
        return done(files.Get("files/f"));
      case kListFiles:
        return done(files.List());
      case kDeleteFile:
        return done(files.Delete("files/f"));
      case kDownload:
      case kDownloadRest:
        return Download(files);
      case kGetJob:
        return done(batches.Get("batches/b"));
      case kListJobs:
        return done(batches.List());
      case kCancelJob:
        return done(batches.Cancel("batches/b"));
      default:
        return done(batches.Delete("batches/b"));
    }
  }

  static Result<bool> Download(const Files& files) {
    std::string bytes;
    const auto writer = [&](std::span<const std::byte> part) -> Result<void> {
      bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
      return {};
    };
    const auto restart = [&]() -> Result<void> {
      bytes.clear();
      return {};
    };
    SLUICE_ASSIGN(const uint64_t size, files.Download("files/batch-f", 1000, writer, restart));
    EXPECT_EQ(size, bytes.size());
    return bytes == kContent;
  }

  const Operation operation_;
  ManualClock clock_;
  FaultyService transport_;
  std::unique_ptr<GoogleService> service_;
};

TEST(RetryTable, EveryOperationMeetsEveryFault) {
  int cases = 0;
  for (const Row& row : kRows) {
    std::string found;
    for (const Fault& fault : kFaults) {
      Played played(row.operation, fault);
      found += played.Letter();
      EXPECT_EQ(played.creates(), IsCreate(row.operation) ? 1 : 0)
          << row.name << ": " << fault.name;
      ++cases;
    }
    EXPECT_EQ(found, row.expected) << row.name;
  }
  EXPECT_EQ(cases, 14 * 22);
}

}  // namespace
}  // namespace sluice
