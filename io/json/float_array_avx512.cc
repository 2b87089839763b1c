#include "io/json/float_batch.h"

#if defined(__x86_64__)

#include <algorithm>
#include <cstddef>

#include "io/json/avx512.h"

// How it works: as the kernel of AVX2 does, with eight numbers a step, and with the form of a
// number found in masks (-d.ddd, one blank in front): one bit for each byte of four windows, all of
// a number's bits in a run that ends with its window. Where one of the eight does not fit,
// ConvertAvx2() takes them.
namespace sluice {
namespace {

constexpr size_t kEightNumbers = 8;
static_assert(kStepNumbers % kEightNumbers == 0);
// A number fills less than its window, so that no run of bits touches the one before. It has then
// at most 14 digits, and every such integer is an exact double.
constexpr int kNumberBytesMax = kWindowBytes - 1;

__attribute__((SLUICE_AVX512_TARGET)) void FindDelimitersAvx512(const char* line_end,
                                                                Delimiters& delimiters) {
  const __m512i comma = _mm512_set1_epi8(',');
  const __m512i bracket = _mm512_set1_epi8(']');
  alignas(64) std::array<char, kIndexBytes> all_indices;
  for (size_t i = 0; i < kIndexBytes; ++i) {
    all_indices[i] = static_cast<char>(i);
  }
  const __m512i indices = _mm512_load_si512(all_indices.data());
  const char* at = delimiters.next;
  const char** place = delimiters.places.data() + delimiters.count;
  const char** const full = delimiters.places.data() + kBatchNumbers;
  uint64_t brackets = 0;
  for (; at < line_end && place < full && brackets == 0; at += kIndexBytes) {
    const __m512i block = _mm512_loadu_si512(at);
    brackets = _mm512_cmpeq_epi8_mask(block, bracket);
    uint64_t mask = DelimitersOf(_mm512_cmpeq_epi8_mask(block, comma), brackets);
    // Eight are written always: numbers of seven bytes and more never need the loop.
    const __m128i first = _mm512_castsi512_si128(_mm512_maskz_compress_epi8(mask, indices));
    const __m512i base = _mm512_set1_epi64(reinterpret_cast<long long>(at));
    _mm512_storeu_si512(static_cast<void*>(place),
                        _mm512_add_epi64(base, _mm512_cvtepu8_epi64(first)));
    const auto found = static_cast<size_t>(_mm_popcnt_u64(mask));
    if (found > kEightNumbers) {
      mask = _pdep_u64(~uint64_t{0} << kEightNumbers, mask);
      for (size_t i = kEightNumbers; i < found; ++i) {
        place[i] = at + _tzcnt_u64(mask);
        mask = _blsr_u64(mask);
      }
    }
    place += found;
  }
  delimiters.count = static_cast<size_t>(place - delimiters.places.data());
  delimiters.next = at;
  delimiters.closed = brackets != 0;
}

// Keeps GCC 12 from making a constant anew at every step, and from moving a mask to and fro between
// two kinds of registers.
SLUICE_AVX512 __m512i Kept(__m512i constant) {
  asm("" : "+v"(constant));
  return constant;
}
SLUICE_AVX512 uint64_t Bits(__mmask64 mask) {
  uint64_t bits = mask;
  asm("" : "+r"(bits));
  return bits;
}

struct Constants {
  SLUICE_AVX512 Constants() = default;

