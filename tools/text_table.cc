#include "tools/text_table.h"

#include <algorithm>
#include <utility>

#include "io/base/error.h"
#include "tools/terminal.h"

namespace sluice {
namespace {

constexpr size_t kGap = 2;

std::string Pad(std::string_view text, size_t width) {
  return std::string(width - std::min(width, CountCharacters(text)), ' ');
}

void EndLine(std::string& text) {
  text.erase(text.find_last_not_of(' ') + 1);
  text += '\n';
}

}  // namespace

void TextTable::AddRow(std::vector<std::string> cells) {
  SLUICE_CHECK(cells.size() == columns_.size(), "a row that does not fit its table");
  for (size_t i = 0; i < cells.size(); ++i) {
    const bool shows_dash = cells[i].empty() && !columns_[i].heading.empty();
    cells[i] = shows_dash ? "-" : EscapeControls(cells[i]);
  }
  rows_.push_back(std::move(cells));
}

std::vector<size_t> TextTable::Widths() const {
  std::vector<size_t> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    size_t width = CountCharacters(columns_[i].heading);
    for (const auto& row : rows_) {
      width = std::max(width, CountCharacters(row[i]));
    }
    widths.push_back(width);
  }
  return widths;
}

std::string TextTable::Format() const {
  if (rows_.empty()) {
    return "";
  }
  const std::vector<size_t> widths = Widths();
  std::string text;
  const auto append = [&](size_t column, const std::string& cell) {
    const std::string padding = Pad(cell, widths[column]);
    text += columns_[column].align == Align::kRight ? padding + cell : cell + padding;
    text += std::string(kGap, ' ');
  };
  for (size_t i = 0; i < columns_.size(); ++i) {
    append(i, columns_[i].heading);
  }
  EndLine(text);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      append(i, row[i]);
    }
    EndLine(text);
  }
  return text;
}

std::string FormatNamedValues(const std::vector<NamedValue>& values) {
  size_t width = 0;
  for (const NamedValue& value : values) {
    width = value.value.empty() ? width : std::max(width, CountCharacters(value.name));
  }
  std::string text;
  for (const NamedValue& value : values) {
    if (!value.value.empty()) {
      text += value.name + Pad(value.name, width + kGap) + EscapeControls(value.value) + '\n';
    }
  }
  return text;
}

}  // namespace sluice
