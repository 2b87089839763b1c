#include "io/json/record_scanner.h"

#include <algorithm>
#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>

#include "io/corpus/corpus.h"
#include "io/json/json_document.h"
#include "tests/support/json_reference.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using std::string_literals::operator""s;

// What Scan() said, in values that outlive the line.
struct Verdict {
  std::optional<LineFault> fault;
  std::vector<std::string> tokens;
};

Verdict VerdictOf(const RecordTokens& scanned) {
  if (!scanned.has_value()) {
    return {.fault = scanned.error(), .tokens = {}};
  }
  return {.fault = std::nullopt, .tokens = {scanned->begin(), scanned->end()}};
}

// What stands behind a line is the business of nobody: here it tempts the scanner to read on.
std::string WithBehind(std::string_view line, std::string_view behind) {
  std::string buffer(line);
  while (buffer.size() < line.size() + Block::kPadding) {
    buffer += behind;
  }
  return buffer;
}

Verdict ScanWith(RecordScanner& scanner, std::string_view line, std::string_view behind) {
  const std::string buffer = WithBehind(line, behind);
  return VerdictOf(scanner.Scan(std::string_view(buffer).substr(0, line.size())));
}

// As the first line of a text that goes on with `behind` for as long as it likes.
Verdict ScanFirstWith(RecordScanner& scanner, std::string_view line, std::string_view behind) {
  const std::string buffer = WithBehind(std::string(line) + '\n' + std::string(behind), "x");
  const std::string_view text = std::string_view(buffer).substr(0, line.size() + 1 + behind.size());
  const ScannedLine scanned = scanner.ScanFirstLine(text);
  EXPECT_EQ(scanned.line, line);
  EXPECT_EQ(scanned.line.data(), text.data());
  return VerdictOf(scanned.tokens);
}

void ExpectSame(const Verdict& verdict, const Verdict& other, std::string_view line) {
  EXPECT_EQ(verdict.tokens, other.tokens) << line;
  EXPECT_EQ(verdict.fault.has_value(), other.fault.has_value()) << line;
  if (verdict.fault.has_value() && other.fault.has_value()) {
    EXPECT_EQ(verdict.fault->offset, other.fault->offset) << line;
    EXPECT_EQ(verdict.fault->reason, other.fault->reason) << line;
  }
}

// By both kernels, alone and as the first line of more, all of which must agree.
Verdict ScanLine(std::string_view line, const std::vector<std::string>& paths = {"text"}) {
  RecordScanner best(paths, BestRecordKernel());
  RecordScanner index(paths, RecordKernel::kIndex);
  const Verdict verdict = ScanWith(best, line, "\n");
  ExpectSame(verdict, ScanWith(index, line, "\n"), line);
  for (RecordScanner* const scanner : {&best, &index}) {
    for (const std::string_view behind : {"", "\n", "{\"text\":2}\n", "}]\"}\n"}) {
      ExpectSame(verdict, ScanFirstWith(*scanner, line, behind), line);
    }
  }
  return verdict;
}

std::string Repeat(std::string_view text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) {
    out += text;
  }
  return out;
}

TEST(RecordScanner, AcceptsEveryKindOfValue) {
  const std::string lines[] = {
      R"({})",
      " \t{ } \r",
      R"({"text":"x"})"
      "\r",
      R"({"":""})",
      R"({"a":[],"b":{},"c":[[],[{}]]})",
      R"({"a":true,"b":false,"c":null})",
      R"({ "a" : [ 1 , -0 , 0 , 0.5 , 1e5 , 1E+5 , 1.25e-7 , -12 ] , "b" : { } })",
      R"({"huge":1e999,"long":123456789012345678901234567890,"tiny":-0.0e-999})",
      R"({"a":"\"\\\/\b\f\n\r\t\u0000\u00e9\uD83C\uDF89\uffff"})",
      "{\"a\":\"\x7F\xC3\xA9\xE2\x80\xA8\xC2\x85\xEF\xBB\xBF\xF4\x8F\xBF\xBF\"}",
      R"({"a":"}{][,:"})",
      R"({"a":"\\"})",
      R"({"a":"\\\\\"\\"})",
      R"({"a":1,"a":2})",
      R"({"\u0061\n":1})",
  };
  for (const std::string& line : lines) {
    const Verdict verdict = ScanLine(line);
    EXPECT_FALSE(verdict.fault.has_value()) << line << ": " << verdict.fault->reason;
    EXPECT_TRUE(JsonReference::Accepts(line, RecordScanner::kDepthMax)) << line;
  }
}

