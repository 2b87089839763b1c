// Counting lines, fast: it is done in the serial part of the reader. Immutable, thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

[[nodiscard]] uint64_t CountLineFeeds(std::string_view text);

}  // namespace sluice
