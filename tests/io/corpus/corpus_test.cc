#include "io/corpus/corpus.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <sys/resource.h>
#include <thread>
#include <tuple>
#include <unistd.h>

#include "io/corpus/block_cuts.h"
#include "tests/support/compress.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A block, in values that outlive it.
struct SeenBlock {
  std::string bytes;
  CorpusPlace begin;
  CorpusPlace after;
  std::vector<std::string> texts;
  std::vector<OversizeUnit> oversize;
};

bool Same(const CorpusPlace& a, const CorpusPlace& b) {
  return a.file == b.file && a.line == b.line && a.offset == b.offset;
}

class CorpusTest : public testing::Test {
 protected:
  CorpusOptions OptionsFor(std::vector<std::string> inputs, size_t block_bytes = 64) {
    return {.inputs = std::move(inputs),
            .block_bytes = block_bytes,
            .line_bytes_max = size_t{1} << 20,
            .spool_folder = folder_.Path("spool/deep")};
  }

  Result<std::vector<SeenBlock>> ReadBlocks(const CorpusOptions& options, CorpusPlace from = {}) {
    SLUICE_ASSIGN(auto list, ListCorpusFiles(*files_, options));
    SLUICE_ASSIGN(const auto corpus, OpenCorpus(*files_, std::move(list), options, from));
    std::vector<SeenBlock> seen;
    Block block;
    while (true) {
      SLUICE_ASSIGN(const bool more, corpus->Next(block));
      if (!more) {
        return seen;
      }
      // The padding belongs to the buffer, so it can be written to.
      const std::span<std::byte> all = block.buffer.span();
      if (!block.bytes.empty()) {
        const auto* end =
            reinterpret_cast<const std::byte*>(block.bytes.data() + block.bytes.size());
        EXPECT_GE(all.data() + all.size() - end, static_cast<ptrdiff_t>(Block::kPadding));
        std::memset(all.data() + (end - all.data()), 'G', Block::kPadding);
      }
      SeenBlock copy = {.bytes = std::string(block.bytes),
                        .begin = block.begin,
                        .after = block.after,
                        .texts = {},
                        .oversize = block.oversize};
      for (const TextUnit& unit : block.texts) {
        copy.texts.emplace_back(block.bytes.substr(unit.begin, unit.size));
      }
      seen.push_back(std::move(copy));
    }
  }

  // All lines of all blocks, as they stand in the file.
  Result<std::string> ReadBytes(const CorpusOptions& options) {
    SLUICE_ASSIGN(const auto blocks, ReadBlocks(options));
    std::string bytes;
    for (const SeenBlock& block : blocks) {
      bytes += block.bytes;
    }
    return bytes;
  }

  TempFolder folder_;
  std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
};

std::string RandomLines(std::mt19937_64& random, size_t size) {
  std::string text;
  while (text.size() < size) {
    const size_t length = random() % 8 == 0 ? random() % 300 : random() % 20;
    text += std::string(length, static_cast<char>('a' + random() % 26));
    text += random() % 10 == 0 ? "\r\n" : random() % 15 == 0 ? "\n\n" : "\n";
  }
  text.resize(size);  // Often without a last line end.
  return text;
}

TEST_F(CorpusTest, BlocksAreTheFileCutAtLineEnds) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 1000; ++round) {
    const size_t block_bytes = std::vector<size_t>{1, 16, 64, 100, 4096}[random() % 5];
    const size_t size = block_bytes * (random() % 5) + random() % 4;
    const std::string text = RandomLines(random, size);
    const std::string path = folder_.Write("x.jsonl", text);
    const auto blocks = ReadBlocks(OptionsFor({path}, block_bytes)).value();
    std::string bytes;
    for (const SeenBlock& block : blocks) {
      const auto lines = static_cast<uint64_t>(std::ranges::count(bytes, '\n'));
      ASSERT_TRUE(Same(block.begin, {.file = 0, .line = lines + 1, .offset = bytes.size()}));
      bytes += block.bytes;
      ASSERT_TRUE(block.bytes.ends_with('\n') || bytes.size() == text.size());
      ASSERT_FALSE(block.bytes.empty());
      ASSERT_LE(block.bytes.size(), block_bytes + 400);
    }
    ASSERT_EQ(bytes, text);
  }
}