TEST(RecordScanner, RefusesHostileLinesWithPlaceAndReason) {
  struct Case {
    std::string line;
    size_t offset;
    std::string reason;
  };
  const Case cases[] = {
      // No object.
      {"", 0, "expected one JSON object"},
      {"  \t\r", 0, "expected one JSON object"},
      {"[1]", 0, "expected one JSON object"},
      {" 42", 1, "expected one JSON object"},
      {"\"text\"", 0, "expected one JSON object"},
      {"null", 0, "expected one JSON object"},
      {"}", 0, "expected one JSON object"},
      {"\0\0\0"s, 0, "expected one JSON object"},
      {"id,text", 0, "expected one JSON object"},
      // More than one.
      {R"({"a":1}{"b":2})", 7, "more text behind the record"},
      {R"({"a":1} {"b":2})", 8, "more text behind the record"},
      {R"({"a":1},)", 7, "more text behind the record"},
      {R"({"a":1}x)", 7, "more text behind the record"},
      {R"({"a":1}})", 7, "more text behind the record"},
      {"{\"a\":1}\0"s, 7, "more text behind the record"},
      {"{\"a\":1} \x0C", 8, "more text behind the record"},
      {"{\"a\":1} \xC2\x85", 8, "more text behind the record"},
      // Byte order marks.
      {"\xEF\xBB\xBF{\"a\":1}", 0, "BOM inside the file"},
      {"{\"a\":1}\xEF\xBB\xBF", 7, "BOM inside the file"},
      {"{\xEF\xBB\xBF\"a\":1}", 1, "BOM inside the file"},
      {"{\"a\":\xEF\xBB\xBF\"x\"}", 5, "BOM inside the file"},
      // Structure.
      {R"({"a":1,})", 7, "expected a name in quotes"},
      {R"({,"a":1})", 1, "expected a name in quotes"},
      {R"({a:1})", 1, "expected a name in quotes"},
      {R"({'a':1})", 1, "expected a name in quotes"},
      {R"({1:1})", 1, "expected a name in quotes"},
      {R"({"a":1 /* x */})", 7, "expected ',' or '}'"},
      {R"({"a" 1})", 5, "expected ':'"},
      {R"({"a"})", 4, "expected ':'"},
      {R"({"a"::1})", 5, "expected a value"},
      {R"({"a":})", 5, "expected a value"},
      {R"({"a":1 "b":2})", 7, "expected ',' or '}'"},
      {R"({"a":"x""y"})", 8, "expected ',' or '}'"},
      {R"({"a":"x"y})", 8, "expected ',' or '}'"},
      {R"({"a":1])", 6, "expected ',' or '}'"},
      {R"({"a":[1})", 7, "expected ',' or ']'"},
      {R"({"a":[1 2]})", 8, "expected ',' or ']'"},
      {R"({"a":[1,]})", 8, "expected a value"},
      {R"({"a":[,1]})", 6, "expected a value"},
      {R"({"a":["b":1]})", 9, "expected ',' or ']'"},
      {R"({)", 1, "record ends too early"},
      {R"({"a")", 4, "record ends too early"},
      {R"({"a":)", 5, "record ends too early"},
      {R"({"a":1)", 6, "record ends too early"},
      {R"({"a":1,)", 7, "record ends too early"},
      {R"({"a":[1)", 7, "record ends too early"},
      {R"({"a":"x")", 8, "record ends too early"},
      {"{\"a\":1\x0C}", 6, "expected ',' or '}'"},
      {"{\"a\":\x1A}", 5, "expected a value"},
      {"{\"a\":1 \x0C \"b\":1}", 7, "expected ',' or '}'"},
      {"{\"a\":\0}"s, 5, "expected a value"},
      {R"({\"a":1})", 4, "string is not closed"},
      {R"({\u0022a":1})", 8, "string is not closed"},
      // Numbers and literals.
      {R"({"a":01})", 5, "number is not well formed"},
      {R"({"a":-01})", 5, "number is not well formed"},
      {R"({"a":1.})", 5, "number is not well formed"},
      {R"({"a":1.e1})", 5, "number is not well formed"},
      {R"({"a":.5})", 5, "expected a value"},
      {R"({"a":+1})", 5, "expected a value"},
      {R"({"a":-})", 5, "number is not well formed"},
      {R"({"a":-.5})", 5, "number is not well formed"},
      {R"({"a":--1})", 5, "number is not well formed"},
      {R"({"a":1e})", 5, "number is not well formed"},
      {R"({"a":1e+})", 5, "number is not well formed"},
      {R"({"a":1e1.5})", 5, "number is not well formed"},
      {R"({"a":1.5.5})", 5, "number is not well formed"},
      {R"({"a":0x1})", 5, "number is not well formed"},
      {R"({"a":1_000})", 5, "number is not well formed"},
      {R"({"a":1"x"})", 5, "number is not well formed"},
      {R"({"a":1\n})", 5, "number is not well formed"},
      {"{\"a\":\xEF\xBC\x91}", 5, "expected a value"},
      {R"({"a":NaN})", 5, "expected a value"},
      {R"({"a":-Infinity})", 5, "number is not well formed"},
      {R"({"a":Infinity})", 5, "expected a value"},
      {R"({"a":True})", 5, "expected a value"},
      {R"({"a":tru})", 5, "expected a value"},
      {R"({"a":truee})", 5, "expected a value"},
      {R"({"a":nul)", 5, "expected a value"},
      {R"({"a":null1})", 5, "expected a value"},
      {R"({"a":fals)", 5, "expected a value"},
      // Strings.
      {R"({"a":"x)", 5, "string is not closed"},
      {R"({"a":"x\")", 5, "string is not closed"},
      {R"({"a":"x\\\"})", 5, "string is not closed"},
      {R"({"a)", 1, "string is not closed"},
      {R"({"a":'x'})", 5, "expected a value"},
      {R"({"a":"x\q"})", 7, "string has an unknown escape"},
      {R"({"a":"\'"})", 6, "string has an unknown escape"},
      {"{\"a\":\"\\\xC3\xA9\"}", 6, "string has an unknown escape"},
      {R"({"a":"\x41"})", 6, "string has an unknown escape"},
      {R"({"a\q":1})", 3, "string has an unknown escape"},
      {R"({"a":"\u12"})", 6, "string has a broken \\u escape"},
      {R"({"a":"\u12G4"})", 6, "string has a broken \\u escape"},
      {R"({"a":"\u"})", 6, "string has a broken \\u escape"},
      {R"({"a":"\U0041"})", 6, "string has an unknown escape"},
      {R"({"a":"ok \uD800"})", 9, "string has a lone surrogate escape"},
      {R"({"a":"\uDC00"})", 6, "string has a lone surrogate escape"},
      {R"({"a":"\uD800x"})", 6, "string has a lone surrogate escape"},
      {R"({"a":"\uD800\n"})", 6, "string has a lone surrogate escape"},
      {R"({"a":"\uD800\u0041"})", 6, "string has a lone surrogate escape"},
      {R"({"a":"\uD800\uD800\uDC00"})", 6, "string has a lone surrogate escape"},
      {R"({"a":"\uDC00\uD800"})", 6, "string has a lone surrogate escape"},
      {R"({"a":"\uD800\uDC0"})", 6, "string has a lone surrogate escape"},
      {R"({"\udfff":1})", 2, "string has a lone surrogate escape"},
      {"{\"a\":\"x\ty\"}", 7, "string holds a raw control character"},
      {"{\"a\":\"x\0y\"}"s, 7, "string holds a raw control character"},
      {"{\"a\":\"x\ry\"}", 7, "string holds a raw control character"},
      {"{\"a\":\"x\x1Fy\"}", 7, "string holds a raw control character"},
      {"{\"a\":\"x\\\x01y\"}", 8, "string holds a raw control character"},
      {"{\"a\x01\":1}", 3, "string holds a raw control character"},
      // UTF-8.
      {"{\"a\":\"\xFF\"}", 6, "not valid UTF-8"},
      {"{\"a\":\"ok\xC0\xAF\"}", 8, "not valid UTF-8"},
      {"{\"a\":\"\xED\xA0\x80\"}", 6, "not valid UTF-8"},
      {"{\"a\":\"\xE4\xB8\"}", 6, "not valid UTF-8"},
      {"{\"\x80\":1}", 2, "not valid UTF-8"},
      {"{\"a\":1}\xE4\xB8", 7, "not valid UTF-8"},
      {"\xFF\xFE{\0}\0"s, 0, "not valid UTF-8"},
  };
  for (const Case& item : cases) {
    const Verdict verdict = ScanLine(item.line);
    ASSERT_TRUE(verdict.fault.has_value()) << "accepted: " << item.line;
    EXPECT_EQ(verdict.fault->offset, item.offset) << item.line;
    EXPECT_EQ(verdict.fault->reason, item.reason) << item.line;
    EXPECT_FALSE(JsonReference::Accepts(item.line, RecordScanner::kDepthMax)) << item.line;
  }
}

