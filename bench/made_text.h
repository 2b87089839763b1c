// Made-up JSON lines for the benchmarks, the same in every run. Immutable functions.
#pragma once

#include <cstddef>
#include <string>

namespace sluice {

// About 1 MiB of records: words with the lengths, escapes and other scripts of a mixed text corpus
// (4 % backslashes, 9 % non-ASCII).
[[nodiscard]] std::string MadeTextLines(size_t line_bytes);

// About 1 MiB of answers with 768 values each.
[[nodiscard]] std::string MadeAnswerLines();

}  // namespace sluice
