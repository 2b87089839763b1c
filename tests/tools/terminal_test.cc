#include "tools/terminal.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Terminal, MakesWhatWouldSteerTheScreenVisible) {
  struct Case {
    std::string_view text;
    std::string_view shown;
  };
  using namespace std::string_view_literals;
  for (const Case& c : {
           Case{"plain text, Grüße, 日本, 🙂", "plain text, Grüße, 日本, 🙂"},
           Case{"\x1b[2Jgone", "\\x1b[2Jgone"},
           Case{"a\nb\rc\td", "a\\nb\\rc\\td"},
           Case{"nul\0!"sv, "nul\\x00!"},
           Case{"\x7f", "\\x7f"},
           Case{"\xc2\x9b"
                "31m",
                "\\x9b31m"},                               // C1: a control sequence in one byte
           Case{"user\xe2\x80\xaetxt", "user\\u202etxt"},  // right-to-left override
           Case{"\xe2\x81\xa6", "\\u2066"},
           Case{"\xe2\x80\xa8", "\\u2028"},
           Case{"bad \xff\xfe bytes", "bad \\xff\\xfe bytes"},
           Case{"cut \xe2\x82", "cut \\xe2\\x82"},
           Case{"overlong \xc0\x9b", "overlong \\xc0\\x9b"},
           Case{"surrogate \xed\xa0\x80", "surrogate \\xed\\xa0\\x80"},
           Case{"too high \xf4\x90\x80\x80", "too high \\xf4\\x90\\x80\\x80"},
       }) {
    EXPECT_EQ(EscapeControls(c.text), c.shown);
  }
}

TEST(Terminal, CutsBetweenCharactersAndSaysSo) {
  EXPECT_EQ(CutToWidth("short", 10), "short");
  EXPECT_EQ(CutToWidth("exactly ten", 11), "exactly ten");
  EXPECT_EQ(CutToWidth("exactly ten", 10), "exactly...");
  EXPECT_EQ(CutToWidth("日本日本日本", 5), "日本...");
  EXPECT_EQ(CutToWidth("abcdef", 2), "..");
  EXPECT_EQ(CutToWidth("abcdef", 0), "");
  EXPECT_EQ(CountCharacters("日本"), 2U);
}

TEST(Terminal, ColorFollowsTheFlagThenNoColorThenTheForceThenTheTerminal) {
  EXPECT_TRUE(WantsColor(ColorChoice::kAlways, false, "1", nullptr));
  EXPECT_FALSE(WantsColor(ColorChoice::kNever, true, nullptr, "1"));
  EXPECT_TRUE(WantsColor(ColorChoice::kAuto, true, nullptr, nullptr));
  EXPECT_FALSE(WantsColor(ColorChoice::kAuto, false, nullptr, nullptr));
  EXPECT_FALSE(WantsColor(ColorChoice::kAuto, true, "1", "1"));
  EXPECT_TRUE(WantsColor(ColorChoice::kAuto, true, "", nullptr));
  EXPECT_TRUE(WantsColor(ColorChoice::kAuto, false, nullptr, "1"));
  EXPECT_FALSE(WantsColor(ColorChoice::kAuto, false, nullptr, "0"));
}

TEST(Terminal, StylesOnlyWhenColorIsOn) {
  EXPECT_EQ(Styled(false, Style::kRed, "error:"), "error:");
  EXPECT_EQ(Styled(true, Style::kRed, "error:"), "\x1b[31merror:\x1b[0m");
}

}  // namespace
}  // namespace sluice
