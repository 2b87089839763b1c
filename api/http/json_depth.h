// Whether JSON nests too deeply to be parsed by a reader that recurses. A pure function.
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice {

// Counts brackets outside of strings; `json` need not be valid.
[[nodiscard]] inline bool NestsDeeperThan(std::string_view json, int depth_max) {
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
      if (++depth > depth_max) {
        return true;
      }
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace sluice
