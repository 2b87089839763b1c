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

  // For memory that will be filled from end to end: no part of it is in small pages.
  static AlignedBuffer ToBeFilled(size_t size) {
    return AlignedBuffer(size < kHugePage ? size : RoundUp(size, kHugePage));
  }

  [[nodiscard]] std::byte* data() const { return bytes_.get(); }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] std::span<std::byte> span() const { return {bytes_.get(), size_}; }

  // Makes room for at least `size` bytes; what was in the buffer is lost when it grows. The kernel
  // is asked for huge pages, which cost a fifth of what as many small ones do; it is free to give
  // small ones.
  void Reserve(size_t size) {
    if (size <= size_) {
      return;
    }
    const size_t rounded = RoundUp(size, kAlignment);
    bytes_.reset();
    size_ = 0;
    // Unlike aligned_alloc() it takes a size that is no multiple of the alignment.
    void* memory = nullptr;
    if (::posix_memalign(&memory, rounded < kHugePage ? kAlignment : kHugePage, rounded) != 0) {
      throw std::bad_alloc();
    }
    bytes_.reset(static_cast<std::byte*>(memory));
    size_ = rounded;
    if (const size_t in_huge_pages = rounded / kHugePage * kHugePage; in_huge_pages > 0) {
      ::madvise(data(), in_huge_pages, MADV_HUGEPAGE);
    }
  }

 private:
  static constexpr size_t RoundUp(size_t size, size_t unit) {
    return (size + unit - 1) / unit * unit;
  }

  struct Free {
    void operator()(std::byte* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<std::byte, Free> bytes_;
  size_t size_ = 0;
};

}  // namespace sluice
