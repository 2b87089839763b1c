#include "io/json/string_end.h"

#include <cstddef>
#include <cstdint>

#include "io/json/avx2.h"
#include "io/json/escape_check.h"

namespace sluice {

#if defined(__x86_64__)

namespace {

constexpr ptrdiff_t kBlockBytes = 64;
static_assert(kStringEndPadding >= kBlockBytes);

struct ByteBlock {
  __m256i low;
  __m256i high;
};

SLUICE_AVX2 uint64_t MaskOf(const ByteBlock& block) {
  return sluice::MaskOf(block.low, block.high);
}

SLUICE_AVX2 ByteBlock Equal(const ByteBlock& block, char character) {
  const __m256i wanted = _mm256_set1_epi8(character);
  return {_mm256_cmpeq_epi8(block.low, wanted), _mm256_cmpeq_epi8(block.high, wanted)};
}

// Control characters, and everything that is not ASCII: as signed bytes both are less than a blank.
SLUICE_AVX2 ByteBlock BelowBlank(const ByteBlock& block) {
  const __m256i blank = _mm256_set1_epi8(' ');
  return {_mm256_cmpgt_epi8(blank, block.low), _mm256_cmpgt_epi8(blank, block.high)};
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

SLUICE_AVX2 ByteBlock NoEscape(const ByteBlock& block) {
  return {IsNoEscape(block.low), IsNoEscape(block.high)};
}

// The bytes that a backslash escapes. `carry` says whether the first byte of the block is escaped,
// and then whether the first byte of the next one is.
inline uint64_t EscapedBytes(uint64_t backslashes, uint64_t& carry) {
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

// UTF-8 by three table look-ups a byte: Keiser and Lemire, "Validating UTF-8 In Less Than One
// Instruction Per Byte" (2020), section 6. A pair of bytes is a fault when its three rows share a
// bit; the bit of two continuations is taken back where a character of three or four bytes wants
// them.
class Utf8Check {
 public:
  SLUICE_AVX2 Utf8Check() : previous_(_mm256_setzero_si256()), faults_(_mm256_setzero_si256()) {}

  SLUICE_AVX2 void Take(const ByteBlock& block) {
    TakeHalf(block.low);
    TakeHalf(block.high);
    is_pending_ = true;
  }

  // Of ASCII only the first block can be at fault: when a character before it lacks bytes.
  SLUICE_AVX2 void TakeAscii() {
    if (is_pending_) {
      faults_ = _mm256_or_si256(faults_, Unfinished());
      is_pending_ = false;
    }
  }

  SLUICE_AVX2 bool failed() const { return _mm256_testz_si256(faults_, faults_) == 0; }

 private:
  static constexpr char kTooShort = 1 << 0;   // lead, then no continuation
  static constexpr char kTooLong = 1 << 1;    // ASCII, then a continuation
  static constexpr char kOverlong3 = 1 << 2;  // E0 80..9F
  static constexpr char kTooLarge = 1 << 3;   // F4 90..BF, F5.. and above
  static constexpr char kSurrogate = 1 << 4;  // ED A0..BF
  static constexpr char kOverlong2 = 1 << 5;  // C0, C1
  static constexpr char kTooLarge1000 = 1 << 6;
  static constexpr char kOverlong4 = 1 << 6;  // F0 80..8F
  static constexpr char kTwoConts = static_cast<char>(1 << 7);

  template <int kBytes>
  SLUICE_AVX2 static __m256i Before(__m256i now, __m256i previous) {
    return _mm256_alignr_epi8(now, _mm256_permute2x128_si256(previous, now, 0x21), 16 - kBytes);
  }

  SLUICE_AVX2 static __m256i HighHalves(__m256i bytes) {
    return _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0F));
  }

  SLUICE_AVX2 static __m256i Table(char a, char b, char c, char d, char e, char f, char g, char h,
                                   char i, char j, char k, char l, char m, char n, char o, char p) {
    return _mm256_setr_epi8(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, a, b, c, d, e, f, g, h,
                            i, j, k, l, m, n, o, p);
  }

  SLUICE_AVX2 static __m256i PairFaults(__m256i now, __m256i before) {
    constexpr char kCarry = kTooShort | kTooLong | kTwoConts;
    const __m256i first_high = _mm256_shuffle_epi8(
        Table(kTooLong, kTooLong, kTooLong, kTooLong, kTooLong, kTooLong, kTooLong, kTooLong,
              kTwoConts, kTwoConts, kTwoConts, kTwoConts, kTooShort | kOverlong2, kTooShort,
              kTooShort | kOverlong3 | kSurrogate,
              kTooShort | kTooLarge | kTooLarge1000 | kOverlong4),
        HighHalves(before));
    const __m256i first_low = _mm256_shuffle_epi8(
        Table(kCarry | kOverlong3 | kOverlong2 | kOverlong4, kCarry | kOverlong2, kCarry, kCarry,
              kCarry | kTooLarge, kCarry | kTooLarge | kTooLarge1000,
              kCarry | kTooLarge | kTooLarge1000, kCarry | kTooLarge | kTooLarge1000,
              kCarry | kTooLarge | kTooLarge1000, kCarry | kTooLarge | kTooLarge1000,
              kCarry | kTooLarge | kTooLarge1000, kCarry | kTooLarge | kTooLarge1000,
              kCarry | kTooLarge | kTooLarge1000, kCarry | kTooLarge | kTooLarge1000 | kSurrogate,
              kCarry | kTooLarge | kTooLarge1000, kCarry | kTooLarge | kTooLarge1000),
        _mm256_and_si256(before, _mm256_set1_epi8(0x0F)));
    const __m256i second_high = _mm256_shuffle_epi8(
        Table(kTooShort, kTooShort, kTooShort, kTooShort, kTooShort, kTooShort, kTooShort,
              kTooShort,
              kTooLong | kOverlong2 | kTwoConts | kOverlong3 | kTooLarge1000 | kOverlong4,
              kTooLong | kOverlong2 | kTwoConts | kOverlong3 | kTooLarge,
              kTooLong | kOverlong2 | kTwoConts | kSurrogate | kTooLarge,
              kTooLong | kOverlong2 | kTwoConts | kSurrogate | kTooLarge, kTooShort, kTooShort,
              kTooShort, kTooShort),
        HighHalves(now));
    return _mm256_and_si256(_mm256_and_si256(first_high, first_low), second_high);
  }

  SLUICE_AVX2 void TakeHalf(__m256i now) {
    const __m256i pairs = PairFaults(now, Before<1>(now, previous_));
    // 80 where a lead of three or four bytes stands two or three bytes before.
    const __m256i third = _mm256_subs_epu8(Before<2>(now, previous_),
                                           _mm256_set1_epi8(static_cast<char>(0xE0 - 0x80)));
    const __m256i fourth = _mm256_subs_epu8(Before<3>(now, previous_),
                                            _mm256_set1_epi8(static_cast<char>(0xF0 - 0x80)));
    const __m256i wanted =
        _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8(static_cast<char>(0x80)));
    faults_ = _mm256_or_si256(faults_, _mm256_xor_si256(wanted, pairs));
    previous_ = now;
  }

