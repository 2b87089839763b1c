#include "io/record/ordinal.h"

#include <gtest/gtest.h>
#include <string>

namespace sluice {
namespace {

std::string KeyOf(Ordinal ordinal) {
  std::string key(kKeyDigits, '?');
  WriteKey(ordinal, key.data());
  return key;
}

TEST(Ordinal, ComesBackFromItsKey) {
  EXPECT_EQ(KeyOf(0), "000000000000");
  EXPECT_EQ(KeyOf(117'658), "000000117658");
  for (const Ordinal ordinal : {Ordinal{0}, Ordinal{9}, Ordinal{123'456'789'012}, kOrdinalMax}) {
    EXPECT_EQ(ParseKey(KeyOf(ordinal)), ordinal);
  }
}

TEST(Ordinal, OtherKeysAreNotOurs) {
  for (const char* key : {"", "1", "00000000000", "0000000000000", "00000000000x", "-00000000001",
                          " 00000000001", "request-0001"}) {
    EXPECT_EQ(ParseKey(key), std::nullopt) << key;
  }
}

TEST(Ordinal, ARangeKnowsItsOwn) {
  const OrdinalRange range{.first = 10, .count = 5};
  EXPECT_FALSE(range.contains(9));
  EXPECT_TRUE(range.contains(10));
  EXPECT_TRUE(range.contains(14));
  EXPECT_FALSE(range.contains(15));
}

}  // namespace
}  // namespace sluice