TEST(RecordScanner, CompletionBehindTheLineDoesNotMendIt) {
  RecordScanner scanner({"text"});
  const std::pair<std::string, std::string> cases[] = {
      {R"({"text":1)", "2}"},
      {R"({"text":1.)", "5}"},
      {R"({"text":tr)", "ue}"},
      {R"({"text":"x)", "\"}"},
      {R"({"text":"\)", "n\"}"},
      {R"({"text":"\u00)", "41\"}"},
      {R"({"text":"x\uD83C)", "\\uDF89\"}"},
      {R"({"text":"x")", "}"},
      {"{", "}"},
      {"{\"text\":\"\xC3", "\xA9\"}"},
      {R"({"text":1e)", "5}"},
  };
  for (const auto& [line, behind] : cases) {
    EXPECT_TRUE(ScanWith(scanner, line, behind).fault.has_value()) << line << " + " << behind;
  }
  EXPECT_FALSE(ScanWith(scanner, R"({"text":1})", "garbage\"\\{").fault.has_value());
}

TEST(RecordScanner, ALineFeedEndsTheFirstLineWhereverItStands) {
  RecordScanner scanner({"text"});
  for (const std::string_view line :
       {"", "{", "{\"text\"", "{\"text\":", "{\"text\":1", "{\"text\":[1,", "{\"text\":\"x",
        "{\"text\":\"x\\", "{\"text\":1,"}) {
    for (const std::string_view behind :
         {"}", "\"text\":1}", ":1}", "1}", "2]}", "y\"}", "\n}\n"}) {
      EXPECT_TRUE(ScanFirstWith(scanner, line, behind).fault.has_value()) << line << behind;
    }
  }
  const std::string text = WithBehind(R"({"text":"last"})", "\"");
  const ScannedLine last = scanner.ScanFirstLine(std::string_view(text).substr(0, 15));
  EXPECT_EQ(last.line.size(), 15);
  EXPECT_THAT(VerdictOf(last.tokens).tokens, ElementsAre("\"last\""));
}

