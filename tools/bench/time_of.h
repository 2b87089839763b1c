// How long something took.
#pragma once

#include <chrono>

#include "io/base/error.h"

namespace sluice {

// The wall time of `work`, in seconds, or its Error.
template <typename Work>
[[nodiscard]] Result<double> TimeOf(const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  SLUICE_TRY(work());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace sluice