TEST_F(CorpusTest, AnyBlockEndIsAPlaceToGoOnFromWithTheSameBlocks) {
  std::mt19937_64 random(7);
  const std::string first = RandomLines(random, 3000);
  const std::string second = "\xEF\xBB\xBF" + RandomLines(random, 2000);
  const std::string third = RandomLines(random, 1000);
  const std::string inputs[] = {folder_.Write("1.jsonl", first),
                                folder_.Write("2.jsonl.zst", ZstdFrame(second)),
                                folder_.Write("3.jsonl.gz", GzipMember(third)),
                                folder_.Write("4.txt", "text"), folder_.Write("5.jsonl", first)};
  const CorpusOptions options = OptionsFor({std::begin(inputs), std::end(inputs)}, 200);
  const auto whole = ReadBlocks(options).value();
  ASSERT_GT(whole.size(), 30U);
  for (size_t i = 0; i < whole.size(); ++i) {
    const auto rest = ReadBlocks(options, whole[i].after).value();
    ASSERT_EQ(rest.size(), whole.size() - i - 1) << i;
    for (size_t j = 0; j < rest.size(); ++j) {
      EXPECT_EQ(rest[j].bytes, whole[i + 1 + j].bytes);
      EXPECT_EQ(rest[j].texts, whole[i + 1 + j].texts);
      EXPECT_TRUE(Same(rest[j].begin, whole[i + 1 + j].begin));
      EXPECT_TRUE(Same(rest[j].after, whole[i + 1 + j].after));
    }
  }
}

TEST_F(CorpusTest, AnyLineIsAPlaceToGoOnFromWithTheSameBlocks) {
  std::mt19937_64 random(9);
  const std::string long_lines = std::string(90, 'x') + '\n' + std::string(350, 'y') + '\n';
  const std::string path =
      folder_.Write("1.jsonl", RandomLines(random, 2000) + long_lines + RandomLines(random, 2000) +
                                   long_lines + long_lines + RandomLines(random, 300));
  const CorpusOptions options = OptionsFor({path, folder_.Write("2.jsonl", "{}\n")}, 200);
  const auto whole = ReadBlocks(options).value();
  ASSERT_GT(whole.size(), 10U);
  for (size_t i = 0; i < whole.size(); ++i) {
    const std::string& bytes = whole[i].bytes;
    CorpusPlace place = whole[i].begin;
    for (size_t at = 0; at < bytes.size();) {
      const auto rest = ReadBlocks(options, place).value();
      ASSERT_EQ(rest.size(), whole.size() - i) << i << " " << at;
      EXPECT_EQ(rest[0].bytes, bytes.substr(at));
      EXPECT_TRUE(Same(rest[0].after, whole[i].after));
      const size_t next = std::min(bytes.find('\n', at), bytes.size() - 1) + 1;
      place.line += 1;
      place.offset += next - at;
      at = next;
    }
  }
}

TEST_F(CorpusTest, NoBlockIsMuchLongerThanTheOthersUnlessALineIs) {
  std::mt19937_64 random(11);
  std::string text;
  size_t long_lines = 0;
  while (text.size() < 200'000) {
    const bool is_long = random() % 20 == 0;
    long_lines += is_long ? 1 : 0;
    text += std::string(is_long ? random() % 1500 : random() % 60, 'x') + '\n';
  }
  ASSERT_GT(long_lines, 100U);
  const auto blocks = ReadBlocks(OptionsFor({folder_.Write("x.jsonl", text)}, 1000)).value();
  std::string bytes;
  for (const SeenBlock& block : blocks) {
    const bool is_one_line = block.bytes.find('\n') == block.bytes.size() - 1;
    EXPECT_TRUE(is_one_line || block.bytes.size() <= 1062) << block.bytes.size();
    bytes += block.bytes;
  }
  EXPECT_EQ(bytes, text);
}

