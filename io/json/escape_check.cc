#include "io/json/escape_check.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sluice {
namespace {

constexpr ptrdiff_t kUnicodeEscapeSize = 6;  // \uXXXX

// What may follow a backslash, but for 'u'.
constexpr std::array<bool, 256> kEndsEscape = [] {
  std::array<bool, 256> escapes{};
  for (const char kind : {'"', '\\', '/', 'b', 'f', 'n', 'r', 't'}) {
    escapes[static_cast<unsigned char>(kind)] = true;
  }
  return escapes;
}();

// The value of a hex digit, or -1.
constexpr std::array<int8_t, 256> kHexDigits = [] {
  std::array<int8_t, 256> digits{};
  digits.fill(-1);
  for (int8_t i = 0; i < 10; ++i) {
    digits[static_cast<size_t>('0' + i)] = i;
  }
  for (int8_t i = 0; i < 6; ++i) {
    digits[static_cast<size_t>('a' + i)] = static_cast<int8_t>(10 + i);
    digits[static_cast<size_t>('A' + i)] = static_cast<int8_t>(10 + i);
  }
  return digits;
}();

}  // namespace

int ReadHex(const char* digits) {
  int value = 0;
  int all = 0;
  for (int i = 0; i < 4; ++i) {
    // NOLINTNEXTLINE(bugprone-signed-char-misuse): -1 is no digit
    const int digit = kHexDigits[static_cast<unsigned char>(digits[i])];
    value = value * 16 + digit;
    all |= digit;
  }
  return all < 0 ? -1 : value;
}

const char* PassUnicodeEscape(const char* at, const char* end, EscapeFault& fault) {
  const int unit = end - at >= kUnicodeEscapeSize ? ReadHex(at + 2) : -1;
  if (unit < 0) {
    fault = {.at = at, .reason = "string has a broken \\u escape"};
    return end;
  }
  if (!IsHighSurrogate(unit) && !IsLowSurrogate(unit)) {
    return at + kUnicodeEscapeSize;
  }
  const char* const low = at + kUnicodeEscapeSize;
  if (IsHighSurrogate(unit) && end - low >= kUnicodeEscapeSize && low[0] == '\\' && low[1] == 'u' &&
      IsLowSurrogate(ReadHex(low + 2))) {
    return low + kUnicodeEscapeSize;
  }
  fault = {.at = at, .reason = "string has a lone surrogate escape"};
  return end;
}

EscapeFault FindEscapeFault(const char* begin, const char* end) {
  EscapeFault fault;
  for (const char* at = begin; at < end && fault.at == nullptr;) {
    at = static_cast<const char*>(std::memchr(at, '\\', static_cast<size_t>(end - at)));
    if (at == nullptr) {
      break;
    }
    const char kind = at + 1 < end ? at[1] : '\0';
    if (kind == 'u') {
      at = PassUnicodeEscape(at, end, fault);
    } else if (kEndsEscape[static_cast<unsigned char>(kind)]) {
      at += 2;
    } else {
      fault = {.at = at, .reason = "string has an unknown escape"};
    }
  }
  return fault;
}

}  // namespace sluice
