// What the AVX-512 kernels of this folder share; nothing on other architectures. For their .cc
// files alone.
#pragma once

#if defined(__x86_64__)

#include <immintrin.h>

// BITALG and VBMI2 came with the processors that do not slow down for wide registers: Intel's Ice
// Lake (2019), AMD's Zen 4 (2022).
#define SLUICE_AVX512_TARGET \
  target("avx512f,avx512bw,avx512dq,avx512vl,avx512bitalg,avx512vbmi2,bmi,bmi2,popcnt")

// As SLUICE_AVX2.
#define SLUICE_AVX512 __attribute__((SLUICE_AVX512_TARGET, always_inline)) inline

namespace sluice {

// Whether this processor, and the system on it, have all of SLUICE_AVX512_TARGET.
inline bool HasAvx512() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
         __builtin_cpu_supports("avx512bitalg") != 0 &&
         __builtin_cpu_supports("avx512vbmi2") != 0 && __builtin_cpu_supports("bmi") != 0 &&
         __builtin_cpu_supports("bmi2") != 0;
}

}  // namespace sluice

#endif
