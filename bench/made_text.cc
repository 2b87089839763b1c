#include "bench/made_text.h"

#include <fmt/format.h>

#include <random>
#include <string_view>
#include <vector>

namespace sluice {
namespace {

constexpr size_t kBytes = size_t{1} << 20;

}  // namespace

std::string MadeTextLines(size_t line_bytes) {
  std::mt19937 random(1);
  std::vector<std::string> words;
  for (int i = 0; i < 4000; ++i) {
    std::string word;
    for (size_t length = 2 + random() % 8; length > 0; --length) {
      word += static_cast<char>('a' + random() % 26);
    }
    const std::string_view extras[] = {"\\n", "\\\"", "\xC3\xA9\xC3\xBC",
                                       "\xE4\xB8\xAD\xE6\x96\x87"};
    words.push_back(i % 4 == 0 ? word + std::string(extras[random() % 4]) : word);
  }
  std::string text;
  for (int line = 0; text.size() < kBytes; ++line) {
    text += fmt::format("{{\"id\":\"doc-{}\",\"text\":\"", line);
    for (const size_t end = text.size() + line_bytes; text.size() < end;) {
      text += words[random() % words.size()] + ' ';
    }
    text += "\",\"score\":0.25,\"tags\":[\"a\",\"b\"],\"ok\":true}\n";
  }
  return text;
}

std::string MadeAnswerLines() {
  std::mt19937 random(2);
  std::string text;
  for (int line = 0; text.size() < kBytes; ++line) {
    text += fmt::format("{{\"key\":\"{:012}\",\"response\":{{\"embedding\":{{\"values\":[", line);
    for (int i = 0; i < 768; ++i) {
      text += fmt::format("{}0.0{}", i == 0 ? "" : ",-", random() % 100'000'000);
    }
    text += "]}}}\n";
  }
  return text;
}

}  // namespace sluice
