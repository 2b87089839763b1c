// Appending JSON text: the small writer for hot lines. Immutable functions, thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

// Appends `text` as a JSON string token with quotes. Non-ASCII goes out raw; control characters,
// quote and backslash are escaped. `text` must be valid UTF-8.
void AppendJsonString(std::string& out, std::string_view text);
[[nodiscard]] std::string JsonString(std::string_view text);

// Offset of the first byte that is not valid UTF-8, or nothing when all is valid.
[[nodiscard]] std::optional<size_t> FindInvalidUtf8(std::string_view text);

}  // namespace sluice
