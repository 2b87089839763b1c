#include "io/json/float_array.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdlib>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>

#include "io/json/float_text.h"

namespace sluice {
namespace {

constexpr std::string_view kPadding =
    "]]]],,,,[[[[{{{{0.125,0.25]]]],,,,[[[[{{{{0.125,0.25]]]],,,,[[[[{{{{";
static_assert(kPadding.size() >= FloatArrayReader::kPadding);

bool IsSame(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0; }

// The other decoder, right and slow.
float Reference(std::string_view number) {
  float value = 0;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
  return read.ec == std::errc::result_out_of_range
             ? std::strtof(std::string(number).c_str(), nullptr)
             : value;
}

class FloatArrayTest : public testing::TestWithParam<FloatKernel> {
 protected:
  void SetUp() override {
    const std::vector<FloatKernel> kernels = FloatKernels();
    if (std::ranges::find(kernels, GetParam()) == kernels.end()) {
      GTEST_SKIP() << "this processor lacks what the kernel needs";
    }
  }

  // Reads `array` in the middle of a line, with misleading bytes behind it.
  std::optional<size_t> Read(std::string_view array, std::vector<float>& out,
                             std::string_view before = R"({"key":"1","values":)") {
    out.clear();
    line_ = std::string(before) + std::string(array) + std::string(kPadding);
    return reader_.Read(std::string_view(line_).substr(0, line_.size() - kPadding.size()),
                        before.size(), out);
  }

  std::vector<float> Parse(std::string_view array) {
    std::vector<float> values;
    EXPECT_EQ(Read(array, values), array.size()) << array;
    return values;
  }

  // Collects texts and reads them 1,000 at a time.
  void Check(std::string_view number) {
    texts_.emplace_back(number);
    if (texts_.size() == 1000) {
      CheckCollected();
    }
  }

  void CheckCollected() {
    std::string array = "[";
    for (const std::string& text : texts_) {
      array += (array.size() > 1 ? "," : "") + text;
    }
    array += ']';
    const std::vector<float> values = Parse(array);
    ASSERT_EQ(values.size(), texts_.size());
    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_TRUE(IsSame(values[i], Reference(texts_[i]))) << texts_[i] << " became " << values[i];
    }
    texts_.clear();
  }

