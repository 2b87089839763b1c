#include "io/sink/npy_header.h"

#include <fmt/format.h>

namespace sluice {

std::string FormatNpyHeader(uint64_t rows, int dimension) {
  constexpr size_t kPreludeBytes = 10;  // magic, version, length of the dict
  std::string dict = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}",
                                 rows, dimension);
  dict.resize(kNpyHeaderBytes - kPreludeBytes - 1, ' ');
  dict.push_back('\n');
  std::string header("\x93NUMPY\x01\x00", 8);
  header.push_back(static_cast<char>(dict.size() & 0xff));
  header.push_back(static_cast<char>(dict.size() >> 8));
  return header + dict;
}

}  // namespace sluice
