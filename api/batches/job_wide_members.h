// What is said once for all requests of a job, and put into each of them, because the service knows
// no such thing. Templates, so that no header names the JSON library.
#pragma once

#include <string>
#include <utility>

#include "api/http/json_fields.h"
#include "api/protocol/line_protocol.h"
#include "io/base/error.h"
#include "io/json/json_document.h"

namespace sluice {

// The members by name; see CreateJobRequest for the two texts. Errors: kUsage.
template <typename Json>
[[nodiscard]] Result<Json> JobWideMembers(Task task, const std::string& generation_config,
                                          const std::string& system_instruction) {
  if (task == Task::kEmbed && !system_instruction.empty()) {
    return Fail(ErrorCode::kUsage, "embedding requests have no system instruction");
  }
  Json members = Json::object();
  if (!generation_config.empty()) {
    Json config = ParseJsonAs<Json>(generation_config);
    if (!config.is_object()) {
      return Fail(ErrorCode::kUsage, "the generation config is not a JSON object");
    }
    if (task == Task::kEmbed) {
      members = std::move(config);
    } else {
      members["generationConfig"] = std::move(config);
    }
  }
  if (!system_instruction.empty()) {
    Json content = ParseJsonAs<Json>(system_instruction);
    members["systemInstruction"] = content.is_object()
                                       ? std::move(content)
                                       : Json{{"parts", {{{"text", system_instruction}}}}};
  }
  return members;
}

// Adds the members that `object` lacks, in either spelling. Of the generation config, member by
// member.
template <typename Json>
void AddMissing(const Json& members, Json& object) {
  for (const auto& [name, value] : members.items()) {
    const Json* own = FindMember(object, name);
    if (own == nullptr) {
      object[name] = value;
    } else if (name == "generationConfig" && own->is_object()) {
      Json merged = *own;
      AddMissing(value, merged);
      object[object.contains(name) ? name : SnakeCase(name)] = std::move(merged);
    }
  }
}

}  // namespace sluice
