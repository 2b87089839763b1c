#include "io/record/row_line.h"

#include <charconv>
#include <fmt/format.h>

namespace sluice {

std::optional<Ordinal> RowOfLine(std::string_view line) {
  if (!line.starts_with(kRowMember)) {
    return std::nullopt;
  }
  Ordinal row = 0;
  const auto read =
      std::from_chars(line.data() + kRowMember.size(), line.data() + line.size(), row);
  return read.ec == std::errc{} ? std::optional(row) : std::nullopt;
}

std::string WithRow(std::string_view line, Ordinal row) {
  const size_t digits_end = line.find_first_not_of("0123456789", kRowMember.size());
  return fmt::format("{}{}{}", kRowMember, row, line.substr(digits_end));
}

}  // namespace sluice
