#include "io/json/float_batch.h"

#if defined(__x86_64__)

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "io/json/avx2.h"

// How it works: one pass writes down where the commas are; then every number is loaded so that it
// *ends* at the end of a register, which leaves no loop over digits. Four numbers make one step:
// digits to integers by multiply-add, integers to doubles, those times a power of ten, one
// conversion to float. What does not look like d.ddd, or has too many digits, or might be rounded
// wrongly (see kNearMiddle), is given to ReadElement().
namespace sluice {
namespace {

constexpr size_t kFourNumbers = 4;  // numbers converted together
static_assert(kStepNumbers % kFourNumbers == 0);
constexpr size_t kFractionMax = kWindowBytes;  // digits behind the point that fit into a window

constexpr std::array<int64_t, kFractionMax + 1> kPowers = [] {
  std::array<int64_t, kFractionMax + 1> powers{1};
  for (size_t i = 1; i < powers.size(); ++i) {
    powers[i] = 10 * powers[i - 1];
  }
  return powers;
}();
constexpr std::array<double, kFractionMax + 1> kInversePowers = {
    1e0,  1e-1,  1e-2,  1e-3,  1e-4,  1e-5,  1e-6,  1e-7, 1e-8,
    1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16};

// Loaded at [n], it keeps the last n bytes of a window.
constexpr std::array<uint8_t, 2 * kWindowBytes> kKeepLast = [] {
  std::array<uint8_t, 2 * kWindowBytes> mask{};
  std::fill(mask.begin() + kWindowBytes, mask.end(), uint8_t{0xFF});
  return mask;
}();

// The sign bits of four floats, by the four bits that tell which are negative.
alignas(16) constexpr std::array<std::array<uint32_t, kFourNumbers>, 1 << kFourNumbers> kSigns =
    [] {
      std::array<std::array<uint32_t, kFourNumbers>, 1 << kFourNumbers> signs{};
      for (size_t bits = 0; bits < signs.size(); ++bits) {
        for (size_t i = 0; i < kFourNumbers; ++i) {
          signs[bits][i] = (bits >> i & 1) != 0 ? 0x80000000 : 0;
        }
      }
      return signs;
    }();

// One number taken for -d.ddd; whether it has this form is seen in the members together.
struct Fraction {
  const char* end = nullptr;   // its delimiter
  size_t digits_less_one = 0;  // behind the point; above 15 (or wrapped): another form
  uint32_t lead = 0;           // the digit before the point; above 9: another form
  uint32_t negative = 0;
};

__attribute__((target("avx2,bmi"))) void FindDelimitersAvx2(const char* line_end,
                                                            Delimiters& delimiters) {
  const __m256i comma = _mm256_set1_epi8(',');
  const __m256i bracket = _mm256_set1_epi8(']');
  const char* at = delimiters.next;
  const char** place = delimiters.places.data() + delimiters.count;
  const char** const full = delimiters.places.data() + kBatchNumbers;
  uint64_t brackets = 0;
  for (; at < line_end && place < full && brackets == 0; at += kIndexBytes) {
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + 32));
    brackets = MaskOf(_mm256_cmpeq_epi8(low, bracket), _mm256_cmpeq_epi8(high, bracket));
    uint64_t mask = DelimitersOf(
        MaskOf(_mm256_cmpeq_epi8(low, comma), _mm256_cmpeq_epi8(high, comma)), brackets);
    const auto found = static_cast<size_t>(__builtin_popcountll(mask));
    // Six are written always: numbers of ten bytes and more seldom need the loop.
    for (size_t i = 0; i < 6; ++i) {
      place[i] = at + _tzcnt_u64(mask);
      mask = _blsr_u64(mask);
    }
    for (size_t i = 6; i < found; ++i) {
      place[i] = at + _tzcnt_u64(mask);
      mask = _blsr_u64(mask);
    }
    place += found;
  }
  delimiters.count = static_cast<size_t>(place - delimiters.places.data());
  delimiters.next = at;
  delimiters.closed = brackets != 0;
}

// The number between `begin` and the delimiter `end`. One blank in front is common.
SLUICE_AVX2 Fraction LookAt(const char* begin, const char* end) {
  begin += *begin == ' ' ? 1 : 0;
  const uint32_t negative = *begin == '-' ? 1 : 0;
  begin += negative;
  uint16_t lead_and_point = 0;
  std::memcpy(&lead_and_point, begin, sizeof lead_and_point);
  return {.end = end,
          .digits_less_one = static_cast<size_t>(end - begin) - 3,
          .lead = static_cast<uint32_t>(lead_and_point) - ('0' | '.' << 8),
          .negative = negative};
}

SLUICE_AVX2 __m128i LoadDigits(const Fraction& number) {
  const __m128i window =
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(number.end - kWindowBytes));
  const __m128i keep =
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(&kKeepLast[number.digits_less_one + 1]));
  return _mm_and_si128(_mm_sub_epi8(window, _mm_set1_epi8('0')), keep);
}

// The digits behind the points as 64-bit integers, in the order 0, 2, 1, 3; false when something
// else than digits stands there.
SLUICE_AVX2 bool ToIntegers(const std::array<Fraction, kFourNumbers>& numbers, __m256i& integers) {
  const __m256i first = _mm256_set_m128i(LoadDigits(numbers[1]), LoadDigits(numbers[0]));
  const __m256i second = _mm256_set_m128i(LoadDigits(numbers[3]), LoadDigits(numbers[2]));
  const __m256i beyond = _mm256_subs_epu8(_mm256_max_epu8(first, second), _mm256_set1_epi8(9));
  const __m256i tens = _mm256_set1_epi16(0x010A);            // 10, 1
  const __m256i hundreds = _mm256_set1_epi32(0x10064);       // 100, 1
  const __m256i ten_thousands = _mm256_set1_epi32(0x12710);  // 10000, 1
  const __m256i fours =
      _mm256_packus_epi32(_mm256_madd_epi16(_mm256_maddubs_epi16(first, tens), hundreds),
                          _mm256_madd_epi16(_mm256_maddubs_epi16(second, tens), hundreds));
  const __m256i eights = _mm256_madd_epi16(fours, ten_thousands);
  integers = _mm256_add_epi64(_mm256_mul_epu32(eights, _mm256_set1_epi64x(100'000'000)),
                              _mm256_srli_epi64(eights, 32));
  return _mm256_testz_si256(beyond, beyond) != 0;
}

