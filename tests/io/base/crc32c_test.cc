#include "io/base/crc32c.h"

#include <gtest/gtest.h>
#include <random>
#include <string>

#include "io/file/file_system.h"

namespace sluice {
namespace {

// Bit by bit, as RFC 3720 defines it.
uint32_t Reference(std::string_view text) {
  uint32_t state = 0xffffffff;
  for (const char c : text) {
    state ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) {
      state = state >> 1 ^ ((state & 1) != 0 ? 0x82f63b78U : 0U);
    }
  }
  return ~state;
}

TEST(Crc32c, IsTheChecksumOfTheStandard) {
  EXPECT_EQ(Crc32c(0, {}), 0U);
  EXPECT_EQ(Crc32c(0, AsBytes("123456789")), 0xe3069283U);
  EXPECT_EQ(Crc32c(0, AsBytes(std::string(32, '\0'))), 0x8a9136aaU);  // RFC 3720, B.4
  EXPECT_EQ(Crc32cHex(0x0069283), "00069283");
}

TEST(Crc32c, DoesNotDependOnHowBytesAreCut) {
  std::mt19937 random(7);
  std::string text(10'000, '\0');
  for (char& c : text) {
    c = static_cast<char>(random());
  }
  const uint32_t whole = Crc32c(0, AsBytes(text));
  EXPECT_EQ(whole, Reference(text));
  for (const size_t step : {1, 7, 64, 1000, 9999}) {
    Crc32cSum sum;
    for (size_t at = 0; at < text.size(); at += step) {
      sum.Update(AsBytes(std::string_view(text).substr(at, step)));
    }
    EXPECT_EQ(sum.value(), whole) << step;
  }
}

}  // namespace
}  // namespace sluice
