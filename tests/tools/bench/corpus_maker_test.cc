#include "tools/bench/corpus_maker.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "io/base/checksum.h"
#include "io/file/file_system.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

std::string Make(const CorpusMakerOptions& options) {
  std::string corpus;
  const auto made = MakeCorpus(options, [&](std::string_view lines) {
    corpus += lines;
    return Result<void>();
  });
  EXPECT_EQ(made.value().bytes, corpus.size());
  EXPECT_EQ(made->documents, static_cast<uint64_t>(std::ranges::count(corpus, '\n')));
  return corpus;
}

// The text as it stands in the line, with its escapes.
std::string_view RawText(std::string_view line) {
  constexpr std::string_view kBefore = "\"text\":\"";
  line.remove_prefix(line.find(kBefore) + kBefore.size());
  return line.substr(0, line.size() - 2);
}

struct Shares {
  double escapes = 0;
  double non_ascii = 0;
};

Shares SharesOf(const std::string& corpus) {
  std::istringstream lines(corpus);
  size_t text = 0;
  size_t escapes = 0;
  size_t non_ascii = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::string_view raw = RawText(line);
    text += raw.size();
    for (size_t i = 0; i < raw.size(); ++i) {
      non_ascii += static_cast<unsigned char>(raw[i]) >= 0x80 ? 1 : 0;
      if (raw[i] == '\\') {
        const size_t size = raw[i + 1] == 'u' ? 6 : 2;
        escapes += size;
        i += size - 1;
      }
    }
  }
  return {.escapes = static_cast<double>(escapes) / static_cast<double>(text),
          .non_ascii = static_cast<double>(non_ascii) / static_cast<double>(text)};
}

TEST(CorpusMaker, GivesTheSameBytesOnEveryMachine) {
  const CorpusMakerOptions options{.documents = 100};
  const std::string corpus = Make(options);
  EXPECT_EQ(corpus, Make(options));
  EXPECT_NE(corpus, Make({.documents = 100, .seed = 2}));
  EXPECT_EQ(ChecksumOf(AsBytes(corpus)), 14644365827260520622U);
}

TEST(CorpusMaker, EveryLineIsARecord) {
  std::istringstream lines(Make({.documents = 2000, .document_bytes = 300}));
  uint64_t number = 0;
  for (std::string line; std::getline(lines, line); ++number) {
    const auto record = ParseJson(line);
    EXPECT_EQ(record.at("id"), "doc-" + std::to_string(number));
    EXPECT_FALSE(record.at("text").get<std::string>().empty());
  }
  EXPECT_EQ(number, 2000U);
}

TEST(CorpusMaker, HasTheSizesThatWereAskedFor) {
  for (const uint64_t bytes : {200U, 1000U, 20'000U}) {
    const auto size =
        static_cast<double>(Make({.documents = 4'000'000 / bytes, .document_bytes = bytes}).size());
    EXPECT_NEAR(size, 4'000'000, 250'000) << bytes;
  }
  EXPECT_EQ(Make({.bytes = 0}), "");
  const size_t size = Make({.bytes = 3'000'000}).size();
  EXPECT_GE(size, 3'000'000U);
  EXPECT_LT(size, 3'002'000U);
}

TEST(CorpusMaker, HasTheSharesThatWereAskedFor) {
  for (const double share : {0.0, 0.04, 0.3}) {
    const Shares shares =
        SharesOf(Make({.bytes = 2'000'000, .escape_share = share, .non_ascii_share = share}));
    EXPECT_NEAR(shares.escapes, share, 0.005);
    EXPECT_NEAR(shares.non_ascii, share, 0.01);
  }
}

TEST(CorpusMaker, WritesInTheScriptsThatWereAskedFor) {
  const std::string cyrillic =
      Make({.documents = 50, .non_ascii_share = 1, .scripts = {Script::kCyrillic}});
  EXPECT_NE(cyrillic.find("\xD0"), std::string::npos);
  EXPECT_EQ(cyrillic.find("\xE4"), std::string::npos);
  EXPECT_EQ(cyrillic.find("\xF0\x9F"), std::string::npos);
  const std::string emoji =
      Make({.documents = 50, .non_ascii_share = 1, .scripts = {Script::kEmoji}});
  EXPECT_NE(emoji.find("\xF0\x9F\x98"), std::string::npos);
}

TEST(CorpusMaker, EndsWhenNobodyTakesItsLines) {
  const auto made = MakeCorpus({.bytes = uint64_t{1} << 50}, [](std::string_view) {
    return Result<void>(Fail(ErrorCode::kUnfinished, "enough"));
  });
  EXPECT_EQ(made.error().code, ErrorCode::kUnfinished);
}

}  // namespace
}  // namespace sluice
