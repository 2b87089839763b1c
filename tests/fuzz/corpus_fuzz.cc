// The corpus reader over any bytes, plain or compressed, as lines or as a text: no crash, bounded
// memory, and blocks that follow each other without a gap.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "io/corpus/corpus.h"
#include "tests/support/temp_folder.h"

namespace {

constexpr size_t kLineBytesMax = 4096;
constexpr uint64_t kBytesReadMax = uint64_t{8} << 20;  // A bomb is left when it has shown itself.

void ReadAll(sluice::FileSystem& files, const sluice::CorpusOptions& options) {
  const auto corpus =
      sluice::OpenCorpus(files, sluice::ListCorpusFiles(files, options).value(), options).value();
  sluice::Block block;
  sluice::CorpusPlace place;
  uint64_t given = 0;
  while (given < kBytesReadMax) {
    const auto more = corpus->Next(block);
    if (!more.has_value() || !*more) {
      return;
    }
    const bool is_lines = block.format == sluice::InputFormat::kJsonLines;
    // A byte order mark may stand in front of the first block.
    const bool follows = block.begin.offset == place.offset || place.offset == 0;
    const bool moves = block.after.file > place.file || block.after.offset > place.offset;
    if ((is_lines && !follows) || !moves || block.bytes.size() > 2 * kLineBytesMax ||
        block.buffer.size() > 16 * kLineBytesMax) {
      std::abort();
    }
    place = block.after;
    given += block.bytes.size();
    for (const auto& unit : block.oversize) {
      given += unit.size;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const sluice::TempFolder folder;
  static const auto files = sluice::MakePosixFileSystem();
  const std::string path = folder.Write("input", {reinterpret_cast<const char*>(data), size});
  using Format = sluice::CorpusOptions::Format;
  for (const Format format : {Format::kJsonLines, Format::kText}) {
    ReadAll(*files, {.inputs = {path},
                     .format = format,
                     .block_bytes = 1000,
                     .line_bytes_max = kLineBytesMax,
                     .spool_folder = folder.Path("spool")});
  }
  return 0;
}
