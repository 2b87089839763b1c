#include "io/json/float_array.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

namespace sluice {
namespace {

std::vector<float> Parse(std::string_view json) {
  std::vector<float> values;
  EXPECT_EQ(ParseFloatArray(json, values), std::nullopt) << json;
  return values;
}

TEST(FloatArray, ReadsNumbersWithAnySpacing) {
  EXPECT_EQ(Parse("[]"), std::vector<float>{});
  EXPECT_EQ(Parse("[ ]"), std::vector<float>{});
  EXPECT_EQ(Parse("[1,-2.5,3e-1]"), (std::vector<float>{1.0F, -2.5F, 0.3F}));
  EXPECT_EQ(Parse("[ 1 ,\t2\r]"), (std::vector<float>{1, 2}));
}

TEST(FloatArray, KeepsNegativeZeroAndSubnormals) {
  const auto values = Parse("[-0.0,1e-45,1e-60,-1e-60]");
  EXPECT_TRUE(std::signbit(values[0]));
  EXPECT_EQ(values[1], 1e-45F);
  EXPECT_EQ(values[2], 0.0F);
  EXPECT_TRUE(std::signbit(values[3]));
}

TEST(FloatArray, RefusesWhatIsNotAnArrayOfFiniteNumbers) {
  std::vector<float> values;
  for (const char* json :
       {"", "1", "{}", "[null]", "[\"1\"]", "[true]", "[[1]]", "[1e39]", "[-1e999]"}) {
    EXPECT_NE(ParseFloatArray(json, values), std::nullopt) << json;
  }
}

TEST(FloatArray, GivesEveryFloatBackFromItsShortestText) {
  std::mt19937_64 random(20261122);
  for (int i = 0; i < 200'000; ++i) {
    const auto bits = static_cast<uint32_t>(random());
    float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) {
      continue;
    }
    char text[64] = "[";
    char* const end = std::to_chars(text + 1, text + 60, value).ptr;
    *end = ']';
    const auto back = Parse({text, static_cast<size_t>(end + 1 - text)});
    ASSERT_EQ(std::memcmp(back.data(), &value, sizeof value), 0) << text;
  }
}

}  // namespace
}  // namespace sluice
