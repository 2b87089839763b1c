#include "io/json/escape_check.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "io/json/avx2.h"

namespace sluice {
namespace {

constexpr ptrdiff_t kUnicodeEscapeSize = 6;  // \uXXXX

// What may follow a backslash, but for 'u'.
constexpr std::array<bool, 256> kEscapes = [] {
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

// Checks the \u escape at `at`, or the pair of them. Gives what stands behind; `fault` is set when
// it is broken.
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

#if defined(__x86_64__)

constexpr ptrdiff_t kBlockBytes = 64;

struct ByteBlock {
  __m256i low;
  __m256i high;
};

SLUICE_AVX2 uint64_t MaskOfEqual(const ByteBlock& block, char character) {
  const __m256i wanted = _mm256_set1_epi8(character);
  return MaskOf(_mm256_cmpeq_epi8(block.low, wanted), _mm256_cmpeq_epi8(block.high, wanted));
}

// Bytes that may not follow a backslash. Each that may is one bit in the row of its low half and
// one in the row of its high half; only the right pairs share one.
SLUICE_AVX2 __m256i IsNoEscape(__m256i bytes) {
  constexpr char k2 = 1, k5 = 2, k6 = 4,
                 k7 = 8;  // the high halves: "/ in 2, \ in 5, bfn in 6, rtu in 7
  const __m256i by_low =
      _mm256_setr_epi8(0, 0, k2 | k6 | k7, 0, k7, k7, k6, 0, 0, 0, 0, 0, k5, 0, k6, k2, 0, 0,
                       k2 | k6 | k7, 0, k7, k7, k6, 0, 0, 0, 0, 0, k5, 0, k6, k2);
  const __m256i by_high = _mm256_setr_epi8(0, 0, k2, 0, 0, k5, k6, k7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                           k2, 0, 0, k5, k6, k7, 0, 0, 0, 0, 0, 0, 0, 0);
  const __m256i half = _mm256_set1_epi8(0x0F);
  const __m256i low = _mm256_shuffle_epi8(by_low, _mm256_and_si256(bytes, half));
  const __m256i high =
      _mm256_shuffle_epi8(by_high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half));
  return _mm256_cmpeq_epi8(_mm256_and_si256(low, high), _mm256_setzero_si256());
}

// The bytes that a backslash escapes. `carry` says whether the first byte of the block is escaped,
// and then whether the first byte of the next one is.
uint64_t EscapedBytes(uint64_t backslashes, uint64_t& carry) {
  const uint64_t carried = carry;
  if ((backslashes & (backslashes << 1 | carried)) == 0) {
    carry = backslashes >> 63;
    return backslashes << 1 | carried;
  }
  // In a run of backslashes every second one is escaped itself.
  uint64_t escaped = carried;
  carry = 0;
  for (uint64_t rest = backslashes & ~carried; rest != 0;) {
    const int place = __builtin_ctzll(rest);
    carry = static_cast<uint64_t>(place == 63);
    escaped |= uint64_t{2} << place;
    rest &= ~(uint64_t{3} << place);
  }
  return escaped;
}

// The \u escapes of one block, given the places of their 'u'. What was passed with an earlier one
// (a low surrogate) lies before `passed`.
bool PassUnicodeEscapes(uint64_t places, const char* block, const char* end, const char*& passed) {
  EscapeFault fault;
  for (; places != 0; places &= places - 1) {
    const char* const backslash = block + __builtin_ctzll(places) - 1;
    if (backslash >= passed) {
      passed = PassUnicodeEscape(backslash, end, fault);
    }
  }
  return fault.at == nullptr;
}

__attribute__((target("avx2,bmi"))) bool AreEscapesValidAvx2(const char* begin, const char* end) {
  uint64_t carry = 0;
  const char* passed = begin;
  for (const char* at = begin; at < end; at += kBlockBytes) {
    const ByteBlock block = {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)),
                             _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + 32))};
    const uint64_t inside = end - at < kBlockBytes ? (uint64_t{1} << (end - at)) - 1 : ~uint64_t{0};
    const uint64_t backslashes = MaskOfEqual(block, '\\') & inside;
    if ((backslashes | carry) == 0) {
      continue;
    }
    const uint64_t escaped = EscapedBytes(backslashes, carry);
    const uint64_t others = MaskOf(IsNoEscape(block.low), IsNoEscape(block.high)) | ~inside;
    if ((escaped & others) != 0 ||
        !PassUnicodeEscapes(escaped & MaskOfEqual(block, 'u'), at, end, passed)) {
      return false;
    }
  }
  return carry == 0;
}

#endif

}  // namespace

int ReadHex(const char* digits) {
  int value = 0;
  int all = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = kHexDigits[static_cast<unsigned char>(digits[i])];
    value = value * 16 + digit;
    all |= digit;
  }
  return all < 0 ? -1 : value;
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
    } else if (kEscapes[static_cast<unsigned char>(kind)]) {
      at += 2;
    } else {
      fault = {.at = at, .reason = "string has an unknown escape"};
    }
  }
  return fault;
}

bool AreEscapesValid(const char* begin, const char* end) {
#if defined(__x86_64__)
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
  if (has_avx2) {
    return AreEscapesValidAvx2(begin, end);
  }
#endif
  return FindEscapeFault(begin, end).at == nullptr;
}

}  // namespace sluice
