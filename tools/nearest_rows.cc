#include "tools/nearest_rows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <queue>

#include "io/base/error.h"

namespace sluice {
namespace {

// Several sums side by side, so that the compiler may use wide registers without changing the
// meaning of one long sum.
constexpr size_t kLanes = 8;

double DotProduct(std::span<const float> a, std::span<const float> b) {
  std::array<float, kLanes> lanes{};
  size_t i = 0;
  for (; i + kLanes <= a.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      lanes[lane] += a[i + lane] * b[i + lane];
    }
  }
  double sum = 0;
  for (; i < a.size(); ++i) {
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  for (const float lane : lanes) {
    sum += static_cast<double>(lane);
  }
  return sum;
}

bool IsNearer(const NearRow& a, const NearRow& b) {
  return a.cosine != b.cosine ? a.cosine > b.cosine : a.row < b.row;
}

}  // namespace

std::vector<NearRow> FindNearestRows(const NpyView& array, std::span<const float> query,
                                     size_t count, std::optional<uint64_t> left_out) {
  SLUICE_CHECK(query.size() == array.columns(), "a query of another length");
  const double query_length = std::sqrt(DotProduct(query, query));
  // The farthest of the best stands on top, to be replaced first.
  std::priority_queue<NearRow, std::vector<NearRow>, decltype(&IsNearer)> best(&IsNearer);
  for (uint64_t row = 0; row < array.rows(); ++row) {
    const std::span<const float> vector = array.Row(row);
    const double length = std::sqrt(DotProduct(vector, vector)) * query_length;
    const NearRow candidate{.row = row, .cosine = DotProduct(vector, query) / length};
    if (!std::isfinite(candidate.cosine) || row == left_out || count == 0) {
      continue;
    }
    if (best.size() == count && IsNearer(candidate, best.top())) {
      best.pop();
    }
    if (best.size() < count) {
      best.push(candidate);
    }
  }
  std::vector<NearRow> rows;
  for (rows.reserve(best.size()); !best.empty(); best.pop()) {
    rows.push_back(best.top());
  }
  std::ranges::reverse(rows);
  return rows;
}

}  // namespace sluice
