// Reading requests as proto3 JSON does: a field may be named in camelCase or in snake_case, and a
// field that nobody knows is refused. Templates, so that this header knows no JSON library.
#pragma once

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

// "fileName" -> "file_name".
[[nodiscard]] std::string SnakeCase(std::string_view camel_name);

// The member under either of its names; null when absent or JSON null.
template <typename Json>
[[nodiscard]] const Json* FindMember(const Json& object, std::string_view camel_name) {
  if (!object.is_object()) {
    return nullptr;
  }
  auto found = object.find(camel_name);
  if (found == object.end()) {
    found = object.find(SnakeCase(camel_name));
  }
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

// A member that is none of `names`, as the client wrote it.
template <typename Json>
[[nodiscard]] std::optional<std::string> UnknownMember(
    const Json& object, std::initializer_list<std::string_view> names) {
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::none_of(names, [&](std::string_view known) {
          return name == known || name == SnakeCase(known);
        })) {
      return name;
    }
  }
  return std::nullopt;
}

// The text of a string member, or nothing.
template <typename Json>
[[nodiscard]] std::string StringMember(const Json& object, std::string_view camel_name) {
  const Json* member = FindMember(object, camel_name);
  return member != nullptr && member->is_string() ? member->template get<std::string>()
                                                  : std::string();
}

// The refusal of the service's front end; `place` is the dotted path of the object, or nothing.
[[nodiscard]] std::string UnknownNameMessage(std::string_view name, std::string_view place);

}  // namespace sluice
