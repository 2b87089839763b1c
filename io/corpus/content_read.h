// ContentRead: what bytes of a corpus file were read, as a checksum: by it a run that goes on tells
// whether a file whose time stamp moved has changed.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "io/base/error.h"
#include "io/file/file_system.h"

namespace sluice {

// The bytes [from, to) of a file as they are on disk (compressed, if it is).
struct ContentRead {
  uint32_t file = 0;  // index in the list of the corpus
  uint64_t from = 0;
  uint64_t to = 0;
  std::string checksum = {};  // io/base/checksum.h
};

// The same checksum of the file as it is now. Errors: kIo, kNotFound; kInput when it ends before
// `to`.
[[nodiscard]] Result<std::string> ChecksumOfPart(FileSystem& files, const std::string& path,
                                                 uint64_t from, uint64_t to);

// What standard input is to a run that has read its own to the end.
enum class InputGiven { kNone, kSame, kOther };
// Reads standard input to its end; `known` is what was read of it, from zero. An empty one, and a
// terminal, which is not read, are kNone. Errors: kIo.
[[nodiscard]] Result<InputGiven> CompareStandardInput(const ContentRead& known,
                                                      const std::stop_token& stop);

}  // namespace sluice
