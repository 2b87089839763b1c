#include "tools/emulator/json_member.h"

namespace sluice {

std::string SnakeCase(std::string_view camel_name) {
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

}  // namespace sluice
