#include "io/record/ordinal.h"

#include "io/base/error.h"

namespace sluice {

void WriteKey(Ordinal ordinal, char* place) {
  SLUICE_CHECK(ordinal <= kOrdinalMax, "an ordinal does not fit its key");
  for (size_t digit = kKeyDigits; digit-- > 0;) {
    place[digit] = static_cast<char>('0' + ordinal % 10);
    ordinal /= 10;
  }
}

std::optional<Ordinal> ParseKey(std::string_view key) {
  if (key.size() != kKeyDigits) {
    return std::nullopt;
  }
  Ordinal ordinal = 0;
  for (const char digit : key) {
    if (digit < '0' || digit > '9') {
      return std::nullopt;
    }
    ordinal = ordinal * 10 + static_cast<Ordinal>(digit - '0');
  }
  return ordinal;
}

}  // namespace sluice
