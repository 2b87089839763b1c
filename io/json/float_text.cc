#include "io/json/float_text.h"

#include <array>
#include <bit>
#include <cfloat>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <system_error>

#include "io/base/text.h"

namespace sluice {
namespace {

// Powers of ten that a double holds exactly.
constexpr std::array<double, 23> kPowersOfTen = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr int kExactPowerMax = 22;
constexpr uint64_t kExactIntegerMax = uint64_t{1} << 53;
constexpr int kDigitsMax = 19;  // so many fit into 64 bits

// integer * 10^exponent; `digits` tells whether `integer` could hold them all.
struct Decimal {
  uint64_t integer = 0;
  int digits = 0;
  int exponent = 0;
};

// The eight characters are digits (each high nibble is 3, also after 6 was added).
bool AreDigits(uint64_t eight) {
  constexpr uint64_t kHighNibbles = 0xF0F0F0F0F0F0F0F0;
  constexpr uint64_t kThrees = 0x3333333333333333;
  return ((eight & kHighNibbles) | (((eight + 0x0606060606060606) & kHighNibbles) >> 4)) == kThrees;
}

// The value of eight digits, the first one in the lowest byte: pairs, then fours, then all.
uint64_t ValueOfDigits(uint64_t eight) {
  eight -= 0x3030303030303030;
  eight = eight * 10 + (eight >> 8);
  constexpr uint64_t kPairs = 0x000000FF000000FF;
  constexpr uint64_t kFirst = 0x000F424000000064;   // 100 + (1000000 << 32)
  constexpr uint64_t kSecond = 0x0000271000000001;  // 1 + (10000 << 32)
  return ((eight & kPairs) * kFirst + ((eight >> 16) & kPairs) * kSecond) >> 32;
}

const char* ReadDigits(const char* at, const char* end, Decimal& decimal) {
  const char* const begin = at;
  if constexpr (std::endian::native == std::endian::little) {
    for (uint64_t eight = 0; end - at >= 8; at += 8) {
      std::memcpy(&eight, at, sizeof eight);
      if (!AreDigits(eight)) {
        break;
      }
      decimal.integer = decimal.integer * 100'000'000 + ValueOfDigits(eight);
    }
  }
  for (; at < end && IsDigit(*at); ++at) {
    decimal.integer = decimal.integer * 10 + static_cast<uint64_t>(*at - '0');
  }
  // No text of ours is 2^31 digits long, but a hostile one must not overflow.
  decimal.digits += static_cast<int>(at - begin < kDigitsMax ? at - begin : kDigitsMax + 1);
  return at;
}

// Behind the exponent at `at` (which may be none); null when it has no digits.
const char* ReadExponent(const char* at, const char* end, Decimal& decimal) {
  if (at == end || (*at != 'e' && *at != 'E')) {
    return at;
  }
  ++at;
  const bool negative = at < end && *at == '-';
  at += at < end && (*at == '-' || *at == '+') ? 1 : 0;
  const char* const begin = at;
  constexpr int kExponentMax = 100'000;
  int exponent = 0;
  for (; at < end && IsDigit(*at); ++at) {
    exponent = exponent < kExponentMax ? exponent * 10 + (*at - '0') : exponent;
  }
  decimal.exponent += negative ? -exponent : exponent;
  return at == begin ? nullptr : at;
}

// Behind the number, its sign left out; null when it is none (RFC 8259, section 6).
const char* ReadDecimal(const char* at, const char* end, Decimal& decimal) {
  if (at == end || !IsDigit(*at)) {
    return nullptr;
  }
  at = *at == '0' ? at + 1 : ReadDigits(at, end, decimal);
  if (at < end && *at == '.') {
    const char* const fraction = at + 1;
    at = ReadDigits(fraction, end, decimal);
    if (at == fraction) {
      return nullptr;
    }
    decimal.exponent = static_cast<int>(fraction - at);
  }
  return ReadExponent(at, end, decimal);
}

// One rounding to double, and one more to float, are right together unless the double stands
// exactly between two floats: then the first rounding may have put it there.
std::optional<float> RoundOnceMore(double value) {
  constexpr uint64_t kBelowFloat = (uint64_t{1} << 29) - 1;
  constexpr uint64_t kMiddle = uint64_t{1} << 28;
  if ((std::bit_cast<uint64_t>(value) & kBelowFloat) == kMiddle || value > FLT_MAX ||
      value < FLT_MIN) {
    return std::nullopt;
  }
  return static_cast<float>(value);
}

// Integer and power are exact doubles, so their quotient or product is rounded once.
std::optional<float> ExactValue(const Decimal& decimal) {
  if (decimal.digits > kDigitsMax) {
    return std::nullopt;
  }
  if (decimal.integer == 0) {
    return 0.0F;
  }
  if (decimal.integer > kExactIntegerMax || decimal.exponent < -kExactPowerMax ||
      decimal.exponent > kExactPowerMax) {
    return std::nullopt;
  }
  const auto integer = static_cast<double>(decimal.integer);
  const double power = kPowersOfTen[static_cast<size_t>(std::abs(decimal.exponent))];
  return RoundOnceMore(decimal.exponent < 0 ? integer / power : integer * power);
}

// std::from_chars refuses what is too small for a float as well as what is too large.
float GeneralValue(const char* begin, const char* end) {
  float value = 0;
  if (std::from_chars(begin, end, value).ec == std::errc::result_out_of_range) {
    value = std::strtof(std::string(begin, end).c_str(), nullptr);
  }
  return value;
}

}  // namespace

FloatRead ReadFloat(const char* begin, const char* end) {
  const bool negative = begin < end && *begin == '-';
  Decimal decimal;
  const char* const behind = ReadDecimal(begin + (negative ? 1 : 0), end, decimal);
  if (behind == nullptr) {
    return {};
  }
  if (const std::optional<float> value = ExactValue(decimal)) {
    return {.end = behind, .value = negative ? -*value : *value};
  }
  return {.end = behind, .value = GeneralValue(begin, behind)};
}

}  // namespace sluice
