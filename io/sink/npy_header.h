// The head of a numpy file: "NPY 1.0" (numpy/lib/format.py): magic, version, a header of a multiple
// of 64 bytes that is a Python dict as text; then the rows.
#pragma once

#include <cstdint>
#include <string>

namespace sluice {

inline constexpr uint64_t kNpyHeaderBytes = 128;  // room for any row count and dimension

// Of an array of little-endian float32 in C order, shape (rows, dimension).
[[nodiscard]] std::string FormatNpyHeader(uint64_t rows, int dimension);

}  // namespace sluice
