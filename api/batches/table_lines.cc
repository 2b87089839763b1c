#include "api/batches/table_lines.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/http/json_depth.h"
#include "io/json/json_text.h"

namespace sluice {
namespace {

constexpr std::string_view kJsonColumns[] = {"request", "response", "predictions"};
constexpr int kCellDepthMax = 256;

bool HoldsJson(const TableColumn& column, const std::string& cell) {
  const bool named = column.type == "JSON" ||
                     std::ranges::find(kJsonColumns, column.name) != std::end(kJsonColumns);
  return named && !NestsDeeperThan(cell, kCellDepthMax) && nlohmann::json::accept(cell);
}

}  // namespace

void AppendTableLine(const TableRow& row, std::string& out) {
  char before = '{';
  for (const TableCell& cell : row) {
    if (!cell.value.has_value()) {
      continue;
    }
    out += before;
    before = ',';
    AppendJsonString(out, cell.column->name);
    out += ':';
    if (HoldsJson(*cell.column, *cell.value)) {
      // A line end between two members would cut the line.
      const size_t start = out.size();
      out += *cell.value;
      std::replace(out.begin() + static_cast<ptrdiff_t>(start), out.end(), '\n', ' ');
    } else {
      AppendJsonString(out, *cell.value);
    }
  }
  out += before == '{' ? "{}\n" : "}\n";
}

}  // namespace sluice
