// Row lines: what is kept of a row as one JSON object a line, which begins with {"row":N
// (docs/formats.md), so that the number can be read and replaced without parsing the rest.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/record/ordinal.h"

namespace sluice {

inline constexpr std::string_view kRowMember = "{\"row\":";  // what each begins with

// The number that `line` begins with; nothing for what is no row line.
[[nodiscard]] std::optional<Ordinal> RowOfLine(std::string_view line);

// `line`, which is a row line, with another number.
[[nodiscard]] std::string WithRow(std::string_view line, Ordinal row);

}  // namespace sluice
