// Inline responses as answer lines, so that inline and file jobs are read by the same code.
// Immutable function, thread-safe.
#pragma once

#include <functional>
#include <string_view>

#include "io/base/error.h"

namespace sluice {

// Calls `take` with one JSON line (with its LF) for each item of `inline_responses` (see BatchJob);
// the item's metadata.key, when there is one, becomes its "key". Errors: kBadAnswer, those of
// `take`.
[[nodiscard]] Result<void> ForEachInlineAnswer(
    std::string_view inline_responses,
    const std::function<Result<void>(std::string_view line)>& take);

}  // namespace sluice