TEST(RecordScanner, ALineFeedBetweenTokensOfOneTextIsABlank) {
  RecordScanner scanner({"text"});
  const Verdict verdict = ScanWith(scanner, "\n{\"text\":\n[1,\n2]}\n", "x");
  EXPECT_THAT(verdict.tokens, ElementsAre("[1,\n2]"));
  EXPECT_EQ(ScanWith(scanner, "{\"text\":1}\n{\"text\":2}", "x").fault.value().reason,
            "more text behind the record");
}

TEST(RecordScanner, GivesRawTokensInTheOrderOfThePaths) {
  const Verdict verdict = ScanLine(
      R"({"id" : 7, "doc":{"body":{"title":"T\u00e9"},"x":1} ,"text" : "a\nb" , "n":-1.5e3})",
      {"text", "id", "doc.body.title", "absent", "n", "doc.absent", "doc.body"});
  ASSERT_FALSE(verdict.fault.has_value());
  EXPECT_THAT(verdict.tokens, ElementsAre(R"("a\nb")", "7", R"("T\u00e9")", "", "-1.5e3", "",
                                          R"({"title":"T\u00e9"})"));
}

TEST(RecordScanner, GivesContainersAsTheyStand) {
  const Verdict verdict =
      ScanLine(R"({"response":{"embedding":{"values":[ 0.25, -1e-3 ,[]]}},"e":{},"l":[]})",
               {"response.embedding.values", "e", "l"});
  ASSERT_FALSE(verdict.fault.has_value());
  EXPECT_THAT(verdict.tokens, ElementsAre("[ 0.25, -1e-3 ,[]]", "{}", "[]"));
}

