// Whether the escapes in a JSON string are well formed (RFC 8259, section 7), byte by byte, and
// where they are not. Immutable, thread-safe.
#pragma once

namespace sluice {

struct EscapeFault {
  const char* at = nullptr;  // null: none
  const char* reason = nullptr;
};

// `begin` to `end` is what stands between the quotes. The first backslash that begins no escape or
// half a surrogate pair.
[[nodiscard]] EscapeFault FindEscapeFault(const char* begin, const char* end);

// Checks the \u escape at `at`, or the pair of them. Gives what stands behind; `fault` is set when
// it is broken.
[[nodiscard]] const char* PassUnicodeEscape(const char* at, const char* end, EscapeFault& fault);

// The value of four hex digits, or -1.
[[nodiscard]] int ReadHex(const char* digits);
constexpr bool IsHighSurrogate(int unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
constexpr bool IsLowSurrogate(int unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

}  // namespace sluice