  // Not zero when the last three bytes begin a character that has not ended.
  SLUICE_AVX2 __m256i Unfinished() const {
    constexpr auto kMax = static_cast<char>(0xFF);
    const __m256i largest = _mm256_setr_epi8(
        kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax,
        kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax,
        static_cast<char>(0xF0 - 1), static_cast<char>(0xE0 - 1), static_cast<char>(0xC0 - 1));
    return _mm256_subs_epu8(previous_, largest);
  }

  __m256i previous_;  // the last 32 bytes taken that were not all ASCII
  __m256i faults_;
  bool is_pending_ = false;  // the block before was not all ASCII
};

__attribute__((target("avx2,bmi"))) const char* FindStringEndAvx2(const char* begin,
                                                                  const char* end) {
  Utf8Check utf8;
  uint64_t carry = 0;
  const char* passed = begin;
  for (const char* at = begin; at < end; at += kBlockBytes) {
    const ByteBlock block = {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)),
                             _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + 32))};
    const uint64_t backslashes = MaskOf(Equal(block, '\\'));
    const uint64_t all_quotes = MaskOf(Equal(block, '"'));
    const uint64_t below_blank = MaskOf(BelowBlank(block));
    const uint64_t good_escapes = all_quotes | MaskOf(Equal(block, 'n'));
    // Most blocks are ASCII whose escapes, if any, are line feeds and quotes.
    const uint64_t behind = backslashes << 1 | carry;
    if ((below_blank | (all_quotes & ~behind) | (behind & ~good_escapes)) == 0) {
      carry = backslashes >> 63;
      utf8.TakeAscii();
      continue;
    }
    const uint64_t not_ascii = MaskOf(block);
    if (not_ascii == 0) {
      utf8.TakeAscii();
    } else {
      utf8.Take(block);
    }
    const uint64_t escaped = EscapedBytes(backslashes, carry);
    const uint64_t quotes = all_quotes & ~escaped;
    const uint64_t inside = _blsmsk_u64(quotes) & ~quotes;  // all 64 when there is no quote
    if ((below_blank & ~not_ascii & inside) != 0) {
      return nullptr;
    }
    const uint64_t rare = escaped & inside & ~good_escapes;
    if (rare != 0 && ((rare & MaskOf(NoEscape(block))) != 0 ||
                      !PassUnicodeEscapes(rare & MaskOf(Equal(block, 'u')), at, end, passed))) {
      return nullptr;
    }
    if (quotes != 0) {
      const char* const close = at + __builtin_ctzll(quotes);
      return close < end && !utf8.failed() ? close : nullptr;
    }
  }
  return nullptr;
}

}  // namespace

bool CanFindStringEnd() {
  static const bool can = HasAvx2();
  return can;
}

const char* FindStringEnd(const char* begin, const char* end) {
  return FindStringEndAvx2(begin, end);
}

#else

bool CanFindStringEnd() { return false; }

const char* FindStringEnd(const char* /*begin*/, const char* /*end*/) { return nullptr; }

#endif

}  // namespace sluice
