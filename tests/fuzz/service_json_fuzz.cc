// Whatever a service answers, each parser of answers gives a value or an Error, and what it gives
// can be used without another look: names that fit into an address, messages that fit on a
// terminal.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/batches/inline_answers.h"
#include "api/batches/job_response.h"
#include "api/batches/operation.h"
#include "api/batches/vertex_job.h"
#include "api/batches/vertex_place.h"
#include "api/bigquery/table_name.h"
#include "api/files/remote_file.h"
#include "api/http/google_error.h"
#include "api/http/google_service.h"
#include "api/http/json_depth.h"
#include "api/storage/object_name.h"

namespace {

void Expect(bool condition) {
  if (!condition) {
    std::abort();
  }
}

void ExpectFile(const sluice::RemoteFile& file) {
  Expect(sluice::IsResourceName(file.name, "files"));
}

void ExpectJob(const sluice::BatchJob& job) {
  Expect(sluice::IsResourceName(job.name, "batches"));
  Expect(job.result_file.empty() || sluice::IsResourceName(job.result_file, "files"));
  if (!job.inline_responses.empty()) {
    // Each item is one line and says so at its end.
    static_cast<void>(sluice::ForEachInlineAnswer(
        job.inline_responses, [](std::string_view line) -> sluice::Result<void> {
          Expect(line.ends_with('\n') && std::ranges::count(line, '\n') == 1);
          return {};
        }));
  }
}

void ExpectVertexJob(const sluice::BatchJob& job) {
  Expect(sluice::IsVertexJobName(job.name));
  Expect(job.result_file.empty() || sluice::ParseTableUri(job.result_file).has_value() ||
         sluice::ParseObjectUri(job.result_file).has_value());
}

void ParseSuccess(std::string_view body) {
  if (const auto job = sluice::ParseVertexJob(body)) {
    ExpectVertexJob(*job);
  }
  if (const auto page = sluice::ParseVertexJobPage(body)) {
    std::ranges::for_each(page->jobs, ExpectVertexJob);
  }
  if (const auto job = sluice::ParseOperation(body)) {
    ExpectJob(*job);
  }
  if (const auto page = sluice::ParseOperationPage(body)) {
    std::ranges::for_each(page->jobs, ExpectJob);
  }
  if (const auto file = sluice::ParseRemoteFile(body)) {
    ExpectFile(*file);
  }
  if (const auto page = sluice::ParseFilePage(body)) {
    std::ranges::for_each(page->files, ExpectFile);
  }
}

void ParseFailure(std::string_view body) {
  for (const int status : {302, 400, 403, 429, 503}) {
    const sluice::Error error =
        sluice::ErrorOfAnswer({.status = status, .headers = {}, .body = std::string(body)},
                              {.what = "GET /x", .is_file = true, .now = sluice::WallTime{}});
    Expect(error.http_status == status && error.message.size() < 4096);
    Expect(std::ranges::all_of(error.message, [](char c) { return c >= 0x20 && c < 0x7f; }));
    Expect(!error.retry_after || error.retry_after->count() >= 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  constexpr int kDepthMax = 256;  // GoogleService gives nothing deeper to the parsers of successes.
  if (!sluice::NestsDeeperThan(body, kDepthMax)) {
    ParseSuccess(body);
  }
  ParseFailure(body);

  static sluice::JobResponseReader reader;
  const sluice::JobResponse response = reader.Read(body);
  Expect(response.ok() || response.vector.empty());
  Expect(response.json == body);
  return 0;
}
