// Reading requests as proto3 JSON does: a field may be named in camelCase or in snake_case, and a
// field that nobody knows is refused. Templates, so that this header knows no JSON library.
#pragma once

#include <algorithm>
#include <expected>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/json_fields.h"
#include "io/json/json_document.h"
#include "tools/emulator/google_error.h"

namespace sluice {

// The member under either of its names; null when absent or JSON null.
template <typename Json>
[[nodiscard]] const Json* FindField(const Json& object, std::string_view camel_name) {
  const Json* found = FindMember(object, camel_name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

// A member that is none of `names`, as the client wrote it.
template <typename Json>
[[nodiscard]] std::optional<std::string> UnknownField(const Json& object,
                                                      std::span<const std::string_view> names) {
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::none_of(names, [&](std::string_view known) {
          return name == known || name == SnakeCase(known);
        })) {
      return name;
    }
  }
  return std::nullopt;
}

template <typename Json>
[[nodiscard]] std::optional<std::string> UnknownField(
    const Json& object, std::initializer_list<std::string_view> names) {
  return UnknownField(object, std::span(names.begin(), names.size()));
}

// The elements of a repeated field; a single one may stand without its array, as the service has
// it.
template <typename Json>
[[nodiscard]] std::vector<const Json*> Elements(const Json& field) {
  if (!field.is_array()) {
    return {&field};
  }
  std::vector<const Json*> elements;
  for (const Json& element : field) {
    elements.push_back(&element);
  }
  return elements;
}

// The text of a string member, or nothing.
template <typename Json>
[[nodiscard]] std::string StringField(const Json& object, std::string_view camel_name) {
  const Json* member = FindField(object, camel_name);
  return member != nullptr && member->is_string() ? member->template get<std::string>()
                                                  : std::string();
}

// The refusal of the service's front end; `place` is the dotted path of the object, or nothing.
[[nodiscard]] ApiError UnknownName(std::string_view name, std::string_view place);

// Nesting beyond protobuf's recursion limit of 100; whoever walks a parsed tree relies on it.
[[nodiscard]] bool NestsTooDeep(std::string_view json);

// A body that must be one JSON object.
template <typename Json>
[[nodiscard]] std::expected<Json, ApiError> ParseMessage(std::string_view text) {
  if (!NestsTooDeep(text)) {
    Json json = ParseJsonAs<Json>(text);
    if (json.is_object()) {
      return json;
    }
  }
  return std::unexpected(InvalidArgument("Invalid JSON payload received. Unable to parse."));
}

}  // namespace sluice
