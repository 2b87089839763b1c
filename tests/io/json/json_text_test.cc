#include "io/json/json_text.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "io/json/json_document.h"
#include "io/json/record_scanner.h"

namespace sluice {
namespace {

std::string Quoted(std::string_view text) {
  std::string out = "before ";
  AppendJsonString(out, text);
  return out.substr(7);
}

TEST(AppendJsonString, EscapesOnlyWhatJsonDemands) {
  EXPECT_EQ(Quoted(""), R"("")");
  EXPECT_EQ(Quoted("plain"), R"("plain")");
  EXPECT_EQ(Quoted("a\"b\\c/"), R"("a\"b\\c/")");
  EXPECT_EQ(Quoted("\b\f\n\r\t"), R"("\b\f\n\r\t")");
  EXPECT_EQ(Quoted(std::string_view("\0\x01\x1F\x7F", 4)), "\"\\u0000\\u0001\\u001f\x7F\"");
  EXPECT_EQ(Quoted("h\xC3\xA9 \xE2\x80\xA8 \xF0\x9F\x8E\x89"),
            "\"h\xC3\xA9 \xE2\x80\xA8 \xF0\x9F\x8E\x89\"");
}

TEST(AppendJsonString, ComesBackThroughAnotherParserAndThroughOurs) {
  std::string text;
  for (char c = 0; c >= 0 && c < 127; ++c) {
    text += c;
  }
  text += "\xE4\xB8\xAD\xF0\x90\x8D\x88";
  EXPECT_EQ(ParseJson(Quoted(text)).get<std::string>(), text);
  EXPECT_EQ(UnescapeJsonString(Quoted(text)), text);
}

TEST(FindInvalidUtf8, FindsWhereTheFirstBadCharacterBegins) {
  struct Case {
    std::string_view text;
    std::optional<size_t> offset;
  };
  const Case cases[] = {
      {"", std::nullopt},
      {"plain", std::nullopt},
      {"\xC2\x80 \xDF\xBF \xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xF0\x90\x80\x80 \xF4\x8F\xBF\xBF",
       std::nullopt},
      {"ab\x80", 2},                // a tail alone
      {"ab\xC0\xAF", 2},            // '/' in two bytes
      {"ab\xC1\xBF", 2},            // overlong
      {"\xE0\x9F\xBF", 0},          // overlong
      {"\xF0\x8F\xBF\xBF", 0},      // overlong
      {"x\xED\xA0\x80", 1},         // a surrogate
      {"x\xF4\x90\x80\x80", 1},     // above U+10FFFF
      {"x\xF5\x80\x80\x80", 1},     // no such lead
      {"x\xFF", 1},                 // never in UTF-8
      {"\xE4\xB8", 0},              // cut at the end
      {"\xE4\xB8\xAD\xE4\xB8", 3},  // cut at the end
      {"\xF0\x9F\x8E", 0},          // cut at the end
      {"ok \xE4\xB8 cut", 3},       // cut within
      {"\xC3\xA9\xC3", 2},          // the good one before it is passed over
  };
  for (const Case& item : cases) {
    EXPECT_EQ(FindInvalidUtf8(item.text), item.offset) << testing::PrintToString(item.text);
    // The same behind enough good text for every SIMD block.
    const std::string far = std::string(200, 'x') + std::string(item.text);
    const auto far_offset = FindInvalidUtf8(far);
    EXPECT_EQ(far_offset.has_value(), item.offset.has_value());
    EXPECT_EQ(far_offset.value_or(0), item.offset.has_value() ? *item.offset + 200 : 0);
  }
}

}  // namespace
}  // namespace sluice
