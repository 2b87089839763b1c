// BlockCuts: where the blocks of a file of JSON lines may end: at every multiple of the usual size,
// and, where lines are so short that what is made of them would take many times their room, at
// multiples of a cell between two of those. A cut depends on nothing but the file, so that a
// reading that goes on in the middle of a block ends it where the first one did; all that it needs
// is that the lines of that block were noted from its beginning on. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace sluice {

class BlockCuts {
 public:
  // A block of more lines is cut, but for what one cell holds.
  static constexpr uint64_t kLinesMax = uint64_t{1} << 14;
  static constexpr size_t kCellBytes = size_t{1} << 15;

  explicit BlockCuts(size_t block_bytes);

  // Of the bytes of the file from `offset` on, which begin a usual block, or go on where those
  // before them ended, or were noted before. Gives the line feeds in `text`.
  uint64_t Note(uint64_t offset, std::string_view text);

  // The first cut behind `offset`, which lies in the usual block that was noted last.
  [[nodiscard]] uint64_t NextAfter(uint64_t offset) const;

 private:
  size_t block_bytes_;
  uint64_t begin_ = 0;                // of the usual block
  uint64_t noted_to_ = 0;             // in the file
  std::vector<uint64_t> line_feeds_;  // in each cell of it
};

}  // namespace sluice
