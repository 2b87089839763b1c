// AnswerSchema: the messages that the Gemini Developer API answers with, and whether a JSON text is
// one of them: no unknown field, int64 as strings, known words in enums, RFC 3339 times. Immutable.
#pragma once

#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <string>

#include "io/json/json_document.h"

namespace sluice {

class AnswerSchema {
 public:
  using OrderedJson = nlohmann::ordered_json;

  AnswerSchema() {
    std::ifstream file(SLUICE_SOURCE_DIR "/tests/support/gemini_answers.json");
    const OrderedJson document =
        ParseOrderedJson(std::string(std::istreambuf_iterator<char>(file), {}));
    messages_ = document.at("messages");
    messages_.update(document.at("not_in_the_document"));
  }

  // Where and why `text` is not a `message`; nothing when it is one.
  [[nodiscard]] std::optional<std::string> FindFault(const std::string& message,
                                                     const std::string& text) const {
    const OrderedJson json = ParseOrderedJson(text);
    return json.is_discarded() ? std::optional<std::string>("not JSON: " + text)
                               : CheckMessage(message, json, message);
  }

 private:
  using Found = std::optional<std::string>;

  Found CheckMessage(const std::string& name, const OrderedJson& json,
                     const std::string& place) const {
    if (!messages_.contains(name)) {
      return fmt::format("{}: the schema lists no message '{}'", place, name);
    }
    if (!json.is_object()) {
      return fmt::format("{}: no object", place);
    }
    for (const auto& [field, value] : json.items()) {
      const auto type = messages_.at(name).find(field);
      if (type == messages_.at(name).end()) {
        return fmt::format("{}: no field of {}: '{}'", place, name, field);
      }
      if (Found fault = CheckValue(*type, value, place + "." + field)) {
        return fault;
      }
    }
    return std::nullopt;
  }

  Found CheckValue(const OrderedJson& type, const OrderedJson& value,
                   const std::string& place) const {
    if (type.is_array()) {
      return CheckList(type.at(0), value, place);
    }
    if (type.is_object()) {
      return Expect(std::ranges::find(type.at("enum"), value) != type.at("enum").end(), type, value,
                    place);
    }
    const auto& word = type.get_ref<const std::string&>();
    if (word == "Any") {
      return CheckAny(value, place);
    }
    const bool is_message = word.front() >= 'A' && word.front() <= 'Z';
    return is_message ? CheckMessage(word, value, place)
                      : Expect(IsScalar(word, value), type, value, place);
  }

  Found CheckList(const OrderedJson& type, const OrderedJson& list,
                  const std::string& place) const {
    if (!list.is_array() || list.empty()) {
      return fmt::format("{}: no list, or one that would have been left out", place);
    }
    for (size_t i = 0; i < list.size(); ++i) {
      if (Found fault = CheckValue(type, list[i], fmt::format("{}[{}]", place, i))) {
        return fault;
      }
    }
    return std::nullopt;
  }

  // An object whose "@type" ends with the name of its message.
  Found CheckAny(OrderedJson value, const std::string& place) const {
    const std::string type = value.is_object() ? value.value("@type", "") : "";
    if (!type.starts_with("type.googleapis.com/google.")) {
      return fmt::format("{}: an Any of type '{}'", place, type);
    }
    value.erase("@type");
    return CheckMessage(type.substr(type.rfind('.') + 1), value, place);
  }

  static Found Expect(bool as_expected, const OrderedJson& type, const OrderedJson& value,
                      const std::string& place) {
    return as_expected ? std::nullopt
                       : Found(fmt::format("{}: {} is no {}", place, value.dump(), type.dump()));
  }

  static bool Matches(const OrderedJson& value, const char* pattern) {
    return value.is_string() &&
           std::regex_match(value.get_ref<const std::string&>(), std::regex(pattern));
  }

  static bool IsScalar(const std::string& type, const OrderedJson& value) {
    if (type == "int64") {  // The service leaves a zero out.
      return Matches(value, "-?[1-9][0-9]{0,18}");
    }
    if (type == "time") {
      return Matches(value,
                     "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]"
                     "(\\.([0-9]{3}|[0-9]{6}|[0-9]{9}))?Z");
    }
    if (type == "duration") {
      return Matches(value, "[0-9]+(\\.[0-9]{1,9})?s");
    }
    if (type == "bytes") {
      return Matches(value, "([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?");
    }
    if (type == "int32") {
      return value.is_number_integer() && value >= INT32_MIN && value <= INT32_MAX;
    }
    return type == "string"    ? value.is_string()
           : type == "number"  ? value.is_number()
           : type == "boolean" ? value.is_boolean()
                               : type == "object" && value.is_object();
  }

  OrderedJson messages_;
};

}  // namespace sluice
