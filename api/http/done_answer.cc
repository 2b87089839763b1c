#include "api/http/done_answer.h"

#include <nlohmann/json.hpp>

#include "api/http/json_fields.h"
#include "io/json/json_document.h"

namespace sluice {

Result<void> CheckDone(const HttpResponse& answer, EmptyAnswer empty) {
  if (answer.body.empty() && (answer.status == 204 || empty == EmptyAnswer::kAny2xx)) {
    return {};
  }
  const auto body = ParseJson(answer.body);
  if (body.is_object() && FindMember(body, "error") == nullptr) {
    return {};
  }
  return Fail(ErrorCode::kBadAnswer, "the service does not say that it is done");
}

}  // namespace sluice
