// Compressed test data. gzip comes from the gzip program, so that two implementations meet.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "io/codec/zstd.h"
#include "tests/support/temp_folder.h"

namespace sluice {

// Words that compress, with a line feed after each tenth or so.
[[nodiscard]] inline std::string SomeText(size_t size) {
  std::mt19937 random(1);
  std::string text;
  while (text.size() < size) {
    text += "word" + std::to_string(random() % 5000) + (random() % 10 == 0 ? "\n" : " ");
  }
  text.resize(size);
  return text;
}

[[nodiscard]] inline std::string ZstdFrame(std::string_view text, int level = 1) {
  std::vector<std::byte> frame;
  ZstdCompressor(level).AppendFrame(AsBytes(text), frame);
  return {reinterpret_cast<const char*>(frame.data()), frame.size()};
}

[[nodiscard]] inline std::string GzipMember(std::string_view text,
                                            std::string_view options = "-6n") {
  const TempFolder folder;
  const std::string plain = folder.Write("plain", text);
  const std::string packed = folder.Path("packed");
  const std::string command =
      "gzip -c " + std::string(options) + " < '" + plain + "' > '" + packed + "'";
  if (std::system(command.c_str()) != 0) {
    std::abort();
  }
  return TempFolder::Read(packed);
}

}  // namespace sluice
