#include "io/corpus/line_feeds.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <string>

namespace sluice {
namespace {

TEST(CountLineFeeds, AgreesWithAByteLoopAtEveryLengthAndStart) {
  std::mt19937 random(1);
  std::string text(70'000, 'x');
  for (char& c : text) {
    c = random() % 3 == 0 ? '\n' : static_cast<char>(random());
  }
  for (size_t size = 0; size < 200; ++size) {
    const std::string_view part = std::string_view(text).substr(size % 7, size);
    EXPECT_EQ(CountLineFeeds(part), std::ranges::count(part, '\n')) << size;
  }
  EXPECT_EQ(CountLineFeeds(text), std::ranges::count(text, '\n'));
  EXPECT_EQ(CountLineFeeds(std::string(100'000, '\n')), 100'000U);
}

}  // namespace
}  // namespace sluice
