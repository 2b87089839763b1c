#include "tools/emulator/line_scan.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace sluice {
namespace {

std::vector<uint64_t> Starts(std::string_view text, size_t block_size) {
  std::vector<uint64_t> starts;
  LineScan scan;
  for (size_t i = 0; i < text.size(); i += block_size) {
    scan.Take(text.substr(i, block_size), [&](uint64_t start) { starts.push_back(start); });
  }
  return starts;
}

TEST(LineScan, FindsLinesWhateverTheBlocks) {
  const std::string text = "one\n\n  \t\r\n  two\nthree";
  for (size_t block_size = 1; block_size <= text.size(); ++block_size) {
    EXPECT_EQ(Starts(text, block_size), (std::vector<uint64_t>{0, 10, 16})) << block_size;
  }
}

TEST(LineScan, FindsNothingInBlanks) { EXPECT_TRUE(Starts(" \n\n \r\n", 2).empty()); }

}  // namespace
}  // namespace sluice