TEST(RecordScanner, LastOfTwoNamesCountsAsAWhole) {
  const auto tokens = [](std::string_view line) { return ScanLine(line, {"a", "a.b"}).tokens; };
  EXPECT_THAT(tokens(R"({"a":1,"a":2})"), ElementsAre("2", ""));
  EXPECT_THAT(tokens(R"({"a":{"b":1},"a":{"c":2}})"), ElementsAre(R"({"c":2})", ""));
  EXPECT_THAT(tokens(R"({"a":{"b":1},"a":5})"), ElementsAre("5", ""));
  EXPECT_THAT(tokens(R"({"a":{"b":1,"b":[2]}})"), ElementsAre(R"({"b":1,"b":[2]})", "[2]"));
  EXPECT_THAT(tokens(R"({"a":{"b":1},"\u0061":{"b":3}})"), ElementsAre(R"({"b":3})", "3"));
}

TEST(RecordScanner, DoesNotLookForNamesInArraysOrBelowOtherNames) {
  EXPECT_THAT(ScanLine(R"([{"text":1}])").tokens, ElementsAre());
  EXPECT_THAT(ScanLine(R"({"a":[{"text":1}],"b":{"text":2}})").tokens, ElementsAre(""));
  EXPECT_THAT(ScanLine(R"({"a":[{"b":1}]})", {"a.b"}).tokens, ElementsAre(""));
  EXPECT_THAT(ScanLine(R"({"Text":1,"text ":2,"tex":3})").tokens, ElementsAre(""));
}

TEST(RecordScanner, TheSamePathMayBeAskedForTwice) {
  EXPECT_THAT(ScanLine(R"({"t":"x"})", {"t", "t"}).tokens, ElementsAre("\"x\"", "\"x\""));
}