SLUICE_AVX2 __m256i LeadsOf(const std::array<Fraction, kFourNumbers>& numbers) {
  const auto lead = [&numbers](size_t i) {
    return static_cast<int64_t>(numbers[i].lead) * kPowers[numbers[i].digits_less_one + 1];
  };
  return _mm256_set_epi64x(lead(3), lead(1), lead(2), lead(0));
}

// False when one of the four must go the general way; `out` is then without meaning.
SLUICE_AVX2 bool Convert(const std::array<Fraction, kFourNumbers>& numbers, float* out) {
  __m256i integers;
  if (!ToIntegers(numbers, integers)) {
    return false;
  }
  if ((numbers[0].lead | numbers[1].lead | numbers[2].lead | numbers[3].lead) != 0) {
    integers = _mm256_add_epi64(integers, LeadsOf(numbers));
  }
  // Only an integer below 2^52 is an exact double by the trick that follows: put into the low bits
  // of 2^52 it is that double plus 2^52.
  if (_mm256_testz_si256(integers, _mm256_set1_epi64x(-(int64_t{1} << 52))) == 0) {
    return false;
  }
  const __m256i two_52 = _mm256_set1_epi64x(0x4330000000000000);
  const __m256d doubles = _mm256_sub_pd(_mm256_castsi256_pd(_mm256_or_si256(integers, two_52)),
                                        _mm256_castsi256_pd(two_52));
  const auto power = [&numbers](size_t i) {
    return &kInversePowers[numbers[i].digits_less_one + 1];
  };
  const __m256d powers = _mm256_set_m128d(_mm_loadh_pd(_mm_load_sd(power(1)), power(3)),
                                          _mm_loadh_pd(_mm_load_sd(power(0)), power(2)));
  const __m256d values = _mm256_mul_pd(doubles, powers);
  const __m256i from_middle =
      _mm256_and_si256(_mm256_sub_epi64(_mm256_castpd_si256(values),
                                        _mm256_set1_epi64x((int64_t{1} << 28) - kNearMiddle)),
                       _mm256_set1_epi64x((int64_t{1} << 29) - 1));
  const __m256i doubtful = _mm256_cmpgt_epi64(_mm256_set1_epi64x(2 * kNearMiddle + 1), from_middle);
  if (_mm256_testz_si256(doubtful, doubtful) == 0) {
    return false;
  }
  const __m128 floats = _mm256_cvtpd_ps(values);
  const __m128 ordered = _mm_shuffle_ps(floats, floats, _MM_SHUFFLE(3, 1, 2, 0));
  const uint32_t negative = numbers[0].negative | numbers[1].negative << 1 |
                            numbers[2].negative << 2 | numbers[3].negative << 3;
  const __m128i signs = _mm_load_si128(reinterpret_cast<const __m128i*>(&kSigns[negative]));
  _mm_storeu_ps(out, _mm_xor_ps(ordered, _mm_castsi128_ps(signs)));
  return true;
}

// All four have the form, as far as LookAt() saw.
SLUICE_AVX2 bool AreCommon(const std::array<Fraction, kFourNumbers>& numbers) {
  const size_t digits_less_one = numbers[0].digits_less_one | numbers[1].digits_less_one |
                                 numbers[2].digits_less_one | numbers[3].digits_less_one;
  const uint32_t lead = std::max(std::max(numbers[0].lead, numbers[1].lead),
                                 std::max(numbers[2].lead, numbers[3].lead));
  return digits_less_one < kFractionMax && lead <= 9;
}

constexpr BatchKernel kAvx2Kernel = {.find_delimiters = FindDelimitersAvx2, .convert = ConvertAvx2};

}  // namespace

__attribute__((target("avx2,bmi"))) bool ConvertAvx2(const NumberBatch& batch, float* out,
                                                     uint64_t& general_values) {
  const char* begin = batch.begin;
  const char* const* const ends = batch.ends;
  size_t i = 0;
  for (; i + kFourNumbers <= batch.count; i += kFourNumbers) {
    const std::array<Fraction, kFourNumbers> numbers = {
        LookAt(begin, ends[i]), LookAt(ends[i] + 1, ends[i + 1]),
        LookAt(ends[i + 1] + 1, ends[i + 2]), LookAt(ends[i + 2] + 1, ends[i + 3])};
    const bool common = AreCommon(numbers) && ends[i] - batch.line >= ptrdiff_t{kWindowBytes};
    if ((!common || !Convert(numbers, out + i)) &&
        !ReadSingly({.line = batch.line, .begin = begin, .ends = ends + i, .count = kFourNumbers},
                    out + i, general_values)) {
      return false;
    }
    begin = ends[i + 3] + 1;
  }
  return ReadSingly(
      {.line = batch.line, .begin = begin, .ends = ends + i, .count = batch.count - i}, out + i,
      general_values);
}

FloatArrayRead ReadArrayAvx2(std::string_view line, size_t open, std::vector<float>& out) {
  return ReadArrayInBatches(kAvx2Kernel, line, open, out);
}

}  // namespace sluice

#endif
