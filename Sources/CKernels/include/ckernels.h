#pragma once

// What the training core needs of the processor and Swift has no name for. What is hot inlines.

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

/// Instruction sets the processor has and the kernel saves across context switches.
enum {
    mld_cpu_avx2_fma = 1,
    /// AVX-512 F, CD, BW, DQ and VL: what OpenBLAS's SkylakeX kernels use.
    mld_cpu_avx512 = 2,
};

/// @return a set of the bits above; 0 on other architectures.
static inline int mld_cpu_features(void) {
    int features = 0;
#if defined(__x86_64__)
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
    const unsigned fma = 1u << 12, osxsave = 1u << 27, avx = 1u << 28;
    if ((c & (fma | osxsave | avx)) != (fma | osxsave | avx)) return 0;
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if ((low & 0x06) != 0x06) return 0;  // the kernel saves no ymm registers
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    if (b & (1u << 5)) features |= mld_cpu_avx2_fma;
    const unsigned avx512 = (1u << 16) | (1u << 17) | (1u << 28) | (1u << 30) | (1u << 31);
    if ((b & avx512) == avx512 && (low & 0xe6) == 0xe6) features |= mld_cpu_avx512;
#endif
    return features;
}

/// Bytes that the program holds from malloc, in all threads' arenas.
size_t mld_heap_in_use(void);

/// Makes this thread treat denormal numbers as zero, as operands and as results: they cost up to a hundredfold.
/// @return the previous mode, for mld_restore_float_mode.
static inline unsigned mld_flush_denormals(void) {
#if defined(__x86_64__)
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    return before;
#elif defined(__aarch64__)
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | (1u << 24)));
    return (unsigned)before;
#else
    return 0;
#endif
}

static inline void mld_restore_float_mode(unsigned mode) {
#if defined(__x86_64__)
    _mm_setcsr(mode);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)mode));
#endif
}

/// Tells the processor that this thread spins.
static inline void mld_pause(void) {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#include "mldvector.h"
