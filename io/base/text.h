// Bytes seen as text, and the classes of ASCII characters, whatever the locale. Pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace sluice {

[[nodiscard]] inline std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[nodiscard]] inline bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Whether nothing stands in a line, which is given without its LF; it may end in CR.
[[nodiscard]] inline bool IsBlankLine(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace sluice
