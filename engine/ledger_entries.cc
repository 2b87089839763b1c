#include "engine/ledger_entries.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "api/http/decimal.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

bool HasTypes(const Json& object, std::initializer_list<std::string_view> texts,
              std::initializer_list<std::string_view> numbers) {
  return object.is_object() &&
         std::ranges::all_of(texts,
                             [&](auto name) { return object.value(name, Json()).is_string(); }) &&
         std::ranges::all_of(
             numbers, [&](auto name) { return object.value(name, Json()).is_number_unsigned(); });
}

// Every setting but these is text.
bool IsSetting(std::string_view name, const Json& value) {
  constexpr std::array<std::string_view, 7> kNumbers = {
      kDimensionSetting,   kLineBytesSetting,        kShardRowsSetting, kShardBytesSetting,
      kShardTokensSetting, kShardAnswerBytesSetting, kCompressSetting};
  constexpr std::array<std::string_view, 3> kFlags = {kNormalizeSetting, kKeepAnswersSetting,
                                                      kKeepRemoteSetting};
  if (std::ranges::find(kNumbers, name) != kNumbers.end()) {
    return value.is_number_unsigned();
  }
  return std::ranges::find(kFlags, name) != kFlags.end() ? value.is_boolean() : value.is_string();
}

bool AreSettings(const Json& json) {
  if (!json.is_object()) {
    return false;
  }
  for (const auto& [name, value] : json.items()) {
    if (!IsSetting(name, value)) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool IsReadableEntry(std::string_view key, const std::string& value) {
  if (key == kDimensionKey) {
    return ParseDecimal<int>(value).has_value();
  }
  const Json json = ParseJson(value);
  if (key == kSettingsKey || key == kHowKey) {
    return AreSettings(json);
  }
  if (key == kFilesKey) {
    return json.is_array() && std::ranges::all_of(json, [](const Json& file) {
             return HasTypes(file, {"name"}, {"size"}) &&
                    file.value("mtime_ns", Json()).is_number_integer();
           });
  }
  return key != kOutputsKey ||
         (json.is_array() && std::ranges::all_of(json, [](const Json& output) {
            return HasTypes(output, {"path"}, {"bytes", "rows"});
          }));
}

}  // namespace sluice
