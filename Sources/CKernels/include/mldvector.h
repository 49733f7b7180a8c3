#pragma once

// A vector of floats as wide as the processor this is built for, and the operations on it that Swift has no fast form
// of. Everything inlines, into Swift too.

#include <stdint.h>

#if defined(__AVX512F__)
#define MLD_LANES 16
#elif defined(__AVX2__)
#define MLD_LANES 8
#else
#define MLD_LANES 4
#endif

typedef float mld_vector __attribute__((ext_vector_type(MLD_LANES)));
typedef int mld_ivector __attribute__((ext_vector_type(MLD_LANES)));

#define MLD_INLINE static inline __attribute__((always_inline))

enum { mld_lanes = MLD_LANES };


/// a b + c: in one rounding where the processor has it, else in two.
MLD_INLINE mld_vector mld_fma(mld_vector a, mld_vector b, mld_vector c) {
#if defined(__FMA__) || defined(__aarch64__)
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

/// Of two numbers the larger; a NaN in `a` stays one, so that a diverging model is seen.
MLD_INLINE mld_vector mld_max(mld_vector a, mld_vector b) { return a < b ? b : a; }
/// Of two numbers the larger; a NaN in either stays one.
MLD_INLINE mld_vector mld_maximum(mld_vector a, mld_vector b) { return ((a < b) | (b != b)) ? b : a; }
/// Of two numbers the smaller; a NaN in `a` stays one.
MLD_INLINE mld_vector mld_min(mld_vector a, mld_vector b) { return a > b ? b : a; }
MLD_INLINE mld_vector mld_sqrt(mld_vector a) { return __builtin_elementwise_sqrt(a); }
/// `a` where `x > 0`, else `b`.
MLD_INLINE mld_vector mld_select_positive(mld_vector x, mld_vector a, mld_vector b) { return x > 0 ? a : b; }

/// e^x by reduction to |r| <= ln(2) / 2 and the Taylor polynomial of degree 7: within 2 units in the last place from
/// -87 to 88. Below, 0 or the smallest number; above, infinity is not reached: the largest argument is 88.37.
MLD_INLINE mld_vector mld_exp(mld_vector x) {
    mld_vector y = mld_min(mld_max(x, (mld_vector)(-87.33f)), (mld_vector)(88.37f));
    mld_vector n = __builtin_elementwise_roundeven(y * 1.44269504088896341f);
    mld_vector r = mld_fma(n, (mld_vector)(-0.693359375f), y);
    r = mld_fma(n, (mld_vector)(2.12194440e-4f), r);
    mld_vector p = (mld_vector)(1.0f / 5040);
    p = mld_fma(p, r, (mld_vector)(1.0f / 720));
    p = mld_fma(p, r, (mld_vector)(1.0f / 120));
    p = mld_fma(p, r, (mld_vector)(1.0f / 24));
    p = mld_fma(p, r, (mld_vector)(1.0f / 6));
    p = mld_fma(p, r, (mld_vector)(0.5f));
    p = mld_fma(p, r, (mld_vector)(1));
    p = mld_fma(p, r, (mld_vector)(1));
    // A NaN converts to some integer; the product with p, which is NaN too, stays one.
    mld_ivector exponent = (__builtin_convertvector(n, mld_ivector) + 127) << 23;
    mld_vector scale;
    __builtin_memcpy(&scale, &exponent, sizeof scale);
    return p * scale;
}

/// tanh x = x P(x^2) / Q(x^2), both of degree 4: our own fit, least relative error on (0, 8.3], 1e-8 before rounding and
/// 3.4e-7 after it; beyond 8.3 it is 1 to the last bit.
MLD_INLINE mld_vector mld_tanh(mld_vector x) {
    mld_vector y = mld_min(mld_max(x, (mld_vector)(-8.3f)), (mld_vector)(8.3f));
    mld_vector s = y * y;
    mld_vector p = mld_fma(s, (mld_vector)(1.4648278146012221e-8f), (mld_vector)(2.1508503778022714e-5f));
    p = mld_fma(p, s, (mld_vector)(3.5491695161908865e-3f));
    p = mld_fma(p, s, (mld_vector)(0.1342587023973465f));
    p = mld_fma(p, s, (mld_vector)(1)) * y;
    mld_vector q = mld_fma(s, (mld_vector)(8.295114639622625e-7f), (mld_vector)(3.3739511854946613e-4f));
    q = mld_fma(q, s, (mld_vector)(0.026079950854182243f));
    q = mld_fma(q, s, (mld_vector)(0.46759194135665894f));
    q = mld_fma(q, s, (mld_vector)(1));
    return mld_min(mld_max(p / q, (mld_vector)(-1)), (mld_vector)(1));
}

/// 1 / (1 + e^-x), within 2e-7.
MLD_INLINE mld_vector mld_sigmoid(mld_vector x) {
    return mld_fma(mld_tanh(x * 0.5f), (mld_vector)(0.5f), (mld_vector)(0.5f));
}

/// For each lane `factor`, or 0 if its 16 bits of the draws, the lowest first, are below `threshold`. Four lanes take one
/// draw; draws that the lanes do not need are not looked at.
MLD_INLINE mld_vector mld_keep(uint64_t a, uint64_t b, uint64_t c, uint64_t d, int threshold, float factor) {
    typedef unsigned short bits_vector __attribute__((ext_vector_type(MLD_LANES)));
    uint64_t draws[4] = {a, b, c, d};
    bits_vector bits;
    __builtin_memcpy(&bits, draws, sizeof bits);
    return __builtin_convertvector(bits, mld_ivector) >= threshold ? (mld_vector)(factor) : (mld_vector)(0);
}

/// The sum of all lanes, pairwise.
MLD_INLINE float mld_sum(mld_vector v) {
    float lanes[MLD_LANES];
    __builtin_memcpy(lanes, &v, sizeof v);
    for (int width = MLD_LANES / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
    return lanes[0];
}

/// The largest lane.
MLD_INLINE float mld_largest(mld_vector v) { return __builtin_reduce_max(v); }
