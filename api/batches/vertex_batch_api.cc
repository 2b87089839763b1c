#include "api/batches/vertex_batch_api.h"

#include <fmt/format.h>

#include "api/batches/vertex_job.h"
#include "api/http/google_error.h"
#include "api/http/google_service.h"

namespace sluice {
namespace {

class VertexBatchApi final : public BatchApi {
 public:
  VertexBatchApi(VertexPlace place, const VertexAnswers& answers)
      : place_(std::move(place)), answers_(answers) {}

  std::string ListPath() const override {
    return fmt::format("/{}/{}", place_.parent(), kVertexJobs);
  }

  // A name that the service gave stays as it is: it may hold the project's number.
  Result<std::string> FullName(const std::string& name) const override {
    if (name.starts_with("projects/") && IsVertexJobName(name)) {
      return name;
    }
    const std::string relative =
        name.find('/') == std::string::npos ? fmt::format("{}/{}", kVertexJobs, name) : name;
    if (!IsResourceName(relative, kVertexJobs)) {
      return Fail(ErrorCode::kUsage,
                  fmt::format("'{}' is not a name like {}/{}/123", PrintableText(name, 200),
                              place_.parent(), kVertexJobs));
    }
    return fmt::format("{}/{}", place_.parent(), relative);
  }

  Result<CreateCall> MakeCreateCall(const CreateJobRequest& request) const override {
    SLUICE_ASSIGN(std::string body, VertexCreateBody(request));
    return CreateCall{.path = ListPath(), .body = std::move(body)};
  }

  Result<BatchJob> ParseJob(std::string_view json) const override { return ParseVertexJob(json); }
  Result<JobPage> ParsePage(std::string_view json) const override {
    return ParseVertexJobPage(json);
  }

  Result<uint64_t> FetchAnswers(const BatchJob& job, uint64_t bytes_max, const BodyWriter& writer,
                                const std::function<Result<void>()>& restart,
                                std::stop_token stop) const override {
    return answers_.Fetch(job.result_file, bytes_max, writer, restart, std::move(stop));
  }

 private:
  const VertexPlace place_;
  const VertexAnswers& answers_;
};

}  // namespace

Result<std::shared_ptr<const BatchApi>> MakeVertexBatchApi(VertexPlace place,
                                                           const VertexAnswers& answers) {
  SLUICE_TRY(CheckVertexPlace(place));
  return std::make_shared<VertexBatchApi>(std::move(place), answers);
}

}  // namespace sluice
