// MemorySource: a ByteSource over text in memory that gives at most `step` bytes a call.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "io/codec/byte_source.h"

namespace sluice {

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string text, size_t step = std::string::npos)
      : text_(std::move(text)), step_(step) {}

  Result<size_t> Read(std::span<std::byte> buffer) override {
    const size_t count = std::min({buffer.size(), text_.size() - used_, step_});
    std::memcpy(buffer.data(), text_.data() + used_, count);
    used_ += count;
    return count;
  }

 private:
  std::string text_;
  size_t step_;
  size_t used_ = 0;
};

// All that `source` gives, asked for in pieces of `step` bytes.
[[nodiscard]] inline Result<std::string> ReadAll(ByteSource& source, size_t step = 4096) {
  std::string text;
  while (true) {
    std::string piece(step, '\0');
    SLUICE_ASSIGN(const size_t count, source.Read(std::as_writable_bytes(std::span(piece))));
    if (count == 0) {
      return text;
    }
    text.append(piece, 0, count);
  }
}

}  // namespace sluice
