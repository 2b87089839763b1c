#include "io/file/line_reader.h"

namespace sluice {

Result<std::optional<std::string_view>> LineReader::Next() {
  constexpr size_t kReadBytes = size_t{1} << 18;
  size_t searched = begin_;
  while (true) {
    const size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      const std::string_view line(buffer_.data() + begin_, end - begin_);
      offset_ += line.size() + 1;
      begin_ = end + 1;
      return line;
    }
    if (ended_) {
      return std::nullopt;
    }
    buffer_.erase(0, begin_);
    begin_ = 0;
    searched = buffer_.size();
    buffer_.resize(searched + kReadBytes);
    SLUICE_ASSIGN(
        const size_t count,
        source_->Read(std::as_writable_bytes(std::span(buffer_.data() + searched, kReadBytes))));
    buffer_.resize(searched + count);
    ended_ = count == 0;
  }
}

}  // namespace sluice