TEST(RecordScanner, DepthIsBoundedExactlyWhateverTheMixture) {
  constexpr size_t kMax = RecordScanner::kDepthMax;
  // Depth counts the outer object.
  const auto arrays = [](size_t depth) {
    return R"({"a":)" + Repeat("[", depth - 1) + Repeat("]", depth - 1) + "}";
  };
  const auto objects = [](size_t depth) {
    return Repeat(R"({"a":)", depth - 1) + "{}" + Repeat("}", depth - 1);
  };
  const auto mixed = [](size_t pairs) { return Repeat(R"({"a":[)", pairs) + Repeat("]}", pairs); };
  EXPECT_FALSE(ScanLine(arrays(kMax)).fault.has_value());
  EXPECT_FALSE(ScanLine(objects(kMax)).fault.has_value());
  EXPECT_FALSE(ScanLine(mixed(kMax / 2)).fault.has_value());
  EXPECT_EQ(ScanLine(arrays(kMax + 1)).fault.value().offset, 5 + kMax - 1);
  EXPECT_EQ(ScanLine(objects(kMax + 1)).fault.value().offset, kMax * 5);
  EXPECT_EQ(ScanLine(mixed(kMax / 2 + 1)).fault.value().offset, kMax / 2 * 6);
  for (const std::string& line :
       {arrays(100'000), objects(100'000), mixed(50'000), R"({"a":)" + Repeat("[", 200'000)}) {
    EXPECT_EQ(ScanLine(line).fault.value().reason, "nesting is deeper than 512");
  }
}

TEST(RecordScanner, LongLinesComeAndGo) {
  RecordScanner scanner({"text"});
  for (const size_t size : {100, 3'000'000, 64, 9'000'000, 1'048'566, 1'048'567, 1'048'568, 1}) {
    const std::string token = '"' + std::string(size, 'x') + '"';
    const Verdict verdict = ScanWith(scanner, "{\"text\":" + token + "}", "x");
    ASSERT_FALSE(verdict.fault.has_value()) << size;
    EXPECT_TRUE(verdict.tokens[0] == token) << size;
  }
  // As many tokens as bytes.
  EXPECT_FALSE(ScanWith(scanner, "{\"text\":[" + Repeat("0,", 2'000'000) + "0]}", "x").fault);
}

TEST(RecordScanner, ARefusedLineLeavesNothingBehind) {
  RecordScanner scanner({"text"});
  EXPECT_TRUE(ScanWith(scanner, R"({"text":"old","x":)", "x").fault.has_value());
  EXPECT_THAT(ScanWith(scanner, R"({"x":1})", "x").tokens, ElementsAre(""));
}

TEST(UnescapeJsonString, UndoesEveryEscape) {
  EXPECT_EQ(UnescapeJsonString(R"("")"), "");
  EXPECT_EQ(UnescapeJsonString(R"("plain")"), "plain");
  EXPECT_EQ(UnescapeJsonString(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(UnescapeJsonString(R"("a\u0000b\u007F\u00e9\u07FF\u0800\uFFFD")"),
            "a\0b\x7F\xC3\xA9\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBD"s);
  EXPECT_EQ(UnescapeJsonString(R"("\uD800\uDC00\udbff\uDFFF!")"),
            "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF!");
}

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  std::string Line() {
    std::string line = Pick(kGood);
    for (size_t i = Below(4); i > 0; --i) {
      Mutate(line);
    }
    return line;
  }
  std::string Garbage() {
    std::string garbage;
    while (garbage.size() < 8) {
      garbage += Pick(kPieces);
    }
    return garbage;
  }

 private:
  using Texts = std::vector<std::string>;
  size_t Below(size_t count) {
    return std::uniform_int_distribution<size_t>(0, count - 1)(random_);
  }
  const std::string& Pick(const Texts& texts) { return texts[Below(texts.size())]; }

  void Mutate(std::string& line) {
    const size_t at = Below(line.size() + 1);
    const size_t span = std::min(Below(4), line.size() - at);
    switch (Below(6)) {
      case 0:
        line.erase(at, span + 1 <= line.size() - at ? span + 1 : span);
        break;
      case 1:
        line.insert(at, Pick(kPieces));
        break;
      case 2:
        line.replace(at, span, Pick(kPieces));
        break;
      case 3:
        line.insert(at, line.substr(Below(line.size() + 1), Below(20)));
        break;
      case 4:
        line.insert(at, std::string(Below(130), Below(2) == 0 ? ' ' : 'x'));
        break;
      default:
        line.insert(at, 1, static_cast<char>(Below(256)));
        break;
    }
  }

  const Texts kGood = {
      R"({"text":"The quick brown fox","id":"d-1","n":[1,2.5,-3e10],"ok":true,"none":null})",
      R"({"text":"\u00e9\uD83C\uDF89\\\"\n","doc":{"title":"a","body":[{"x":[]},{}]},"f":false})",
      "{\"text\":\"\xE4\xB8\xAD\xE6\x96\x87 \xF0\x9F\x8E\x89\",\"a\":{\"b\":{\"c\":-0.0}}}",
      R"({"a":"\\\\","text":"x"} )",
      R"({})",
      R"({"text":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\\","b":[[[]]]})",
  };
  const Texts kPieces = {
      "\"",
      "\\",
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      " ",
      "\t",
      "\r",
      "0",
      "1",
      "-",
      "+",
      ".",
      "e",
      "E5",
      "true",
      "false",
      "null",
      "tru",
      "nan",
      "\\u",
      "\\uD800",
      "\\uDC00",
      "\\u00e9",
      "\\n",
      "\\\"",
      "\\\\",
      "\"a\"",
      "\"a\":",
      ",\"text\":1",
      std::string(1, '\0'),
      "\x01",
      "\x1F",
      "\x7F",
      "\xC3\xA9",
      "\xC3",
      "\xEF\xBB\xBF",
      "\xED\xA0\x80",
      "\xE2\x80\xA8",
      "\xFF",
      "\x0C",
      "\x1A",
      "/",
      "//",
      "'",
      "01",
      "1.",
      "{}",
      "[]",
      "{\"a\":1}",
      "a",
      "\n",
  };
  std::mt19937_64 random_;
};

