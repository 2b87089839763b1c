// The rows of an array that are nearest to a vector, by cosine. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tools/npy_view.h"

namespace sluice {

struct NearRow {
  uint64_t row = 0;
  double cosine = 0;
};

// Best first; of equal ones the earlier row first. Rows that are not finite or all zero are
// nobody's neighbours. `left_out`: a row that is not looked at. `query` has as many numbers as the
// array has columns. Memory is bounded by `count`.
[[nodiscard]] std::vector<NearRow> FindNearestRows(const NpyView& array,
                                                   std::span<const float> query, size_t count,
                                                   std::optional<uint64_t> left_out = {});

}  // namespace sluice
