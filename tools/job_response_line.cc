#include "tools/job_response_line.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>

#include "io/json/json_document.h"
#include "tools/json_line.h"

namespace sluice {
namespace {

using Json = nlohmann::ordered_json;

Json ParseOrNull(const std::string& text) {
  Json document = ParseOrderedJson(text);
  return document.is_discarded() ? Json() : document;
}

Json CountOrNull(const std::optional<int64_t>& count) { return count ? Json(*count) : Json(); }

void AddGeneration(const JobResponse& response, Json& line) {
  line["text"] = response.text;
  line["parts"] = Json::array();
  for (const std::string& part : response.parts) {
    line["parts"].push_back(ParseOrNull(part));
  }
  line["finish_reason"] = response.finish_reason;
  line["prompt_tokens"] = CountOrNull(response.usage.prompt_tokens);
  line["output_tokens"] = CountOrNull(response.usage.output_tokens);
}

// The JSON library would write each float with the digits of a double.
std::string WithVector(std::string line, const std::vector<float>& vector) {
  line.resize(line.rfind('}'));
  return line + fmt::format(",\"embedding\":[{}]}}\n", fmt::join(vector, ","));
}

}  // namespace

std::string FormatJobResponse(const JobResponse& response, const Terminal& terminal) {
  Json line = {{"key", response.key}};
  if (response.error) {
    line["error"] = {{"code", response.error->code},
                     {"message", response.error->message},
                     {"details", ParseOrNull(response.error->details)}};
  } else if (response.vector.empty()) {
    AddGeneration(response, line);
  } else {
    return WithVector(JsonLine(line, terminal), response.vector);
  }
  return JsonLine(line, terminal);
}

}  // namespace sluice
