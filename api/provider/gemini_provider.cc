// The Gemini Developer API (AI Studio keys) as a Provider. Its calls are those of Batches and
// Files.
#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <nlohmann/json.hpp>

#include "api/batches/batches_client.h"
#include "api/files/files_client.h"
#include "api/http/cut_out.h"
#include "api/http/google_service.h"
#include "api/http/json_fields.h"
#include "api/provider/provider.h"
#include "api/provider/providers.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

// The configured type first, then what the service has been seen to accept instead.
Result<std::vector<float>> ReadEmbedding(const HttpResponse& answer, int dimension) {
  const auto bad = [](std::string_view reason) {
    return Fail(ErrorCode::kBadAnswer, fmt::format("embedContent: {}", reason));
  };
  const Json body = ParseJson(answer.body);
  const Json* values = FindMember(ObjectMember(body, "embedding"), "values");
  if (values == nullptr || !values->is_array() || values->empty()) {
    return bad("the answer holds no vector");
  }
  if (dimension > 0 && values->size() != static_cast<size_t>(dimension)) {
    return bad(fmt::format("the vector has {} values of {}", values->size(), dimension));
  }
  auto vector = FiniteFloats(*values);
  if (!vector) {
    return bad("the vector holds something that is not a finite number");
  }
  return *std::move(vector);
}

// A bound for the answers of a job: far above what its rows can need, far below what would keep a
// run busy for hours with a body that never ends. A vector of 3,072 floats takes 80 KB, a text of
// 65,536 tokens half a megabyte; and one row may be absurd.
uint64_t BytesOfRowsMax(const BatchJob& job) {
  constexpr uint64_t kAnyRowBytesMax = uint64_t{64} << 20;
  constexpr uint64_t kRowBytesMax = uint64_t{1} << 20;
  constexpr int64_t kRowsMax = int64_t{1} << 40;
  const int64_t rows = job.stats ? job.stats->total_count : 0;
  return rows <= 0 || rows > kRowsMax
             ? std::numeric_limits<uint64_t>::max()
             : kAnyRowBytesMax + static_cast<uint64_t>(rows) * kRowBytesMax;
}

class GeminiProvider final : public Provider {
 public:
  GeminiProvider(const ProviderOptions& options, std::unique_ptr<GoogleService> service)
      : traits_(GeminiTraits(options.task, options.model)),
        service_(std::move(service)),
        batches_(*service_, kAnswerBytesMax),
        files_(*service_),
        answer_bytes_max_(options.answer_bytes_max) {}

  const ProviderTraits& traits() const override { return traits_; }

  std::string account_fingerprint() const override { return service_->AccountFingerprint(); }
  void CutSecretsOut(std::string& text) const override {
    CutOut(text, service_->options().api_key);
  }

  Result<std::string> Stage(const StageSource& source, const std::string& file_id,
                            const ByteProgress& progress, std::stop_token stop) override {
    const UploadOptions options{.file_id = file_id, .display_name = file_id, .progress = progress};
    SLUICE_ASSIGN(UploadedFile uploaded, files_.Upload(source, options, stop));
    if (uploaded.file.state != FileState::kActive) {
      SLUICE_ASSIGN(uploaded.file, files_.WaitActive(uploaded.file.name, stop));
      SLUICE_TRY(CheckStored(uploaded.file, source.size, uploaded.sha256));
    }
    return uploaded.file.name;
  }

  CreateAnswer CreateJob(const CreateJobRequest& request, std::stop_token stop) override {
    return batches_.Create(request, stop);
  }
  Result<BatchJob> GetJob(const std::string& name, std::stop_token stop) override {
    return batches_.Get(name, stop);
  }
  Result<JobPage> ListJobs(const std::string& page_token, std::stop_token stop) override {
    return batches_.List({.page_token = page_token}, stop);
  }
  Result<void> CancelJob(const std::string& name, std::stop_token stop) override {
    return batches_.Cancel(name, stop);
  }
  Result<void> DeleteJob(const std::string& name, std::stop_token stop) override {
    return batches_.Delete(name, stop);
  }
  Result<void> DeleteFile(const std::string& name, std::stop_token stop) override {
    const auto deleted = files_.Delete(name, stop);
    const bool gone = !deleted && deleted.error().code == ErrorCode::kNotFound;
    return gone ? Result<void>() : deleted;
  }

  Result<uint64_t> FetchAnswers(const BatchJob& job, const BodyWriter& writer,
                                const std::function<Result<void>()>& restart,
                                std::stop_token stop) override {
    const uint64_t bytes_max = std::min(answer_bytes_max_, BytesOfRowsMax(job));
    return Batches(*service_).FetchAnswers(job, bytes_max, writer, restart, std::move(stop));
  }

  Result<std::vector<float>> EmbedText(const std::string& model, const std::string& text,
                                       int dimension, std::stop_token stop) override {
    SLUICE_ASSIGN(const std::string path, ModelPath(model));
    Json body = {{"content", {{"parts", {{{"text", text}}}}}}};
    if (dimension > 0) {
      body["outputDimensionality"] = dimension;
    }
    return service_->Call<std::vector<float>>(
        Repeat::kSafe,
        service_->JsonRequest("POST", fmt::format("/{}:embedContent", path),
                              body.dump(-1, ' ', false, Json::error_handler_t::replace), stop),
        [&](const HttpResponse& answer) { return ReadEmbedding(answer, dimension); });
  }

 private:
  const ProviderTraits traits_;
  const std::unique_ptr<GoogleService> service_;
  const Batches batches_;
  Files files_;
  const uint64_t answer_bytes_max_;
};

}  // namespace

ProviderTraits GeminiTraits(Task /*task*/, std::string_view /*model*/) {
  ProviderTraits traits;
  traits.name = "gemini";
  // "2 GB" for an input file (ai.google.dev/gemini-api/docs/batch-api, 2026-09-18); whether that is
  // 2e9 or 2^31 is not said.
  traits.shard_bytes_max = 1'900'000'000;
  traits.shard_rows_max = 0;  // No limit is documented (2026-11).
  // "Concurrent batch requests: 100" (ai.google.dev/gemini-api/docs/rate-limits, 2026-05-19).
  traits.jobs_in_flight_max = 100;
  // The lag of the list is not documented. Another service answered 404 five seconds after a create
  // and had the job at ten; jobs take minutes to hours, so that waiting costs nothing.
  traits.settle = std::chrono::seconds(120);
  // Google's samples poll every 30 s (batch-api guide, 2026-09-18).
  traits.poll_first = std::chrono::seconds(30);
  traits.poll_max = std::chrono::seconds(300);
  return traits;
}

Result<std::unique_ptr<Provider>> MakeGeminiProvider(const ProviderOptions& options,
                                                     Transport& transport, Clock& clock) {
  GoogleServiceOptions service_options;
  if (!options.base_url.empty()) {
    service_options.base_url = options.base_url;
  }
  if (!options.api_version.empty()) {
    service_options.api_version = options.api_version;
  }
  service_options.api_key = options.api_key;
  service_options.request_timeout = options.request_timeout;
  service_options.stall_timeout = options.stall_timeout;
  service_options.retry = options.retry;
  SLUICE_ASSIGN(auto service, GoogleService::Make(std::move(service_options), transport, clock));
  return std::make_unique<GeminiProvider>(options, std::move(service));
}

}  // namespace sluice