  __m512i from_end = Kept(
      _mm512_broadcast_i32x4(_mm_setr_epi8(16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1)));
  __m512i zero = Kept(_mm512_set1_epi8('0'));
  __m512i nine = Kept(_mm512_set1_epi8(9));
  __m512i point = Kept(_mm512_set1_epi8('.'));
  __m512i blank = Kept(_mm512_set1_epi8(' '));
  __m512i minus = Kept(_mm512_set1_epi8('-'));
  __m512i one = Kept(_mm512_set1_epi64(1));
  __m512i size_max = Kept(_mm512_set1_epi64(kNumberBytesMax));
  __m512i of_even = Kept(_mm512_setzero_si512());
  __m512i of_odd = Kept(_mm512_set1_epi8(8));
  __m512i tens = Kept(_mm512_set1_epi16(0x010A));            // 10, 1
  __m512i hundreds = Kept(_mm512_set1_epi32(0x10064));       // 100, 1
  __m512i ten_thousands = Kept(_mm512_set1_epi32(0x12710));  // 10000, 1
  __m512i hundred_millions = Kept(_mm512_set1_epi64(100'000'000));
  __m512i powers =
      Kept(_mm512_castpd_si512(_mm512_setr_pd(1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)));
  __m512i more_powers = Kept(
      _mm512_castpd_si512(_mm512_setr_pd(1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15)));
  __m512i below_float = Kept(_mm512_set1_epi64((int64_t{1} << 29) - 1));
  __m512i before_middle = Kept(_mm512_set1_epi64((int64_t{1} << 28) - kNearMiddle));
  __m512i near_middle = Kept(_mm512_set1_epi64(2 * kNearMiddle));
};

// The bytes in front of four delimiters: ends[0], ends[2], ends[4] and ends[6].
SLUICE_AVX512 __m512i LoadWindows(const char* const* ends) {
  const auto window = [ends](size_t i) __attribute__((SLUICE_AVX512_TARGET, always_inline)) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(ends[i] - kWindowBytes));
  };
  const __m512i first = _mm512_inserti64x2(_mm512_castsi128_si512(window(0)), window(2), 1);
  return _mm512_inserti64x2(_mm512_inserti64x2(first, window(4), 2), window(6), 3);
}

// Four numbers taken for -d.ddd.
struct Fractions {
  __m512i digits;     // without the point, at the end of each window; zeros in front
  uint64_t minus;     // where the signs stand
  uint64_t fraction;  // where the digits behind the points stand
  uint64_t other;     // not zero: another form
};

// `sizes` holds the size of each number in every byte of its window; all are below kWindowBytes.
SLUICE_AVX512 Fractions LookAt(const Constants& is, __m512i windows, __m512i sizes) {
  const __m512i values = _mm512_sub_epi8(windows, is.zero);
  const uint64_t points = Bits(_mm512_cmpeq_epi8_mask(windows, is.point));
  const uint64_t blanks = Bits(_mm512_cmpeq_epi8_mask(windows, is.blank));
  const uint64_t signs = Bits(_mm512_cmpeq_epi8_mask(windows, is.minus));
  const uint64_t digits = Bits(_mm512_cmple_epu8_mask(values, is.nine));
  const uint64_t all = Bits(_mm512_cmple_epu8_mask(is.from_end, sizes));
  const uint64_t first = all & ~(all << 1);
  const uint64_t blank = first & blanks;
  const uint64_t start = (first ^ blank) | blank << 1;
  const uint64_t minus = start & signs;
  const uint64_t lead = (start ^ minus) | minus << 1;
  const uint64_t point = lead << 1;
  const uint64_t fraction = all & ~(blank | minus | lead | point);
  // The digit in front of the point moves to the point's place.
  const __m512i leads = _mm512_bslli_epi128(_mm512_maskz_mov_epi8(lead, values), 1);
  return {.digits = _mm512_or_si512(leads, _mm512_maskz_mov_epi8(fraction, values)),
          .minus = minus,
          .fraction = fraction,
          .other = (point & ~points) | ((lead | fraction) & ~digits)};
}

// One word for each of eight numbers, of the masks of the even and the odd ones.
SLUICE_AVX512 __m128i WordsOf(uint64_t even, uint64_t odd) {
  return _mm_unpacklo_epi16(_mm_cvtsi64_si128(static_cast<long long>(even)),
                            _mm_cvtsi64_si128(static_cast<long long>(odd)));
}

SLUICE_AVX512 __m512i ToIntegers(const Constants& is, __m512i even, __m512i odd) {
  const __m512i fours =
      _mm512_packus_epi32(_mm512_madd_epi16(_mm512_maddubs_epi16(even, is.tens), is.hundreds),
                          _mm512_madd_epi16(_mm512_maddubs_epi16(odd, is.tens), is.hundreds));
  const __m512i eights = _mm512_madd_epi16(fours, is.ten_thousands);
  return _mm512_add_epi64(_mm512_mul_epu32(eights, is.hundred_millions),
                          _mm512_srli_epi64(eights, 32));
}

