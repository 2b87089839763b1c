// Words: cutting and comparing them. Immutable functions, thread-safe.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace sluice {

// The candidate nearest to `word` by edit distance, when it is at most 2 and nearer than writing
// the whole word anew; else an empty view.
[[nodiscard]] std::string_view NearestWord(std::string_view word,
                                           std::span<const std::string_view> candidates);

// `text` cut at every `separator`.
[[nodiscard]] std::vector<std::string_view> SplitText(std::string_view text, char separator);

}  // namespace sluice
