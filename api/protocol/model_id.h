// The part of a model's name that says which model it is. Models are compared by it, because a
// service takes several paths to one model and names it by others than it was given. Immutable
// function, thread-safe.
#pragma once

#include <string_view>

namespace sluice {

// What stands behind the last slash ("models/...", "publishers/google/models/..."), without a
// version ("@default"). Views `model`.
[[nodiscard]] constexpr std::string_view ModelIdOf(std::string_view model) {
  model.remove_prefix(model.rfind('/') + 1);  // npos + 1 is 0
  return model.substr(0, model.find('@'));
}

}  // namespace sluice
