#include "io/corpus/block_cuts.h"

#include <algorithm>

#include "io/corpus/line_feeds.h"

namespace sluice {

BlockCuts::BlockCuts(size_t block_bytes)
    : block_bytes_(block_bytes), line_feeds_((block_bytes + kCellBytes - 1) / kCellBytes) {}

uint64_t BlockCuts::Note(uint64_t offset, std::string_view text) {
  uint64_t all = 0;
  while (!text.empty()) {
    const uint64_t begin = offset - offset % block_bytes_;
    if (begin != begin_) {
      begin_ = begin;
      noted_to_ = begin;
      std::ranges::fill(line_feeds_, 0);
    }
    const uint64_t cell = (offset - begin) / kCellBytes;
    uint64_t end = std::min(begin + (cell + 1) * kCellBytes, begin + block_bytes_);
    end = std::min(end, offset + text.size());
    const bool is_new = offset >= noted_to_;
    if (!is_new) {
      end = std::min(end, noted_to_);
    }
    const std::string_view piece = text.substr(0, static_cast<size_t>(end - offset));
    const uint64_t line_feeds = CountLineFeeds(piece);
    all += line_feeds;
    if (is_new) {
      line_feeds_[static_cast<size_t>(cell)] += line_feeds;
      noted_to_ = end;
    }
    text.remove_prefix(piece.size());
    offset = end;
  }
  return all;
}

uint64_t BlockCuts::NextAfter(uint64_t offset) const {
  uint64_t lines = 0;
  uint64_t place = begin_;
  for (const uint64_t more : line_feeds_) {
    if (lines > 0 && lines + more > kLinesMax) {
      if (place > offset) {
        return place;
      }
      lines = 0;
    }
    lines += more;
    place += kCellBytes;
  }
  return begin_ + block_bytes_;
}

}  // namespace sluice
