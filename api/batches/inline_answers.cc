#include "api/batches/inline_answers.h"

#include <nlohmann/json.hpp>

#include "api/http/json_fields.h"
#include "io/json/json_document.h"

namespace sluice {

using Json = nlohmann::json;

Result<void> ForEachInlineAnswer(std::string_view inline_responses,
                                 const std::function<Result<void>(std::string_view line)>& take) {
  Json items = ParseJson(inline_responses);
  if (!items.is_array()) {
    return Fail(ErrorCode::kBadAnswer, "the inline responses of the job are not a list");
  }
  for (Json& item : items) {
    if (!item.is_object()) {
      return Fail(ErrorCode::kBadAnswer, "an inline response is not an object");
    }
    const Json* key = FindMember(ObjectMember(item, "metadata"), "key");
    if (key != nullptr && FindMember(item, "key") == nullptr) {
      Json lifted = *key;
      item["key"] = std::move(lifted);
    }
    SLUICE_TRY(take(item.dump() + '\n'));
  }
  return {};
}

}  // namespace sluice