  FloatArrayReader reader_{GetParam()};
  std::string line_;
  std::vector<std::string> texts_;
};

std::string NameOf(const testing::TestParamInfo<FloatKernel>& kernel) {
  constexpr std::array kNames = {"Portable", "Avx2", "Avx512"};
  return kNames[static_cast<size_t>(kernel.param)];
}
INSTANTIATE_TEST_SUITE_P(Kernels, FloatArrayTest,
                         testing::Values(FloatKernel::kPortable, FloatKernel::kAvx2,
                                         FloatKernel::kAvx512),
                         NameOf);

TEST_P(FloatArrayTest, ReadsNumbersWithAnySpacing) {
  EXPECT_EQ(Parse("[]"), std::vector<float>{});
  EXPECT_EQ(Parse("[ \t]"), std::vector<float>{});
  EXPECT_EQ(Parse("[1,-2.5,3e-1]"), (std::vector<float>{1.0F, -2.5F, 0.3F}));
  EXPECT_EQ(Parse("[ 1 ,\t2\r]"), (std::vector<float>{1, 2}));
  EXPECT_EQ(Parse("[0.5, -0.25, 0.125, -1.5, 9.5]"),
            (std::vector<float>{0.5F, -0.25F, 0.125F, -1.5F, 9.5F}));
}

TEST_P(FloatArrayTest, KeepsNegativeZeroAndSubnormals) {
  const auto values = Parse("[-0.0,1e-45,1e-60,-1e-60]");
  EXPECT_TRUE(std::signbit(values[0]));
  EXPECT_EQ(values[1], 1e-45F);
  EXPECT_EQ(values[2], 0.0F);
  EXPECT_TRUE(std::signbit(values[3]));
}

TEST_P(FloatArrayTest, RefusesWhatIsNotAnArrayOfFiniteNumbers) {
  std::vector<float> values;
  // Four and more elements take the vector path, so each fault also stands among good numbers.
  for (const std::string& fault : std::vector<std::string>{
           "null",  "\"1\"", "true", "[1]",  "{}",    "1e39",  "-1e999", "01.5",  "1.",
           ".5",    "+0.5",  "-",    "0.5x", "0x1",   "1e",    "1e+",    "0.1.2", "0..25",
           "--0.5", "0.5 6", "NaN",  "0.-5", "0.2:5", "0./25", "-.25",   "\xFF",  " "}) {
    for (const std::string& array :
         std::vector<std::string>{"[0.5," + fault + "]", "[0.5,0.5,0.5," + fault + ",0.5,0.5,0.5]",
                                  "[" + fault + ",0.25,0.25,0.25,0.25]"}) {
      EXPECT_EQ(Read(array, values), std::nullopt) << array;
      EXPECT_TRUE(values.empty());
    }
  }
  for (const char* open :
       {"[", "[0.5", "[0.5,", "[0.5,0.5,0.5,0.5,0.5", "[0.5,]", "[,]", "[0.5,,1]"}) {
    EXPECT_EQ(Read(open, values), std::nullopt) << open;
  }
}

TEST_P(FloatArrayTest, ReadsAnArrayAtTheVeryStartOfALine) {
  std::vector<float> values;
  EXPECT_EQ(Read("[0.5,0.25,1.5,0.75]", values, ""), 19);
  EXPECT_EQ(values, (std::vector<float>{0.5F, 0.25F, 1.5F, 0.75F}));
}

TEST_P(FloatArrayTest, LeavesWhatStandsBehindTheArray) {
  std::vector<float> values;
  const std::string line = R"([0.5,0.25]},"more":[0.75]})" + std::string(kPadding);
  EXPECT_EQ(reader_.Read(line, 0, values), 10);
  EXPECT_EQ(values, (std::vector<float>{0.5F, 0.25F}));
}

TEST_P(FloatArrayTest, ReadsMoreNumbersThanAnyBatchAtEveryLength) {
  std::string array = "[";
  std::vector<float> expected;
  for (int i = 0; i < 1100; ++i) {
    expected.push_back(static_cast<float>(i % 10) + 0.5F);
    array += fmt::format("{}.5", i % 10);
    ASSERT_EQ(Parse(array + "]"), expected);
    array += ',';
  }
}

TEST_P(FloatArrayTest, AgreesOnEveryTextOfUpToFiveDigits) {
  for (int digits = 1; digits <= 5; ++digits) {
    const int count = static_cast<int>(std::pow(10, digits));
    for (int number = 0; number < count; ++number) {
      Check(fmt::format("{}{}.{:0{}}", number % 2 == 0 ? "" : "-",
                        number % 7 == 0 ? number % 10 : 0, number, digits));
    }
  }
  CheckCollected();
}

TEST_P(FloatArrayTest, GivesEveryFloatBackFromItsShortestText) {
  std::mt19937_64 random(20261122);
  for (int i = 0; i < 300'000; ++i) {
    const auto bits = static_cast<uint32_t>(random());
    float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (std::isfinite(value)) {
      Check(fmt::format("{}", value));
    }
  }
  CheckCollected();
}

// Every 257th float here; SLUICE_FLOAT_STEP=1 takes all 4.3 billion of them (some ten minutes).
TEST_P(FloatArrayTest, GivesFloatsOfAllMagnitudesBackFromTheirShortestText) {
  const char* const wanted = std::getenv("SLUICE_FLOAT_STEP");
  const uint64_t step = wanted == nullptr ? 257 : std::stoull(wanted);
  constexpr uint64_t kFloats = uint64_t{1} << 32;
  constexpr size_t kBatch = 1000;
  std::vector<float> expected;
  std::vector<float> values;
  std::string line;
  for (uint64_t bits = 0; bits < kFloats; bits += step) {
    const auto value = std::bit_cast<float>(static_cast<uint32_t>(bits));
    if (std::isfinite(value)) {
      std::array<char, 64> text;
      // Without an exponent where services print none: that is the form of the vector path.
      const bool is_common = std::abs(value) >= 1e-6F && std::abs(value) < 10;
      const auto end =
          std::to_chars(text.data(), text.data() + text.size(), value,
                        is_common ? std::chars_format::fixed : std::chars_format::general);
      line += expected.empty() ? '[' : ',';
      line.append(text.data(), end.ptr);
      expected.push_back(value);
    }
    if (expected.size() < kBatch && bits + step < kFloats) {
      continue;
    }
    values.clear();
    line.append("]").append(kPadding);
    ASSERT_TRUE(reader_.Read(line, 0, values).has_value());
    ASSERT_EQ(values.size(), expected.size());
    ASSERT_EQ(std::memcmp(values.data(), expected.data(), values.size() * sizeof(float)), 0)
        << "near " << fmt::format("{:#010x}", bits);
    expected.clear();
    line.clear();
  }
}

TEST_P(FloatArrayTest, GivesFloatsBelowOneBackFromTheirShortestFixedText) {
  std::mt19937_64 random(20261122);
  std::uniform_real_distribution<float> unit(-1, 1);
  for (int i = 0; i < 500'000; ++i) {
    std::array<char, 64> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), unit(random),
                                   std::chars_format::fixed);
    Check({text.data(), end.ptr});
  }
  CheckCollected();
}

