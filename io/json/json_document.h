// Small JSON documents as trees of nlohmann::json: settings, manifests, what services answer. Text
// is parsed here and nowhere else, so that the parser, which is one large template, is compiled
// once. Corpus lines and result rows do not come this way: record_scanner.h and float_array.h.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace sluice {

// What is no JSON is_discarded(): it has no members, and asking for one with at() throws as any
// member that is not there does.
[[nodiscard]] nlohmann::json ParseJson(std::string_view text);
// Keeps members in the order of the text.
[[nodiscard]] nlohmann::ordered_json ParseOrderedJson(std::string_view text);
// Either, for templates.
template <typename Json>
[[nodiscard]] Json ParseJsonAs(std::string_view text);
template <>
[[nodiscard]] nlohmann::json ParseJsonAs(std::string_view text);
template <>
[[nodiscard]] nlohmann::ordered_json ParseJsonAs(std::string_view text);

}  // namespace sluice
