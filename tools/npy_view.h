// NpyView: a NumPy array file (.npy, format 1.0 and 2.0) of float32 rows, mapped into memory.
// Format: numpy.org/doc/stable/reference/generated/numpy.lib.format.html, read 2026-11.
// Immutable, thread-safe. The file must not shrink while it is mapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "io/base/error.h"

namespace sluice {

struct NpyHeader {
  uint64_t rows = 0;
  uint64_t columns = 0;
  size_t data_offset = 0;
};

// `bytes` is the front of the file, with at least the whole header. Accepts little-endian float32
// in C order with two dimensions, nothing else. Errors: kInput saying what is wrong.
[[nodiscard]] Result<NpyHeader> ParseNpyHeader(std::string_view bytes);

class NpyView {
 public:
  // Errors: kIo, kInput naming the file (also when it is shorter or longer than its header says).
  [[nodiscard]] static Result<NpyView> Open(const std::string& path);
  NpyView(NpyView&& other) noexcept;
  NpyView& operator=(NpyView&& other) = delete;
  ~NpyView();

  [[nodiscard]] uint64_t rows() const { return header_.rows; }
  [[nodiscard]] uint64_t columns() const { return header_.columns; }
  [[nodiscard]] std::span<const float> Row(uint64_t row) const;

 private:
  NpyView(std::span<const std::byte> mapped, NpyHeader header) : mapped_(mapped), header_(header) {}

  std::span<const std::byte> mapped_;
  NpyHeader header_;
};

}  // namespace sluice
