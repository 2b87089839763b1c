// Decimal numbers to float32, correctly rounded: the text that a service prints for a float gives
// exactly that float again. Immutable functions, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// Replaces `out` with the numbers of a JSON array such as "[1, -2.5e-3]". `json` must have been
// accepted by a RecordScanner. Gives why it is not an array of finite numbers, or nothing.
[[nodiscard]] std::optional<std::string> ParseFloatArray(std::string_view json,
                                                         std::vector<float>& out);

}  // namespace sluice
