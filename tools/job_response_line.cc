#include "tools/job_response_line.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>

#include "io/json/json_document.h"
#include "tools/json_line.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson ParseOrNull(const std::string& text) {
  OrderedJson document = ParseOrderedJson(text);
  return document.is_discarded() ? OrderedJson() : document;
}

OrderedJson CountOrNull(const std::optional<int64_t>& count) {
  return count ? OrderedJson(*count) : OrderedJson();
}

void AddGeneration(const JobResponse& response, OrderedJson& line) {
  line["text"] = response.text;
  line["parts"] = OrderedJson::array();
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
  OrderedJson line = {{"key", response.key}};
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
