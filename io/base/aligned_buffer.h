// AlignedBuffer: reusable raw memory that begins at a page. Reads into memory that is not aligned
// are several times slower on common machines, and simdjson wants readable bytes behind the text.
// One thread at a time; moves, does not copy.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <sys/mman.h>

namespace sluice {

class AlignedBuffer {
 public:
  static constexpr size_t kAlignment = 4096;
  static constexpr size_t kHugePage = size_t{2} << 20;

  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t size) { Reserve(size); }

  // For memory that will be filled from end to end: the kernel is asked for huge pages, which cost
  // a fifth of what as many small ones do. It is free to give small ones.
  static AlignedBuffer ToBeFilled(size_t size) {
    if (size < kHugePage) {
      return AlignedBuffer(size);
    }
    AlignedBuffer buffer;
    buffer.Allocate(size, kHugePage);
    ::madvise(buffer.data(), buffer.size(), MADV_HUGEPAGE);
    return buffer;
  }

  [[nodiscard]] std::byte* data() const { return bytes_.get(); }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] std::span<std::byte> span() const { return {bytes_.get(), size_}; }

  // Makes room for at least `size` bytes; what was in the buffer is lost when it grows.
  void Reserve(size_t size) {
    if (size > size_) {
      Allocate(size, kAlignment);
    }
  }

 private:
  void Allocate(size_t size, size_t alignment) {
    const size_t rounded = (size + alignment - 1) / alignment * alignment;
    bytes_.reset();
    bytes_.reset(static_cast<std::byte*>(std::aligned_alloc(alignment, rounded)));
    if (bytes_ == nullptr) {
      throw std::bad_alloc();
    }
    size_ = rounded;
  }

  struct Free {
    void operator()(std::byte* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<std::byte, Free> bytes_;
  size_t size_ = 0;
};

}  // namespace sluice
