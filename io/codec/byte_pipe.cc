#include "io/codec/byte_pipe.h"

#include <algorithm>
#include <cstring>

namespace sluice {

Result<void> BytePipe::Write(std::span<const std::byte> bytes) {
  std::unique_lock lock(mutex_);
  while (!bytes.empty()) {
    if (size_ == ring_.size() && !reading_ended_) {
      const auto begin = std::chrono::steady_clock::now();
      changed_.wait(lock, [this] { return size_ < ring_.size() || reading_ended_; });
      write_wait_ += std::chrono::steady_clock::now() - begin;
    }
    if (reading_ended_) {
      return Fail(ErrorCode::kUnfinished, "nobody reads the rest of the stream");
    }
    bytes = bytes.subspan(PutSome(bytes));
    changed_.notify_one();
  }
  return {};
}

void BytePipe::EndWriting(std::optional<Error> error) {
  const std::scoped_lock lock(mutex_);
  writing_ended_ = true;
  error_ = std::move(error);
  changed_.notify_one();
}

std::chrono::nanoseconds BytePipe::write_wait() const {
  const std::scoped_lock lock(mutex_);
  return write_wait_;
}

Result<size_t> BytePipe::Read(std::span<std::byte> buffer) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return size_ > 0 || writing_ended_; });
  if (size_ == 0 && error_.has_value()) {
    return std::unexpected(*error_);
  }
  const size_t count = TakeSome(buffer);
  changed_.notify_one();
  return count;
}

void BytePipe::EndReading() {
  const std::scoped_lock lock(mutex_);
  reading_ended_ = true;
  changed_.notify_one();
}

// As many bytes as fit without a turn at the ring's end.
size_t BytePipe::PutSome(std::span<const std::byte> bytes) {
  const size_t at = (begin_ + size_) % ring_.size();
  const size_t count = std::min({bytes.size(), ring_.size() - size_, ring_.size() - at});
  std::memcpy(&ring_[at], bytes.data(), count);
  size_ += count;
  return count;
}

size_t BytePipe::TakeSome(std::span<std::byte> buffer) {
  const size_t count = std::min({buffer.size(), size_, ring_.size() - begin_});
  if (count > 0) {
    std::memcpy(buffer.data(), &ring_[begin_], count);
    begin_ = (begin_ + count) % ring_.size();
    size_ -= count;
  }
  return count;
}

}  // namespace sluice
