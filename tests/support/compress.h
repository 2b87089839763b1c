// Compressed test data. gzip comes from the gzip program, so that two implementations meet.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "io/codec/zstd.h"
#include "tests/support/temp_folder.h"

namespace sluice {

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
