#include "api/http/retry.h"

#include <algorithm>

namespace sluice {

std::chrono::milliseconds Backoff::Wait(int repetition, const Error& error) {
  constexpr int kDoublingsMax = 20;  // Far above any cap, far below an overflow.
  const int doublings = std::clamp(repetition - 1, 0, kDoublingsMax);
  const auto ceiling = std::min(policy_.wait_max, policy_.first_wait * (int64_t{1} << doublings));
  std::uniform_int_distribution<int64_t> jitter(0, ceiling.count());
  const std::chrono::milliseconds wait(jitter(random_));
  const auto asked = error.retry_after.value_or(std::chrono::milliseconds(0));
  return std::max(wait, std::min<std::chrono::milliseconds>(asked, kAskedWaitMax));
}

}  // namespace sluice
