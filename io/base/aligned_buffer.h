// AlignedBuffer: reusable raw memory that begins at a page. Reads into memory that is not aligned
// are several times slower on common machines, and simdjson wants readable bytes behind the text.
// One thread at a time; moves, does not copy.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>

namespace sluice {

class AlignedBuffer {
 public:
  static constexpr size_t kAlignment = 4096;

  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t size) { Reserve(size); }

  [[nodiscard]] std::byte* data() const { return bytes_.get(); }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] std::span<std::byte> span() const { return {bytes_.get(), size_}; }

  // Makes room for at least `size` bytes; what was in the buffer is lost when it grows.
  void Reserve(size_t size) {
    if (size <= size_) {
      return;
    }
    const size_t rounded = (size + kAlignment - 1) / kAlignment * kAlignment;
    bytes_.reset();
    bytes_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded)));
    if (bytes_ == nullptr) {
      throw std::bad_alloc();
    }
    size_ = rounded;
  }

 private:
  struct Free {
    void operator()(std::byte* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<std::byte, Free> bytes_;
  size_t size_ = 0;
};

}  // namespace sluice
