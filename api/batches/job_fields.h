// What jobs of all batch APIs have alike in JSON. Templates, so that no header names the JSON
// library; for the parsers of api/batches alone.
#pragma once

#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <utility>

#include "api/batches/batch_job.h"
#include "api/http/json_fields.h"
#include "io/base/error.h"

namespace sluice {

// A google.rpc.Status in the member `error`; nothing when there is no such object.
template <typename Json>
[[nodiscard]] std::optional<JobError> ReadJobError(const Json& job) {
  const Json* error = FindMember(job, "error");
  if (error == nullptr || !error->is_object()) {
    return std::nullopt;
  }
  const Json* details = FindMember(*error, "details");
  return JobError{.code = static_cast<int>(IntegerMember(*error, "code").value_or(0)),
                  .message = TextMember(*error, "message"),
                  .details = details == nullptr
                                 ? ""
                                 : details->dump(-1, ' ', true, Json::error_handler_t::replace)};
}

template <typename Json>
void ReadJobTimes(const Json& json, BatchJob& job) {
  job.create_time = TextMember(json, "createTime");
  job.start_time = TextMember(json, "startTime");
  job.end_time = TextMember(json, "endTime");
  job.update_time = TextMember(json, "updateTime");
}

// A page of a list whose entries stand in the member `list` and are read by `read`; `what` is what
// the list is of. A list only finds jobs: an address of results that `is_address` does not hold for
// is left out. Get() is strict about what it leads to.
template <typename Json, typename Read, typename IsAddress>
[[nodiscard]] Result<JobPage> ReadJobPage(const Json& answer, const char* list,
                                          std::string_view what, const Read& read,
                                          const IsAddress& is_address) {
  const Json* entries = FindMember(answer, list);
  const bool is_list = answer.is_object() && FindMember(answer, "error") == nullptr &&
                       (entries == nullptr || entries->is_array());
  if (!is_list) {
    return Fail(ErrorCode::kBadAnswer, fmt::format("the answer is not a list of {}", what));
  }
  const Json* token = FindMember(answer, "nextPageToken");
  const Json* unreachable = FindMember(answer, "unreachable");
  if ((token != nullptr && !token->is_string() && !token->is_null()) ||
      (unreachable != nullptr && !unreachable->empty())) {
    return Fail(ErrorCode::kBadAnswer, fmt::format("the list of {} is not complete", what));
  }
  JobPage page;
  page.next_page_token = TextMember(answer, "nextPageToken");
  if (entries == nullptr) {
    return page;
  }
  for (const Json& entry : *entries) {
    SLUICE_ASSIGN(BatchJob job, read(entry));
    if (!is_address(job.result_file)) {
      job.result_file.clear();
    }
    page.jobs.push_back(std::move(job));
  }
  return page;
}

}  // namespace sluice
