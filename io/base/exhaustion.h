// Memory and threads can run out in the middle of anything. A run then ends as it does at a full
// disk: what is in the ledger stays, and the same command goes on.
#pragma once

#include <exception>
#include <fmt/format.h>
#include <new>
#include <string>
#include <string_view>
#include <system_error>

#include "io/base/error.h"

namespace sluice {

inline constexpr std::string_view kExhausted = "no memory or no threads are left";
inline constexpr std::string_view kExhaustedHint =
    "raise the limit (ulimit -a) or give a smaller --threads; the same command goes on";

// Where a C library says that it had no memory.
inline void RequireMemory(bool had_memory) {
  if (!had_memory) {
    throw std::bad_alloc();
  }
}

// An exception that arrived at a border. What is no exhaustion (kIo) is a mistake of ours
// (kInternal). Where no memory is left for its words the process ends at once (tools/main.cc): an
// exception out of here would pass the border, and what stands behind it may wait for the threads
// that stand before it.
[[nodiscard]] inline Error ErrorOf(const std::exception& exception,
                                   std::string_view where) noexcept {
  const auto* of_system = dynamic_cast<const std::system_error*>(&exception);
  const bool is_out_of_threads =
      (of_system != nullptr && of_system->code() == std::errc::resource_unavailable_try_again) ||
      std::string_view(exception.what()).starts_with("pthread_create");  // oneTBB's own words
  if (!is_out_of_threads && dynamic_cast<const std::bad_alloc*>(&exception) == nullptr) {
    return {.code = ErrorCode::kInternal,
            .message = fmt::format("{}: {}", where, exception.what()),
            .hint = ""};
  }
  return {.code = ErrorCode::kIo,
          .message = fmt::format("{}: {}", kExhausted, exception.what()),
          .hint = std::string(kExhaustedHint)};
}

// The Result that `work` gives, or what it threw instead.
template <typename Work>
[[nodiscard]] auto Caught(Work&& work, std::string_view where = "unexpected") -> decltype(work()) {
  try {
    return work();
  } catch (const std::exception& exception) {
    return std::unexpected(ErrorOf(exception, where));
  }
}

}  // namespace sluice
