#include "tools/emulator/json_field.h"

#include <fmt/format.h>

namespace sluice {

std::string SnakeName(std::string_view camel_name) {
  std::string snake;
  for (const char c : camel_name) {
    if (c >= 'A' && c <= 'Z') {
      snake += '_';
      snake += static_cast<char>(c - 'A' + 'a');
    } else {
      snake += c;
    }
  }
  return snake;
}

std::string UnknownNameMessage(std::string_view name, std::string_view place) {
  const std::string at = place.empty() ? std::string() : fmt::format(" at '{}'", place);
  return fmt::format("Invalid JSON payload received. Unknown name \"{}\"{}: Cannot find field.",
                     name, at);
}

bool NestsTooDeep(std::string_view json) {
  constexpr int kDepthMax = 100;
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      i += c == '\\' ? 1 : 0;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDepthMax) {
        return true;
      }
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace sluice