TEST(RecordScanner, AgreesWithASlowReferenceOnMutatedLines) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Mutator mutator(seed);
  RecordScanner scanner({"text", "a.b"});
  RecordScanner index({"text", "a.b"}, RecordKernel::kIndex);
  size_t accepted = 0;
  // The long form (docs/testing.md) says how many.
  const char* const wanted = std::getenv("SLUICE_MUTATED_LINES");
  const size_t kLines = wanted != nullptr ? std::stoull(wanted) : 150'000;
  for (size_t i = 0; i < kLines; ++i) {
    const std::string line = mutator.Line();
    const std::string garbage = mutator.Garbage();
    const Verdict verdict = ScanWith(scanner, line, garbage);
    const Verdict by_index = ScanWith(index, line, garbage);
    ASSERT_EQ(verdict.tokens, by_index.tokens) << line;
    const bool expected = JsonReference::Accepts(line, RecordScanner::kDepthMax);
    ASSERT_EQ(!by_index.fault.has_value(), expected) << line;
    ASSERT_EQ(!verdict.fault.has_value(), expected)
        << line << "\nbehind: " << garbage << "\n"
        << (verdict.fault.has_value() ? verdict.fault->reason : "accepted");
    if (!expected) {
      ASSERT_LE(verdict.fault->offset, line.size());
      continue;
    }
    ++accepted;
    const auto parsed = ParseJson(line);
    if (parsed.is_discarded()) {
      continue;  // A number out of range for nlohmann.
    }
    const auto text = parsed.find("text");
    const std::string& token = verdict.tokens[0];
    ASSERT_EQ(token.empty(), text == parsed.end()) << line;
    if (text != parsed.end()) {
      ASSERT_EQ(ParseJson(token), *text) << line;
    }
    if (text != parsed.end() && text->is_string()) {
      ASSERT_EQ(UnescapeJsonString(token), text->get<std::string>()) << line;
    }
    const auto b = parsed.value("/a/b"_json_pointer, nlohmann::json());
    ASSERT_EQ(ParseJson(verdict.tokens[1].empty() ? "null" : verdict.tokens[1]), b) << line;
  }
  std::printf("seed %llu: %zu of %zu mutated lines accepted by both\n",
              static_cast<unsigned long long>(seed), accepted, kLines);
  EXPECT_GT(accepted, kLines / 20);
  EXPECT_LT(accepted, kLines - kLines / 20);
}

}  // namespace
}  // namespace sluice