// The numbers between before[i] and ends[i]. False when one of them must go another way; `out` is
// then without meaning.
SLUICE_AVX512 bool Convert(const Constants& is, __m512i before, const char* const* ends,
                           float* out) {
  const __m512i sizes = _mm512_sub_epi64(
      _mm512_sub_epi64(_mm512_loadu_si512(static_cast<const void*>(ends)), before), is.one);
  const __mmask8 too_long = _mm512_cmpgt_epu64_mask(sizes, is.size_max);
  const Fractions even = LookAt(is, LoadWindows(ends), _mm512_shuffle_epi8(sizes, is.of_even));
  const Fractions odd = LookAt(is, LoadWindows(ends + 1), _mm512_shuffle_epi8(sizes, is.of_odd));
  // At least one digit behind the point; then there is also room for what stands in front of it.
  const __m128i places = _mm_popcnt_epi16(WordsOf(even.fraction, odd.fraction));
  const __mmask8 no_fraction = _mm_testn_epi16_mask(places, places);
  const __m512d values = _mm512_mul_pd(
      _mm512_cvtepi64_pd(ToIntegers(is, even.digits, odd.digits)),
      _mm512_permutex2var_pd(_mm512_castsi512_pd(is.powers), _mm512_cvtepu16_epi64(places),
                             _mm512_castsi512_pd(is.more_powers)));
  const __m512i from_middle = _mm512_and_si512(
      _mm512_sub_epi64(_mm512_castpd_si512(values), is.before_middle), is.below_float);
  const __mmask8 doubtful = _mm512_cmple_epu64_mask(from_middle, is.near_middle);
  const __m128i minus = WordsOf(even.minus, odd.minus);
  const __m256i signs = _mm256_slli_epi32(
      _mm256_cvtepu16_epi32(_mm_maskz_set1_epi16(_mm_test_epi16_mask(minus, minus), 1)), 31);
  _mm256_storeu_ps(out, _mm256_xor_ps(_mm512_cvtpd_ps(values), _mm256_castsi256_ps(signs)));
  return (even.other | odd.other | too_long | no_fraction | doubtful) == 0;
}

// From the i-th number on, which begins at `begin`, as long as all eight of a step are common;
// gives the first number that is not done. Without a call in its loop, which would cost all
// registers.
__attribute__((SLUICE_AVX512_TARGET)) size_t ConvertCommon(const NumberBatch& batch, size_t i,
                                                           const char* begin, float* out) {
  const char* const* const ends = batch.ends;
  const size_t count = batch.count;
  if (i == count || ends[i] - batch.line < ptrdiff_t{kWindowBytes}) {
    return i;
  }
  const Constants is;
  __m512i before = _mm512_set1_epi64(reinterpret_cast<long long>(begin - 1));
  while (i + kEightNumbers <= count) {
    const __m512i all = _mm512_loadu_si512(static_cast<const void*>(ends + i));
    if (!Convert(is, _mm512_alignr_epi64(all, before, 7), ends + i, out + i)) {
      break;
    }
    before = all;
    i += kEightNumbers;
  }
  return i;
}

bool ConvertAvx512(const NumberBatch& batch, float* out, uint64_t& general_values) {
  const char* begin = batch.begin;
  for (size_t i = 0; i < batch.count;) {
    const size_t done = ConvertCommon(batch, i, begin, out);
    begin = done > i ? batch.ends[done - 1] + 1 : begin;
    const NumberBatch step = {.line = batch.line,
                              .begin = begin,
                              .ends = batch.ends + done,
                              .count = std::min(kEightNumbers, batch.count - done)};
    if (!ConvertAvx2(step, out + done, general_values)) {
      return false;
    }
    i = done + step.count;
    begin = batch.ends[i - 1] + 1;
  }
  return true;
}

constexpr BatchKernel kAvx512Kernel = {.find_delimiters = FindDelimitersAvx512,
                                       .convert = ConvertAvx512};

}  // namespace

FloatArrayRead ReadArrayAvx512(std::string_view line, size_t open, std::vector<float>& out) {
  return ReadArrayInBatches(kAvx512Kernel, line, open, out);
}

}  // namespace sluice

#endif