TEST_P(FloatArrayTest, RoundsRightAtAndBesideTheMiddleOfTwoFloats) {
  std::mt19937_64 random(20261122);
  for (int i = 0; i < 200'000; ++i) {
    // 25 bits: odd ones stand between two floats.
    const uint64_t integer = (random() & 0x1FFFFFF) | 1;
    const int shift = 18 + static_cast<int>(random() % 12);
    const double middle = std::ldexp(static_cast<double>(integer), -shift);
    for (const int digits : {12, 13, 14, 15, 16, 17, 30}) {
      Check(fmt::format("{:.{}f}", middle, digits));
    }
  }
  CheckCollected();
}

TEST_P(FloatArrayTest, AgreesOnRandomDigits) {
  std::mt19937_64 random(20261122);
  for (int i = 0; i < 300'000; ++i) {
    const int digits = 1 + static_cast<int>(random() % 22);
    std::string text = random() % 2 == 0 ? "-" : "";
    text += fmt::format("{}.", random() % 4 == 0 ? random() % 1000 : random() % 10);
    for (int digit = 0; digit < digits; ++digit) {
      text += static_cast<char>('0' + random() % 10);
    }
    if (random() % 8 == 0) {
      text += fmt::format("e{}", static_cast<int>(random() % 90) - 45);
    }
    if (std::isfinite(Reference(text))) {
      Check(text);
    }
  }
  CheckCollected();
}

TEST(FloatArray, CountsTheValuesThatTookTheGeneralPath) {
  if (BestFloatKernel() == FloatKernel::kPortable) {
    GTEST_SKIP() << "this processor has no vector kernel";
  }
  FloatArrayReader reader;
  std::vector<float> values;
  const std::string line =
      R"({"values":[0.5,0.5,0.5,0.5,0.5,0.5,1e-3,0.5]})" + std::string(kPadding);
  ASSERT_TRUE(reader.Read(line, 10, values).has_value());
  EXPECT_EQ(reader.values(), 8U);
  EXPECT_EQ(reader.general_values(), 8U);  // the first four for the window, the others for 1e-3
}

TEST(ParseFloatArray, SaysWhyItRefuses) {
  std::vector<float> values;
  EXPECT_EQ(ParseFloatArray("[1.5]", values), std::nullopt);
  EXPECT_EQ(values, std::vector<float>{1.5F});
  EXPECT_EQ(ParseFloatArray("{}", values), "values are not an array");
  EXPECT_EQ(ParseFloatArray("[1] ", values), "values hold something that is not a finite number");
}

TEST(ReadFloat, TakesWhatIsANumberAndNoByteMore) {
  for (const std::string_view text : {"0", "-0", "12", "0.5", "1e5", "1E-5", "1.25e+10"}) {
    const std::string longer = std::string(text) + ",1";
    EXPECT_EQ(ReadFloat(longer.data(), longer.data() + longer.size()).end - longer.data(),
              static_cast<ptrdiff_t>(text.size()));
    EXPECT_TRUE(IsSame(ReadFloat(text.data(), text.data() + text.size()).value, Reference(text)));
  }
  const std::string_view leading_zero = "012";
  EXPECT_EQ(ReadFloat(leading_zero.data(), leading_zero.data() + 3).end, leading_zero.data() + 1);
}

}  // namespace
}  // namespace sluice
