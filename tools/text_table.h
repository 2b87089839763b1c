// TextTable: rows of words in aligned columns, for people. Everything in it is shown harmlessly.
// One thread at a time.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace sluice {

class TextTable {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string heading;
    Align align = Align::kLeft;
  };

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns. An empty one is shown as "-", unless its column has no
  // heading either.
  void AddRow(std::vector<std::string> cells);
  // The headings and the rows as lines; nothing when there is no row.
  [[nodiscard]] std::string Format() const;

 private:
  [[nodiscard]] std::vector<size_t> Widths() const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// "Name    batches/x" as lines, with the names in one column; entries without a value are left out.
struct NamedValue {
  std::string name;
  std::string value;
};
[[nodiscard]] std::string FormatNamedValues(const std::vector<NamedValue>& values);

}  // namespace sluice
