#include "io/json/escape_check.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace sluice {
namespace {

bool IsValid(const std::string& text) {
  return FindEscapeFault(text.data(), text.data() + text.size()).at == nullptr;
}

TEST(EscapeCheck, TakesWhatTheGrammarAllows) {
  for (const std::string& text :
       std::vector<std::string>{R"()", R"(plain)", R"(\"\\\/\b\f\n\r\t)", R"(\u00e9\uD83D\uDE00)",
                                R"(\\\\)", R"(\\u)", R"(\\uZZZZ)", R"(\uffff\u0000)"}) {
    for (size_t shift = 0; shift < 130; ++shift) {
      EXPECT_TRUE(IsValid(std::string(shift, 'a') + text)) << shift << text;
    }
  }
}

TEST(EscapeCheck, RefusesWhatItForbidsWhereverItStands) {
  for (const std::string& text : std::vector<std::string>{
           R"(\)", R"(\x)", R"(\N)", R"(\')", R"(\u)", R"(\u00e)", R"(\u00g0)", R"(\ud83d)",
           R"(\udc00)", R"(\ud83dx)", R"(\ud83d\n)", R"(\ud83d\u0041)", R"(\ud83d\ud83d)", R"(\\\)",
           "\\\n", "\\\x80", R"(\U0041)"}) {
    for (size_t shift = 0; shift < 130; ++shift) {
      const std::string shifted = std::string(shift, 'a') + text;
      EXPECT_FALSE(IsValid(shifted)) << shift << text;
      EXPECT_FALSE(IsValid(shifted + std::string(70, 'z'))) << shift << text;
      const EscapeFault fault = FindEscapeFault(shifted.data(), shifted.data() + shifted.size());
      EXPECT_EQ(fault.at - shifted.data(),
                static_cast<ptrdiff_t>(text == R"(\\\)" ? shift + 2 : shift));
    }
  }
}

}  // namespace
}  // namespace sluice