TEST_F(CorpusTest, BlocksOfTinyLinesAreShorter) {
  const std::string text(200'000, '\n');
  const auto blocks =
      ReadBlocks(OptionsFor({folder_.Write("x.jsonl", text)}, size_t{1} << 20)).value();
  size_t bytes = 0;
  for (const SeenBlock& block : blocks) {
    EXPECT_LE(block.bytes.size(), BlockCuts::kCellBytes);
    EXPECT_EQ(block.begin.offset, bytes);
    bytes += block.bytes.size();
  }
  EXPECT_EQ(bytes, text.size());
}

// Long lines too, and one that is spooled, among so many short ones that blocks are cut for them.
TEST_F(CorpusTest, AnyOfManyLinesIsAPlaceToGoOnFromWithTheSameBlocks) {
  constexpr size_t kBlockBytes = 300'000;
  std::mt19937_64 random(12);
  std::string text;
  while (text.size() < 2 * 1'000'000) {
    const size_t chance = random() % 4'000;
    const size_t size = chance == 0  ? random() % 200'000
                        : chance < 9 ? random() % 20'000
                                     : random() % (text.size() / 200'000 % 3 == 0 ? 40 : 2);
    text += std::string(size, 'x') + '\n';
  }
  text.insert(text.find('\n', 1'000'000) + 1, std::string(700'000, 'y') + '\n');
  CorpusOptions options = OptionsFor({folder_.Write("x.jsonl", text)}, kBlockBytes);
  options.line_bytes_max = 400'000;
  const auto whole = ReadBlocks(options).value();
  for (size_t i = 0; i < whole.size(); ++i) {
    const auto lines = std::ranges::count(whole[i].bytes, '\n');
    EXPECT_LE(lines, static_cast<ptrdiff_t>(BlockCuts::kCellBytes));
    for (int tries = 0; tries < 3; ++tries) {
      const std::string& bytes = whole[i].bytes;
      const size_t at = bytes.empty() ? 0 : bytes.rfind('\n', random() % bytes.size()) + 1;
      CorpusPlace place = whole[i].begin;
      place.line +=
          static_cast<uint64_t>(std::ranges::count(std::string_view(bytes).substr(0, at), '\n'));
      place.offset += at;
      const auto rest = ReadBlocks(options, place).value();
      ASSERT_EQ(rest.size(), whole.size() - i) << i << " " << at;
      EXPECT_EQ(rest[0].bytes, bytes.substr(at));
      for (size_t k = 0; k < rest.size(); ++k) {
        ASSERT_TRUE(Same(rest[k].after, whole[i + k].after)) << i << " " << at << " " << k;
      }
    }
  }
}

TEST_F(CorpusTest, AnyTextIsAPlaceToGoOnFromWithTheSameBlocks) {
  std::mt19937_64 random(10);
  for (int i = 0; i < 60; ++i) {
    std::ignore = folder_.Write(fmt::format("texts/{}.txt", i), std::string(random() % 90, 't'));
  }
  const CorpusOptions options = OptionsFor({folder_.Path("texts")}, 200);
  const auto whole = ReadBlocks(options).value();
  ASSERT_GT(whole.size(), 10U);
  for (size_t i = 0; i < whole.size(); ++i) {
    for (size_t text = 0; text < whole[i].texts.size(); ++text) {
      const CorpusPlace place = {.file = whole[i].begin.file + static_cast<uint32_t>(text)};
      const auto rest = ReadBlocks(options, place).value();
      ASSERT_EQ(rest.size(), whole.size() - i) << i << " " << text;
      EXPECT_EQ(rest[0].texts.size(), whole[i].texts.size() - text);
      EXPECT_TRUE(Same(rest[0].after, whole[i].after));
    }
  }
}

TEST_F(CorpusTest, CompressedFilesGiveTheSameBlocks) {
  std::mt19937_64 random(8);
  const std::string text = RandomLines(random, 50'000);
  const std::string front = text.substr(0, 20'011);
  const std::string back = text.substr(20'011);
  const auto expected = ReadBlocks(OptionsFor({folder_.Write("x.jsonl", text)}, 4096)).value();
  const std::pair<std::string, std::string> files[] = {
      {"x.jsonl.gz", GzipMember(front) + GzipMember(back)},
      {"x.jsonl.zst", ZstdFrame(front) + ZstdFrame(back)},
      {"gz.jsonl", GzipMember(text)},  // Known by their first bytes alone.
      {"zst.jsonl", ZstdFrame(text)},
  };
  for (const auto& [name, content] : files) {
    const auto blocks = ReadBlocks(OptionsFor({folder_.Write(name, content)}, 4096)).value();
    ASSERT_EQ(blocks.size(), expected.size()) << name;
    for (size_t i = 0; i < blocks.size(); ++i) {
      EXPECT_EQ(blocks[i].bytes, expected[i].bytes);
      EXPECT_TRUE(Same(blocks[i].after, expected[i].after));
    }
  }
}

TEST_F(CorpusTest, CutOrCorruptCompressedFilesAreErrorsThatNameTheFile) {
  const std::string packed[] = {GzipMember("{}\n{}\n"), ZstdFrame("{}\n{}\n")};
  const char* names[] = {"x.jsonl.gz", "x.jsonl.zst"};
  for (size_t i = 0; i < 2; ++i) {
    for (size_t size = 0; size < packed[i].size(); ++size) {
      const std::string path = folder_.Write(names[i], packed[i].substr(0, size));
      const auto blocks = ReadBlocks(OptionsFor({path}));
      ASSERT_FALSE(blocks.has_value()) << size;
      EXPECT_EQ(blocks.error().code, ErrorCode::kInput);
      EXPECT_THAT(blocks.error().message, HasSubstr(names[i]));
    }
  }
}

TEST_F(CorpusTest, OnlyABomAtTheStartOfAFileIsDropped) {
  const std::string bom = "\xEF\xBB\xBF";
  const std::string path = folder_.Write("x.jsonl", bom + "{}\n" + bom + "{}\n");
  const auto blocks = ReadBlocks(OptionsFor({path, path})).value();
  ASSERT_EQ(blocks.size(), 2U);
  for (const SeenBlock& block : blocks) {
    EXPECT_EQ(block.bytes, "{}\n" + bom + "{}\n");
    EXPECT_EQ(block.begin.offset, 3U);
  }
  for (const std::string& front : {std::string("\xEF"), std::string("\xEF\xBB"), bom}) {
    const auto bytes = ReadBytes(OptionsFor({folder_.Write("y.jsonl", front)}));
    EXPECT_EQ(bytes.value(), front == bom ? "" : front);
  }
}

TEST_F(CorpusTest, OnlyLfEndsALine) {
  const std::string text = "a\r\nb\rb\xE2\x80\xA8\xC2\x85\x0B\x0C\n\n \n\nlast";
  const auto blocks = ReadBlocks(OptionsFor({folder_.Write("x.jsonl", text)}, 1)).value();
  std::vector<std::string> lines;
  std::vector<uint64_t> numbers;
  for (const SeenBlock& block : blocks) {
    lines.push_back(block.bytes);
    numbers.push_back(block.begin.line);
  }
  EXPECT_THAT(
      lines, ElementsAre("a\r\n", "b\rb\xE2\x80\xA8\xC2\x85\x0B\x0C\n", "\n", " \n", "\n", "last"));
  EXPECT_THAT(numbers, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(CorpusTest, EmptyFilesGiveNothing) {
  EXPECT_THAT(
      ReadBlocks(OptionsFor({folder_.Write("a.jsonl", ""), folder_.Write("b.jsonl", "")})).value(),
      IsEmpty());
}

TEST_F(CorpusTest, AnOversizeLineGoesToTheSpoolAndNothingElseIsDisturbed) {
  CorpusOptions options = OptionsFor({}, 64);
  options.line_bytes_max = 100;
  const std::string good(100, 'g');
  for (const size_t size : {101, 150, 200, 1000, 4096}) {
    for (const std::string& end :
         std::vector<std::string>{"\n", "\nafter\n", "\n" + good + "\nlast", ""}) {
      const std::string giant(size, 'X');
      const std::string text = "one\n" + good + "\n" + giant + end;
      options.inputs = {folder_.Write("x.jsonl", text)};
      const auto blocks = ReadBlocks(options).value();
      std::string bytes;
      std::vector<OversizeUnit> oversize;
      for (const SeenBlock& block : blocks) {
        EXPECT_EQ(block.begin.offset, bytes.size() + (oversize.empty() ? 0 : size + 1));
        bytes += block.bytes;
        oversize.insert(oversize.end(), block.oversize.begin(), block.oversize.end());
        EXPECT_TRUE(block.bytes.empty() || block.oversize.empty());
      }
      EXPECT_EQ(bytes, "one\n" + good + "\n" + (end.empty() ? "" : end.substr(1)));
      ASSERT_EQ(oversize.size(), 1U);
      EXPECT_TRUE(Same(oversize[0].place, {.file = 0, .line = 3, .offset = 105}));
      EXPECT_EQ(oversize[0].size, size);
      EXPECT_EQ(TempFolder::Read(oversize[0].spool_path), giant);
      EXPECT_TRUE(oversize[0].spool_path.starts_with(options.spool_folder));
    }
  }
}

TEST_F(CorpusTest, OversizeLinesOneBehindTheOtherKeepTheirOwnFiles) {
  CorpusOptions options = OptionsFor({}, 64);
  options.line_bytes_max = 64;
  const std::string a(65, 'a');
  const std::string b(300, 'b');
  options.inputs = {folder_.Write("x.jsonl", "\xEF\xBB\xBF" + a + "\n" + b + "\r\n\n" + a)};
  const auto blocks = ReadBlocks(options).value();
  std::vector<std::string> spooled;
  std::vector<uint64_t> lines;
  for (const SeenBlock& block : blocks) {
    for (const OversizeUnit& unit : block.oversize) {
      spooled.push_back(TempFolder::Read(unit.spool_path));
      lines.push_back(unit.place.line);
      const auto rest = ReadBlocks(options, block.after).value();
      EXPECT_EQ(rest.empty(), unit.place.line == 4);
    }
  }
  EXPECT_THAT(spooled, ElementsAre(a, b + "\r", a));
  EXPECT_THAT(lines, ElementsAre(1, 2, 4));
}

TEST_F(CorpusTest, AGiantLineIsNeverHeldInMemory) {
  constexpr uint64_t kSize = uint64_t{256} << 20;
  const std::string path = folder_.Write("x.jsonl", "{}\n");
  std::filesystem::resize_file(path, kSize);
  CorpusOptions options = OptionsFor({path}, 1 << 20);
  options.line_bytes_max = 16 << 20;
  rusage before = {};
  getrusage(RUSAGE_SELF, &before);
  const auto blocks = ReadBlocks(options).value();
  rusage after = {};
  getrusage(RUSAGE_SELF, &after);
  ASSERT_EQ(blocks.back().oversize.size(), 1U);
  EXPECT_EQ(blocks.back().oversize[0].size, kSize - 3);
  EXPECT_EQ(std::filesystem::file_size(blocks.back().oversize[0].spool_path), kSize - 3);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 80 << 10) << "KiB";
#endif
}

TEST_F(CorpusTest, TextFilesStandBackToBackInABlock) {
  const std::string long_text(150, 'l');
  std::ignore = folder_.Write("d/1.txt", "first");
  std::ignore = folder_.Write("d/2.txt", "");
  std::ignore = folder_.Write("d/3.txt", "\xEF\xBB\xBFthird\n");
  std::ignore = folder_.Write("d/4.txt", long_text);
  std::ignore = folder_.Write("d/5.txt.gz", GzipMember("fifth"));
  std::ignore = folder_.Write("d/6.txt.zst", ZstdFrame("sixth"));
  const CorpusOptions options = OptionsFor({folder_.Path("d")}, 64);
  const auto blocks = ReadBlocks(options).value();
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_THAT(blocks[0].texts, ElementsAre("first", "", "third\n"));
  EXPECT_THAT(blocks[1].texts, ElementsAre(long_text));
  EXPECT_THAT(blocks[2].texts, ElementsAre("fifth", "sixth"));
  EXPECT_EQ(blocks[0].after.file, 3U);
  EXPECT_THAT(ReadBlocks(options, blocks[0].after).value()[0].texts, ElementsAre(long_text));
}

TEST_F(CorpusTest, AnOversizeTextEndsItsBlock) {
  CorpusOptions options = OptionsFor({folder_.Path("d")}, 64);
  options.line_bytes_max = 100;
  const std::string giant(1000, 'X');
  const std::string edge(100, 'e');
  std::ignore = folder_.Write("d/1.txt", "first");
  std::ignore = folder_.Write("d/2.txt", giant);
  std::ignore = folder_.Write("d/3.txt", edge);
  const auto blocks = ReadBlocks(options).value();
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_THAT(blocks[0].texts, ElementsAre("first"));
  ASSERT_EQ(blocks[0].oversize.size(), 1U);
  EXPECT_EQ(blocks[0].oversize[0].place.file, 1U);
  EXPECT_EQ(blocks[0].oversize[0].size, giant.size());
  EXPECT_EQ(TempFolder::Read(blocks[0].oversize[0].spool_path), giant);
  EXPECT_THAT(blocks[1].texts, ElementsAre(edge));
}

TEST_F(CorpusTest, MixedInputsKeepTheirOrder) {
  const auto blocks =
      ReadBlocks(OptionsFor({folder_.Write("a.txt", "text a"), folder_.Write("b.jsonl", "{}"),
                             folder_.Write("c.txt", "text c")}))
          .value();
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_THAT(blocks[0].texts, ElementsAre("text a"));
  EXPECT_EQ(blocks[1].bytes, "{}");
  EXPECT_EQ(blocks[1].begin.file, 1U);
  EXPECT_THAT(blocks[2].texts, ElementsAre("text c"));
}

TEST_F(CorpusTest, AFileOfAnotherSizeThanListedStopsTheReading) {
  for (const char* name : {"x.jsonl", "x.txt", "x.jsonl.gz"}) {
    for (const std::string_view text : {"{}\n", "{}\n{}\n{}\n"}) {
      const bool is_packed = std::string_view(name).ends_with(".gz");
      const auto content = [&](std::string_view plain) {
        return is_packed ? GzipMember(plain) : std::string(plain);
      };
      const CorpusOptions options = OptionsFor({folder_.Write(name, content("{}\n{}\n"))});
      const auto list = ListCorpusFiles(*files_, options).value();
      std::ignore = folder_.Write(name, content(text) + (is_packed ? content("") : std::string()));
      const auto corpus = OpenCorpus(*files_, list, options).value();
      Block block;
      Result<bool> more = corpus->Next(block);
      while (more.has_value() && *more) {
        more = corpus->Next(block);
      }
      ASSERT_FALSE(more.has_value()) << name;
      EXPECT_EQ(more.error().code, ErrorCode::kInput);
      EXPECT_THAT(more.error().message, HasSubstr("changed"));
    }
  }
}

TEST_F(CorpusTest, AFileThatWentAwayIsAnInputError) {
  const CorpusOptions options = OptionsFor({folder_.Write("x.jsonl", "{}\n")});
  const auto list = ListCorpusFiles(*files_, options).value();
  std::filesystem::remove(folder_.Path("x.jsonl"));
  Block block;
  const auto more = OpenCorpus(*files_, list, options).value()->Next(block);
  EXPECT_EQ(more.error().code, ErrorCode::kInput);
  EXPECT_THAT(more.error().message, HasSubstr("x.jsonl"));
}

TEST_F(CorpusTest, AtTheEndTheBlockStaysAsItWas) {
  const CorpusOptions options = OptionsFor({folder_.Write("x.jsonl", "{}\n")});
  const auto corpus =
      OpenCorpus(*files_, ListCorpusFiles(*files_, options).value(), options).value();
  Block block;
  ASSERT_TRUE(corpus->Next(block).value());
  EXPECT_FALSE(corpus->Next(block).value());
  EXPECT_FALSE(corpus->Next(block).value());
  EXPECT_EQ(block.bytes, "{}\n");
  EXPECT_EQ(corpus->bytes_read(), 3U);
}

TEST_F(CorpusTest, BytesReadAreThoseOnDisk) {
  const std::string packed = ZstdFrame(std::string(100'000, '\n'));
  const CorpusOptions options = OptionsFor({folder_.Write("x.jsonl.zst", packed)}, 4096);
  const auto corpus =
      OpenCorpus(*files_, ListCorpusFiles(*files_, options).value(), options).value();
  Block block;
  while (corpus->Next(block).value()) {
  }
  EXPECT_EQ(corpus->bytes_read(), packed.size());
}

TEST_F(CorpusTest, EveryByteStandsInItsPageAsInTheFile) {
  std::mt19937_64 random(9);
  const CorpusOptions options =
      OptionsFor({folder_.Write("x.jsonl", RandomLines(random, 100'000))}, 8192);
  const auto corpus =
      OpenCorpus(*files_, ListCorpusFiles(*files_, options).value(), options).value();
  Block block;
  while (corpus->Next(block).value()) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block.bytes.data()) % AlignedBuffer::kAlignment,
              block.begin.offset % AlignedBuffer::kAlignment);
  }
}

// Puts a file or a pipe under descriptor 0 for as long as it lives.
class StandardInput {
 public:
  explicit StandardInput(int descriptor) : saved_(dup(STDIN_FILENO)) {
    dup2(descriptor, STDIN_FILENO);
    close(descriptor);
  }
  ~StandardInput() {
    dup2(saved_, STDIN_FILENO);
    close(saved_);
  }
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;

 private:
  int saved_;
};

TEST_F(CorpusTest, StandardInputIsReadWhateverItsCompression) {
  std::mt19937_64 random(10);
  const std::string text = "\xEF\xBB\xBF" + RandomLines(random, 10'000);
  for (const std::string& content : {text, GzipMember(text), ZstdFrame(text)}) {
    const std::string path = folder_.Write("in", content);
    const StandardInput input(open(path.c_str(), O_RDONLY));
    EXPECT_EQ(ReadBytes(OptionsFor({"-"}, 1000)).value(), text.substr(3));
  }
  for (const std::string& content : {std::string(), std::string("x"), std::string("{}\n")}) {
    const std::string path = folder_.Write("in", content);
    const StandardInput input(open(path.c_str(), O_RDONLY));
    EXPECT_EQ(ReadBytes(OptionsFor({"-"})).value(), content);
  }
}

TEST_F(CorpusTest, APipeThatGivesLittleAtATimeGivesWholeLines) {
  int ends[2] = {};
  ASSERT_EQ(pipe(ends), 0);
  std::jthread writer([write_end = ends[1]] {
    for (int i = 0; i < 1000; ++i) {
      EXPECT_EQ(write(write_end, "{\"a\":1}\n", 8), 8);
    }
    close(write_end);
  });
  const StandardInput input(ends[0]);
  const auto blocks = ReadBlocks(OptionsFor({"-"}, 100)).value();
  size_t size = 0;
  for (const SeenBlock& block : blocks) {
    EXPECT_TRUE(block.bytes.ends_with("{\"a\":1}\n"));
    size += block.bytes.size();
  }
  EXPECT_EQ(size, 8000U);
}

TEST_F(CorpusTest, StandardInputCannotBeResumed) {
  const CorpusOptions options = OptionsFor({"-"});
  const auto list = ListCorpusFiles(*files_, options).value();
  const auto corpus = OpenCorpus(*files_, list, options, {.file = 0, .line = 5, .offset = 99});
  ASSERT_FALSE(corpus.has_value());
  EXPECT_EQ(corpus.error().code, ErrorCode::kInput);
  EXPECT_TRUE(OpenCorpus(*files_, list, options, {.file = 1, .line = 1, .offset = 0}).has_value());
}

}  // namespace
}  // namespace sluice
