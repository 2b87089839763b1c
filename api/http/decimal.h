// Whole numbers as headers, addresses and JSON strings carry them.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace sluice {

// The number when `text` is nothing but decimal digits (and a minus for signed types) that fit.
template <typename Integer>
[[nodiscard]] std::optional<Integer> ParseDecimal(std::string_view text) {
  Integer number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

}  // namespace sluice
