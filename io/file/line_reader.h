// LineReader: the lines of a file that we wrote ourselves, one after the other. For the corpus,
// which is not ours, see io/corpus. One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "io/base/error.h"
#include "io/codec/byte_source.h"

namespace sluice {

class LineReader {
 public:
  explicit LineReader(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

  // The next line without its LF, valid until the next call; nothing at the end. A last line
  // without LF is torn (a crash in the middle of a write) and is not given: see torn().
  [[nodiscard]] Result<std::optional<std::string_view>> Next();
  // Bytes of the whole lines given so far, with their LFs.
  [[nodiscard]] uint64_t offset() const { return offset_; }
  // True after the end when bytes without LF were left.
  [[nodiscard]] bool torn() const { return ended_ && begin_ < buffer_.size(); }

 private:
  std::unique_ptr<ByteSource> source_;
  std::string buffer_;
  size_t begin_ = 0;
  uint64_t offset_ = 0;
  bool ended_ = false;
};

}  // namespace sluice
