#include "io/codec/gzip.h"

#include <gtest/gtest.h>
#include <random>

#include "tests/support/compress.h"
#include "tests/support/memory_source.h"

namespace sluice {
namespace {

Result<std::string> DecodeGzip(std::string packed, size_t step_in = 1000, size_t step_out = 777) {
  const auto source =
      MakeGzipSource(std::make_unique<MemorySource>(std::move(packed), step_in), "in.gz");
  return ReadAll(*source, step_out);
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
    const auto decoded = DecodeGzip(packed, step, step);
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
  EXPECT_TRUE(DecodeGzip(GzipMember(noise)) == noise);
  EXPECT_TRUE(DecodeGzip(GzipMember(SomeText(200'000), "-9")) == SomeText(200'000));
  EXPECT_TRUE(DecodeGzip(GzipMember(std::string(5 << 20, 'a'), "-1")) == std::string(5 << 20, 'a'));
}

// RFC 1952, 2.3.1: FHCRC is the lower half of the header's CRC-32.
std::string HeaderChecksum(std::string_view header) {
  uint32_t crc = ~uint32_t{0};
  for (const char byte : header) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320 : 0);
    }
  }
  return {static_cast<char>(~crc), static_cast<char>(~crc >> 8)};
}

// `text` behind a header with the optional parts that `flags` asks for.
std::string MemberWith(int flags, std::string_view text) {
  const std::string member = GzipMember(text);
  std::string header = member.substr(0, 10);
  header[3] = static_cast<char>(flags);
  header += (flags & 0x04) != 0 ? std::string("\x03\0abc", 5) : "";        // FEXTRA
  header += (flags & 0x08) != 0 ? std::string("name\0", 5) : "";           // FNAME
  header += (flags & 0x10) != 0 ? std::string("comment\0", 8) : "";        // FCOMMENT
  header += (flags & 0x02) != 0 ? HeaderChecksum(header) : std::string();  // FHCRC
  return header + member.substr(10);
}

TEST(Gzip, OptionalPartsOfAHeaderArePassedOverWhereverAReadEnds) {
  for (int flags = 0; flags < 0x20; flags += 2) {
    const std::string packed = MemberWith(flags, "first ") + MemberWith(flags, "second");
    for (size_t step = 1; step < 64; ++step) {
      const auto decoded = DecodeGzip(packed, step);
      ASSERT_TRUE(decoded.has_value()) << flags << ' ' << step << decoded.error().message;
      EXPECT_EQ(*decoded, "first second") << flags << ' ' << step;
    }
  }
}

TEST(Gzip, AWrongChecksumOfAHeaderIsAnError) {
  std::string packed = MemberWith(0x02 | 0x08, "text");
  packed[11] ^= 1;
  for (const size_t step : {1, 3, 100}) {
    EXPECT_FALSE(DecodeGzip(packed, step).has_value()) << step;
  }
}

TEST(Gzip, CutAnywhereIsAnErrorThatNamesTheFile) {
  const std::string packed = GzipMember(SomeText(20'000));
  for (size_t size = 0; size < packed.size();
       size += size < 40 || size + 20 > packed.size() ? 1 : 97) {
    const auto decoded = DecodeGzip(packed.substr(0, size));
    ASSERT_FALSE(decoded.has_value()) << size;
    EXPECT_EQ(decoded.error().code, ErrorCode::kInput);
    EXPECT_EQ(decoded.error().message, "'in.gz' is cut: its gzip data ends early");
  }
  for (size_t size = 1; size < 20; ++size) {
    EXPECT_FALSE(DecodeGzip(packed + packed.substr(0, size)).has_value()) << size;
  }
}

TEST(Gzip, AFlippedBitIsFoundOrHarmless) {
  const std::string text = SomeText(20'000);
  const std::string packed = GzipMember(text);
  size_t found = 0;
  for (size_t i = 0; i < packed.size(); ++i) {
    std::string bad = packed;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    const auto decoded = DecodeGzip(bad);
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
    const auto decoded = DecodeGzip(bad);
    ASSERT_FALSE(decoded.has_value()) << from_end;
    EXPECT_EQ(decoded.error().message,
              "'in.gz' is not good gzip data: checksum or length is wrong");
  }
}

TEST(Gzip, GarbageBehindAMemberIsAnError) {
  EXPECT_FALSE(DecodeGzip(GzipMember("text") + "garbage").has_value());
  EXPECT_FALSE(DecodeGzip(GzipMember("text") + std::string(100, '\0')).has_value());
  EXPECT_FALSE(DecodeGzip("no gzip at all, no gzip at all").has_value());
}

}  // namespace
}  // namespace sluice
