// The end of a JSON string, found and checked in one pass over its bytes: real text is little else
// than long strings, and every further pass over them is paid for each byte of a corpus.
#pragma once

namespace sluice {

// Bytes behind `end` that may be read.
inline constexpr int kStringEndPadding = 64;

// Whether this processor has what FindStringEnd() needs (AVX2).
[[nodiscard]] bool CanFindStringEnd();

// `begin` is behind the opening quote, `end` the end of the line. Gives the closing quote of a
// string that is well formed (RFC 8259, section 7): valid UTF-8, no raw control character, every
// escape good, no surrogate alone. Null for every other one, and now and then for a good one whose
// last 64 bytes reach over what is not: ask a slower judge then. Thread-safe.
[[nodiscard]] const char* FindStringEnd(const char* begin, const char* end);

}  // namespace sluice
