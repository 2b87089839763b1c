// BytePipe: bytes from one thread to another through bounded memory. The writer waits while the
// pipe is full and the reader while it is empty, so neither runs ahead of the other.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "io/base/error.h"

namespace sluice {

class BytePipe {
 public:
  explicit BytePipe(size_t capacity = size_t{1} << 20) : ring_(capacity) {}

  // One writing thread. Error: kUnfinished once the reader has gone.
  [[nodiscard]] Result<void> Write(std::span<const std::byte> bytes);
  // Ends the stream, with an error or whole. What was written before is still read.
  void EndWriting(std::optional<Error> error);
  // How long the writer has waited for the reader.
  [[nodiscard]] std::chrono::nanoseconds write_wait() const;

  // One reading thread. 0 at the end of a whole stream.
  [[nodiscard]] Result<size_t> Read(std::span<std::byte> buffer);
  // The reader wants no more.
  void EndReading();

 private:
  size_t PutSome(std::span<const std::byte> bytes);
  size_t TakeSome(std::span<std::byte> buffer);

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::vector<std::byte> ring_;
  size_t begin_ = 0;  // of the unread bytes in the ring
  size_t size_ = 0;   // of the unread bytes
  bool writing_ended_ = false;
  bool reading_ended_ = false;
  std::optional<Error> error_;
  std::chrono::nanoseconds write_wait_{0};
};

}  // namespace sluice
