// What tells a job from the others of its service, for comparing.
#pragma once

#include <string_view>

namespace sluice {

// The whole name, but of Vertex AI's what follows the project: the service may write a project's
// id in one answer and its number in another, and one account's jobs are compared. Views into
// `name`.
[[nodiscard]] inline std::string_view JobIdOf(std::string_view name) {
  const size_t location = name.find("/locations/");
  return location == std::string_view::npos ? name : name.substr(location);
}

}  // namespace sluice
