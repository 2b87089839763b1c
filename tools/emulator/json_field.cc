#include "tools/emulator/json_field.h"

#include <fmt/format.h>

#include "api/http/json_depth.h"

namespace sluice {

ApiError UnknownName(std::string_view name, std::string_view place) {
  const std::string at = place.empty() ? std::string() : fmt::format(" at '{}'", place);
  ApiError error = InvalidArgument(fmt::format(
      "Invalid JSON payload received. Unknown name \"{}\"{}: Cannot find field.", name, at));
  error.unknown_name = name;
  return error;
}

bool NestsTooDeep(std::string_view json) {
  constexpr int kDepthMax = 100;
  return NestsDeeperThan(json, kDepthMax);
}

}  // namespace sluice
