#include "io/json/string_end.h"

#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

#include "io/json/escape_check.h"
#include "io/json/json_text.h"

namespace sluice {
namespace {

// `text` stands between the quotes, and behind the line stands what would be a fault, or would heal
// one, if it were looked at. False: refused, or another quote was taken for the last.
bool IsWhole(const std::string& text, std::string_view behind = ",\"x\":1}") {
  const std::string line = text + '"' + std::string(behind);
  const std::string padded = line + "\\x\\udc00\"n\"" + std::string(kStringEndPadding, '\\');
  return FindStringEnd(padded.data(), padded.data() + line.size()) == padded.data() + text.size();
}

// Byte by byte. Quotes must be escaped.
bool IsWholeByteByByte(const std::string& text) {
  bool is_escaped = false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || (c == '"' && !is_escaped)) {
      return false;
    }
    is_escaped = c == '\\' && !is_escaped;
  }
  return FindEscapeFault(text.data(), text.data() + text.size()).at == nullptr &&
         !FindInvalidUtf8(text).has_value();
}

class StringEnd : public testing::Test {
 protected:
  void SetUp() override {
    if (!CanFindStringEnd()) {
      GTEST_SKIP() << "this processor has no AVX2";
    }
  }
};

TEST_F(StringEnd, TakesWhatTheGrammarAllowsWhereverItStands) {
  for (const std::string& text : std::vector<std::string>{
           R"()", R"(plain)", R"(\"\\\/\b\f\n\r\t)", R"(\u00e9\uD83D\uDE00)", R"(\\\\)", R"(\\u)",
           R"(\\uZZZZ)", R"(\uffff\u0000)", "\x7F\xC3\xA9\xE2\x80\xA8\xED\x9F\xBF\xEE\x80\x80",
           "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\xEF\xBF\xBF\xE0\xA0\x80\xC2\x80"}) {
    for (size_t shift = 0; shift < 130; ++shift) {
      EXPECT_TRUE(IsWhole(std::string(shift, 'a') + text)) << shift << text;
      EXPECT_TRUE(IsWhole(std::string(shift, 'a') + text, "")) << shift << text;
    }
  }
}

TEST_F(StringEnd, RefusesWhatItForbidsWhereverItStands) {
  for (const std::string& text : std::vector<std::string>{R"(\x)",
                                                          R"(\N)",
                                                          R"(\')",
                                                          R"(\u)",
                                                          R"(\u00e)",
                                                          R"(\u00g0)",
                                                          R"(\ud83d)",
                                                          R"(\udc00)",
                                                          R"(\ud83dx)",
                                                          R"(\ud83d\n)",
                                                          R"(\ud83d\u0041)",
                                                          R"(\ud83d\ud83d)",
                                                          R"(\U0041)",
                                                          "\\\n",
                                                          "\\\x80",
                                                          "\n",
                                                          "\t",
                                                          "\x1F",
                                                          std::string(1, '\0'),
                                                          "\x80",
                                                          "\xBF",
                                                          "\xC0\x80",
                                                          "\xC1\xBF",
                                                          "\xC3",
                                                          "\xC3\xC3",
                                                          "\xE0\x9F\xBF",
                                                          "\xED\xA0\x80",
                                                          "\xED\xBF\xBF",
                                                          "\xE2\x80",
                                                          "\xF0\x8F\xBF\xBF",
                                                          "\xF4\x90\x80\x80",
                                                          "\xF5\x80\x80\x80",
                                                          "\xFF",
                                                          "\xF0\x90\x80",
                                                          "\xC3\xA9\xA9"}) {
    for (size_t shift = 0; shift < 130; ++shift) {
      const std::string shifted = std::string(shift, 'a') + text;
      EXPECT_FALSE(IsWhole(shifted)) << shift << text;
      EXPECT_FALSE(IsWhole(shifted + std::string(70, 'z'))) << shift << text;
    }
  }
}

TEST_F(StringEnd, FindsNoQuoteBehindTheLine) {
  for (size_t size = 0; size < 200; ++size) {
    const std::string padded = std::string(size, 'a') + std::string(kStringEndPadding, '"');
    EXPECT_EQ(FindStringEnd(padded.data(), padded.data() + size), nullptr) << size;
  }
}

// A part of random text, chosen so that faults also stand far behind the start.
std::string RandomText(std::mt19937_64& random) {
  static constexpr std::string_view kParts[] = {"plain text of some length",
                                                "\\n",
                                                "\\\\",
                                                "\xC3\xA9",
                                                "\xE6\x97\xA5\xE6\x9C\xAC",
                                                "\\u00e9",
                                                "a",
                                                "\\",
                                                "u",
                                                "\\ud83d",
                                                "\\ude00",
                                                "\\\"",
                                                "d83d",
                                                "\xC3",
                                                "\xA9",
                                                "\xE6\x97",
                                                "\xF0\x9F\x98\x80",
                                                "\xF0\x9F",
                                                "\x01",
                                                "\""};
  std::string text;
  for (size_t parts = random() % 40; parts > 0; --parts) {
    text += random() % 12 == 0 ? kParts[random() % std::size(kParts)] : kParts[random() % 6];
  }
  return text;
}

TEST_F(StringEnd, AgreesWithTheByteByByteCheckOnRandomText) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  size_t valid = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::string text = RandomText(random);
    ASSERT_EQ(IsWhole(text), IsWholeByteByByte(text)) << text;
    valid += IsWholeByteByByte(text) ? 1 : 0;
  }
  EXPECT_GT(valid, 20'000U);
  EXPECT_LT(valid, 180'000U);
}

}  // namespace
}  // namespace sluice
