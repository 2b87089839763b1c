// Whether the escapes in a JSON string are well formed, many bytes at a time: real text is full of
// them, and a branch for each would be the dearest part of checking a record.
#pragma once

namespace sluice {

// Bytes behind `end` that may be read.
inline constexpr int kEscapeCheckPadding = 64;

// `begin` to `end` is what stands between the quotes. True when every backslash begins an escape of
// RFC 8259, section 7, and no surrogate stands alone. Immutable, thread-safe.
[[nodiscard]] bool AreEscapesValid(const char* begin, const char* end);

// The same byte by byte: the first fault and its reason.
struct EscapeFault {
  const char* at = nullptr;  // null: none
  const char* reason = nullptr;
};
[[nodiscard]] EscapeFault FindEscapeFault(const char* begin, const char* end);

// The value of four hex digits, or -1.
[[nodiscard]] int ReadHex(const char* digits);
constexpr bool IsHighSurrogate(int unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
constexpr bool IsLowSurrogate(int unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

}  // namespace sluice
