// Reading cold JSON leniently, for the parsers of api/: a member that is absent or of another type
// is simply not there. Names are given in camelCase and found in snake_case too: the service
// accepts both, and its own samples show both. Templates, so that no header names the JSON library.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/decimal.h"

namespace sluice {

[[nodiscard]] inline std::string SnakeCase(std::string_view camel) {
  std::string snake;
  for (const char c : camel) {
    if (c >= 'A' && c <= 'Z') {
      snake += '_';
      snake += static_cast<char>(c - 'A' + 'a');
    } else {
      snake += c;
    }
  }
  return snake;
}

// Lives as long as `object`; nullptr when there is no such member.
template <typename Json>
[[nodiscard]] const Json* FindMember(const Json& object, std::string_view name) {
  if (!object.is_object()) {
    return nullptr;
  }
  auto found = object.find(name);
  if (found == object.end()) {
    found = object.find(SnakeCase(name));
  }
  return found == object.end() ? nullptr : &*found;
}

// The member when it is an object, else an empty one.
template <typename Json>
[[nodiscard]] const Json& ObjectMember(const Json& object, std::string_view name) {
  static const Json empty = Json::object();
  const Json* member = FindMember(object, name);
  return member != nullptr && member->is_object() ? *member : empty;
}

template <typename Json>
[[nodiscard]] std::string TextMember(const Json& object, std::string_view name) {
  const Json* member = FindMember(object, name);
  return member != nullptr && member->is_string() ? member->template get<std::string>()
                                                  : std::string();
}

// The members of an object that are text.
template <typename Json>
[[nodiscard]] std::map<std::string, std::string> TextMembers(const Json& object) {
  std::map<std::string, std::string> members;
  for (const auto& [name, value] : object.items()) {
    if (value.is_string()) {
      members[name] = value.template get<std::string>();
    }
  }
  return members;
}

// The elements of an array as floats; nothing when one is no finite number.
template <typename Json>
[[nodiscard]] std::optional<std::vector<float>> FiniteFloats(const Json& array) {
  std::vector<float> floats;
  floats.reserve(array.size());
  for (const Json& element : array) {
    const float number = element.is_number() ? element.template get<float>() : NAN;
    if (!std::isfinite(number)) {
      return std::nullopt;
    }
    floats.push_back(number);
  }
  return floats;
}

// A JSON number or, as int64 goes over the wire, a string of digits.
template <typename Json>
[[nodiscard]] std::optional<int64_t> IntegerMember(const Json& object, std::string_view name) {
  const Json* member = FindMember(object, name);
  if (member != nullptr && member->is_number_integer()) {
    return member->template get<int64_t>();
  }
  return ParseDecimal<int64_t>(TextMember(object, name));
}

}  // namespace sluice
