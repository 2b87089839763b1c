// LineScan: finds where the lines of a JSONL file begin, from blocks of it. Lines of blanks alone
// are no lines. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice {

class LineScan {
 public:
  // Calls found(offset in the file) for every line that is found to be one in the next block.
  template <typename Found>
  void Take(std::string_view block, Found found) {
    for (size_t i = 0; i < block.size();) {
      if (in_line_) {
        i = block.find('\n', i);
        if (i == std::string_view::npos) {
          break;
        }
        in_line_ = false;
        line_start_ = block_start_ + ++i;
      } else if (block[i] == '\n') {
        line_start_ = block_start_ + ++i;
      } else if (block[i] == ' ' || block[i] == '\t' || block[i] == '\r') {
        ++i;
      } else {
        in_line_ = true;
        found(line_start_);
      }
    }
    block_start_ += block.size();
  }

 private:
  uint64_t block_start_ = 0;
  uint64_t line_start_ = 0;
  bool in_line_ = false;
};

}  // namespace sluice
