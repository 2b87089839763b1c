#include "io/codec/zstd.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include "tests/support/compress.h"
#include "tests/support/memory_source.h"

namespace sluice {
namespace {

Result<std::string> DecodeZstd(std::string packed, size_t step_in = 1000, size_t step_out = 777) {
  const auto source =
      MakeZstdSource(std::make_unique<MemorySource>(std::move(packed), step_in), "in.zst");
  return ReadAll(*source, step_out);
}

TEST(Zstd, JoinedFramesDecodeAsOneStream) {
  const std::string parts[] = {SomeText(300'000), "", "x", SomeText(70'000)};
  std::string plain;
  std::string packed;
  for (const std::string& part : parts) {
    plain += part;
    packed += ZstdFrame(part);
    packed += std::string("\x50\x2A\x4D\x18\x03\x00\x00\x00xyz", 11);  // a skippable frame
  }
  for (const size_t step : {1, 7, 4096, 1 << 20}) {
    EXPECT_TRUE(DecodeZstd(packed, step, step) == plain) << step;
  }
}

TEST(Zstd, AFrameCarriesItsSizeAndAChecksum) {
  const std::string frame = ZstdFrame("some text, some text, some text");
  EXPECT_EQ(ZSTD_getFrameContentSize(frame.data(), frame.size()), 31U);
  EXPECT_NE(frame[4] & 0x04, 0);  // RFC 8878, 3.1.1.1.1: Content_Checksum_flag
}

TEST(Zstd, AReusedCompressorMakesTheSameFrames) {
  std::vector<std::string> texts = {SomeText(1 << 20), "", SomeText(5000), SomeText(1 << 20)};
  // Level 3 has two kinds of frames, by how they begin: of these three are of the rarer kind.
  for (int i = 0; i < 12; ++i) {
    texts.push_back(std::to_string(i) + SomeText(100'000));
  }
  for (const int level : {1, 3, 12}) {
    ZstdCompressor compressor(level);
    std::vector<std::byte> out;
    std::string expected;
    for (const std::string& text : texts) {
      compressor.AppendFrame(AsBytes(text), out);
      expected += ZstdFrame(text, level);
    }
    EXPECT_TRUE(std::string(reinterpret_cast<const char*>(out.data()), out.size()) == expected)
        << level;
  }
}

TEST(Zstd, CutAnywhereIsAnErrorThatNamesTheFile) {
  const std::string text = SomeText(20'000);
  const std::string packed = ZstdFrame(text);
  for (size_t size = 0; size < packed.size(); size += size < 40 ? 1 : 97) {
    const auto decoded = DecodeZstd(packed.substr(0, size));
    ASSERT_FALSE(decoded.has_value()) << size;
    EXPECT_EQ(decoded.error().code, ErrorCode::kInput);
    EXPECT_EQ(decoded.error().message, "'in.zst' is cut: its zstd data ends early");
  }
  // Between two frames nothing can be seen; within the second one it can.
  EXPECT_FALSE(DecodeZstd(packed + packed.substr(0, 3)).has_value());
}

TEST(Zstd, AFlippedBitIsFoundWhereverItIs) {
  const std::string text = SomeText(20'000);
  const std::string packed = ZstdFrame(text);
  size_t found = 0;
  for (size_t i = 0; i < packed.size(); ++i) {
    std::string bad = packed;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    const auto decoded = DecodeZstd(bad);
    // A few bits of a frame mean nothing (reserved or unused); the text must be right then.
    ASSERT_TRUE(!decoded.has_value() || *decoded == text) << i;
    found += decoded.has_value() ? 0 : 1;
  }
  EXPECT_GE(found, packed.size() - 2);
}

TEST(Zstd, GarbageBehindAFrameIsAnError) {
  EXPECT_FALSE(DecodeZstd(ZstdFrame("text") + "garbage").has_value());
  EXPECT_FALSE(DecodeZstd("no zstd at all").has_value());
}

TEST(Zstd, AWindowAbove128MiBIsRefused) {
  std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, 28);
  // Without the size of the content in the frame the window is what is asked for.
  std::string packed(1000, '\0');
  ZSTD_inBuffer input = {.src = "text", .size = 4, .pos = 0};
  ZSTD_outBuffer output = {.dst = packed.data(), .size = packed.size(), .pos = 0};
  ASSERT_EQ(ZSTD_isError(ZSTD_compressStream2(context.get(), &output, &input, ZSTD_e_flush)), 0U);
  ASSERT_EQ(ZSTD_compressStream2(context.get(), &output, &input, ZSTD_e_end), 0U);
  packed.resize(output.pos);
  const auto decoded = DecodeZstd(packed);
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().message, "'in.zst' needs a window of more than 128 MiB");
  EXPECT_NE(decoded.error().hint.find("--long=31"), std::string::npos);
}

TEST(Zstd, ABombIsReadInConstantPieces) {
  const std::string frame = ZstdFrame(std::string(64 << 20, '\0'));
  ASSERT_LT(frame.size(), 10'000U);
  const auto source = MakeZstdSource(std::make_unique<MemorySource>(frame), "bomb");
  std::string piece(4096, 'x');
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(source->Read(std::as_writable_bytes(std::span(piece))).value(), piece.size());
  }
}

}  // namespace
}  // namespace sluice
