#include "io/codec/gzip.h"

#include <gtest/gtest.h>
#include <random>

#include "tests/support/compress.h"
#include "tests/support/memory_source.h"

namespace sluice {
namespace {

Result<std::string> Decode(std::string packed, size_t step_in = 1000, size_t step_out = 777) {
  const auto source =
      MakeGzipSource(std::make_unique<MemorySource>(std::move(packed), step_in), "in.gz");
  return ReadAll(*source, step_out);
}

std::string SomeText(size_t size) {
  std::mt19937 random(1);
  std::string text;
  while (text.size() < size) {
    text += "word" + std::to_string(random() % 5000) + (random() % 10 == 0 ? "\n" : " ");
  }
  text.resize(size);
  return text;
}

TEST(Gzip, JoinedMembersDecodeAsOneStream) {
  const std::string parts[] = {SomeText(300'000), "", "x", SomeText(70'000)};
  std::string plain;
  std::string packed;
  for (const std::string& part : parts) {
    plain += part;
    packed += GzipMember(part);
  }
  for (const size_t step : {1, 7, 4096, 1 << 20}) {
    const auto decoded = Decode(packed, step, step);
    ASSERT_TRUE(decoded.has_value()) << step << ": " << decoded.error().message;
    EXPECT_TRUE(*decoded == plain) << step;
  }
}

TEST(Gzip, StoredAndBestAndRandomBytesComeBack) {
  std::mt19937 random(2);
  std::string noise(200'000, '\0');
  for (char& c : noise) {
    c = static_cast<char>(random());
  }
  EXPECT_TRUE(Decode(GzipMember(noise)) == noise);
  EXPECT_TRUE(Decode(GzipMember(SomeText(200'000), "-9")) == SomeText(200'000));
  EXPECT_TRUE(Decode(GzipMember(std::string(5 << 20, 'a'), "-1")) == std::string(5 << 20, 'a'));
}

TEST(Gzip, AHeaderWithEveryOptionalPartIsPassedOver) {
  std::string member = GzipMember("text");
  member[3] = 0x04 | 0x08 | 0x10;  // FEXTRA, FNAME, FCOMMENT (RFC 1952, 2.3.1)
  member.insert(10, std::string("\x03\0abcname\0comment\0", 18));
  EXPECT_EQ(Decode(member, 1).value(), "text");
}

TEST(Gzip, CutAnywhereIsAnErrorThatNamesTheFile) {
  const std::string packed = GzipMember(SomeText(20'000));
  for (size_t size = 0; size < packed.size();
       size += size < 40 || size + 20 > packed.size() ? 1 : 97) {
    const auto decoded = Decode(packed.substr(0, size));
    ASSERT_FALSE(decoded.has_value()) << size;
    EXPECT_EQ(decoded.error().code, ErrorCode::kInput);
    EXPECT_EQ(decoded.error().message, "'in.gz' is cut: its gzip data ends early");
  }
  for (size_t size = 1; size < 20; ++size) {
    EXPECT_FALSE(Decode(packed + packed.substr(0, size)).has_value()) << size;
  }
}

TEST(Gzip, AFlippedBitIsFoundOrHarmless) {
  const std::string text = SomeText(20'000);
  const std::string packed = GzipMember(text);
  size_t found = 0;
  for (size_t i = 0; i < packed.size(); ++i) {
    std::string bad = packed;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    const auto decoded = Decode(bad);
    // Time, system and such in the header may change; the text may not.
    ASSERT_TRUE(!decoded.has_value() || *decoded == text) << i;
    found += decoded.has_value() ? 0 : 1;
  }
  EXPECT_GE(found, packed.size() - 10);
}

TEST(Gzip, AWrongChecksumOrLengthIsAnError) {
  const std::string packed = GzipMember(SomeText(20'000));
  for (size_t from_end = 1; from_end <= 8; ++from_end) {
    std::string bad = packed;
    char& byte = bad[bad.size() - from_end];
    byte = static_cast<char>(byte ^ 1);
    const auto decoded = Decode(bad);
    ASSERT_FALSE(decoded.has_value()) << from_end;
    EXPECT_EQ(decoded.error().message,
              "'in.gz' is not good gzip data: checksum or length is wrong");
  }
}

TEST(Gzip, GarbageBehindAMemberIsAnError) {
  EXPECT_FALSE(Decode(GzipMember("text") + "garbage").has_value());
  EXPECT_FALSE(Decode(GzipMember("text") + std::string(100, '\0')).has_value());
  EXPECT_FALSE(Decode("no gzip at all, no gzip at all").has_value());
}

}  // namespace
}  // namespace sluice
