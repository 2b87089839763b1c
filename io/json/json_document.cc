#include "io/json/json_document.h"

#include <nlohmann/json.hpp>

namespace sluice {

nlohmann::json ParseJson(std::string_view text) {
  return nlohmann::json::parse(text, nullptr, false);
}

nlohmann::ordered_json ParseOrderedJson(std::string_view text) {
  return nlohmann::ordered_json::parse(text, nullptr, false);
}

template <>
nlohmann::json ParseJsonAs(std::string_view text) {
  return ParseJson(text);
}

template <>
nlohmann::ordered_json ParseJsonAs(std::string_view text) {
  return ParseOrderedJson(text);
}

}  // namespace sluice
