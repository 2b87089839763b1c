// What the AVX2 kernels of this folder share; nothing on other architectures. For their .cc files
// alone.
#pragma once

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstdint>

// For helpers of a function that is compiled for AVX2: they must become part of it, because code
// for other processors cannot call them.
#define SLUICE_AVX2 __attribute__((target("avx2,bmi"), always_inline)) inline

namespace sluice {

// Whether this processor, and the system on it, have what SLUICE_AVX2 asks for.
inline bool HasAvx2() {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi") != 0;
}

// One bit for each of 64 bytes, set where the byte's highest bit is, as comparisons leave it.
SLUICE_AVX2 uint64_t MaskOf(__m256i low, __m256i high) {
  return static_cast<uint32_t>(_mm256_movemask_epi8(low)) |
         static_cast<uint64_t>(static_cast<uint32_t>(_mm256_movemask_epi8(high))) << 32;
}

}  // namespace sluice

#endif
