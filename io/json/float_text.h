// One JSON number to float32, correctly rounded: the nearest float, ties to even, whatever the text
// looks like. Pure, thread-safe.
#pragma once

namespace sluice {

struct FloatRead {
  const char* end = nullptr;  // behind the number; null: no JSON number stands here
  float value = 0;            // infinite when no float is so large
};

// Reads the number that begins at `begin`; touches no byte at or behind `end`.
[[nodiscard]] FloatRead ReadFloat(const char* begin, const char* end);

}  // namespace sluice
