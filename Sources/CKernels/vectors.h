// Eight doubles at a time, in the vector extension of clang and GCC.
//
// The compiler lowers one operation on `vec` to one AVX-512 instruction, two of AVX2 or four of
// SSE2. Lanes never mix except in `sum_lanes` and `sum_rows`, whose order is fixed, products are
// fused only where `fma` says so, and so every instruction set gives the same bits.

#ifndef GRADFLOW_VECTORS_H
#define GRADFLOW_VECTORS_H

#include <stdint.h>
#include <string.h>

#ifdef __has_feature
#define IS_THREAD_SANITIZED __has_feature(thread_sanitizer)
#else
#define IS_THREAD_SANITIZED 0
#endif

#pragma clang fp contract(off)
// Functions that pass vectors are inlined everywhere, so there is no call whose convention could change.
#pragma clang diagnostic ignored "-Wpsabi"

// Which copy runs, a resolver decides before anything else of the program has run. Clang 21 puts calls of
// ThreadSanitizer into it, which is not ready then; so there is one copy, with the same bits.
#if defined(__x86_64__) && defined(__linux__) && !IS_THREAD_SANITIZED
#define HAS_CLONES 1
#define CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define HAS_CLONES 0
#define CLONES
#endif

#define INLINE static inline __attribute__((always_inline))

/// Whether one register holds a vector, and there are 32 of them.
INLINE int has_wide_registers(void) {
#if HAS_CLONES
  return __builtin_cpu_supports("x86-64-v4");
#else
  return 0;
#endif
}

enum { LANES = 8 };

typedef double vec __attribute__((vector_size(64), aligned(8)));
typedef int64_t ivec __attribute__((vector_size(64), aligned(8)));

#if IS_THREAD_SANITIZED
// It passes over what is wider than 16 bytes, unless it is told.
void __tsan_read_range(void *start, unsigned long size);
void __tsan_write_range(void *start, unsigned long size);
#else
#define __tsan_read_range(start, size)
#define __tsan_write_range(start, size)
#endif

INLINE vec load(const double *x) {
  __tsan_read_range((void *)x, sizeof(vec));
  return *(const vec *)x;
}
INLINE void store(double *x, vec v) {
  __tsan_write_range(x, sizeof(vec));
  *(vec *)x = v;
}
INLINE vec splat(double x) { return (vec){x, x, x, x, x, x, x, x}; }
INLINE vec fma8(vec x, vec y, vec z) { return __builtin_elementwise_fma(x, y, z); }
/// x where the mask is set, else y.
INLINE vec choose(ivec mask, vec x, vec y) { return (vec)((mask & (ivec)x) | (~mask & (ivec)y)); }

/// The sum of the lanes, in a fixed order.
INLINE double sum_lanes(vec v) {
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

/// The sums of the lanes of eight vectors: pairs of neighbours, then pairs of those, then both halves.
INLINE vec sum_rows(const double *rows) {
  vec a[4];
  for (int i = 0; i < 4; i++) {
    // Lanes 0,2,4,6 and 1,3,5,7 of rows 2i and 2i + 1, side by side.
    vec x = load(rows + 16 * i), y = load(rows + 16 * i + 8);
    a[i] = __builtin_shufflevector(x, y, 0, 8, 2, 10, 4, 12, 6, 14) +
           __builtin_shufflevector(x, y, 1, 9, 3, 11, 5, 13, 7, 15);
  }
  vec b[2];
  for (int i = 0; i < 2; i++) {
    vec x = a[2 * i], y = a[2 * i + 1];
    b[i] = __builtin_shufflevector(x, y, 0, 1, 8, 9, 4, 5, 12, 13) +
           __builtin_shufflevector(x, y, 2, 3, 10, 11, 6, 7, 14, 15);
  }
  return __builtin_shufflevector(b[0], b[1], 0, 1, 2, 3, 8, 9, 10, 11) +
         __builtin_shufflevector(b[0], b[1], 4, 5, 6, 7, 12, 13, 14, 15);
}

/// eˣ = y 2ᵏ with y near 1: x = k log 2 + r, |r| ≤ log 2/2, and eʳ = 1 + r + r² q(r) with q of degree 9,
/// interpolated at Chebyshev points (error .15 · 2⁻⁵³).
INLINE vec reduced_exp(vec x, ivec *k) {
  const double shifter = 0x1.8p52;
  vec t = fma8(x, splat(0x1.71547652b82fep+0), splat(shifter));
  vec n = t - shifter;
  *k = (ivec)t - (ivec)splat(shifter);
  vec r = fma8(n, splat(-0x1.62e42fefa39efp-1), x);
  r = fma8(n, splat(-0x1.abc9e3b39803fp-56), r);
  vec s = r * r;
  vec q01 = fma8(splat(0x1.5555555555556p-3), r, splat(0x1.0000000000001p-1));
  vec q23 = fma8(splat(0x1.11111111109b3p-7), r, splat(0x1.5555555553d63p-5));
  vec q45 = fma8(splat(0x1.a01a01a7c41d5p-13), r, splat(0x1.6c16c1788bd90p-10));
  vec q67 = fma8(splat(0x1.71de0dae63bb3p-19), r, splat(0x1.a019b90d2ae7ap-16));
  vec q89 = fma8(splat(0x1.af38a9b0ec855p-26), r, splat(0x1.289185613a3d6p-22));
  vec fourth = s * s;
  vec low = fma8(q23, s, q01);
  vec high = fma8(q89, fourth, fma8(q67, s, q45));
  vec q = fma8(high, fourth, low);
  return fma8(s, q, r) + 1.0;
}

/// eˣ of |x| ≤ 690, within 1.1 ULP.
INLINE vec exp8_moderate(vec x) {
  ivec k;
  vec y = reduced_exp(x, &k);
  return (vec)((ivec)y + (k << 52));
}

/// eˣ, within 1.1 ULP; 0 from −745.2 down, infinite from 709.8 up.
///
/// Far from 1 the power of two is applied in two steps, so that subnormal results are rounded once
/// more and nothing overflows early.
INLINE vec exp8(vec x) {
  x = choose(x < -746.0, splat(-746.0), x);
  x = choose(x > 710.0, splat(710.0), x);
  ivec k;
  vec y = reduced_exp(x, &k);
  ivec tiny = x < -690.0, huge = x > 690.0;
  k += (tiny & 128) - (huge & 128);
  vec rest = choose(tiny, splat(0x1p-128), choose(huge, splat(0x1p128), splat(1.0)));
  return y * (vec)((k + 1023) << 52) * rest;
}

/// log x of positive normal numbers, within 1 ULP; x = 2ᵏ m with m in √½…√2.
///
/// With f = m − 1 and s = f/(2 + f): log m = f − (f²/2 − s (f²/2 + R(s²))). The polynomial is that of
/// FreeBSD's e_log.c (Sun Microsystems, 1993).
INLINE vec log8_normal(vec x) {
  const int64_t one = 0x3ff0000000000000, root = 0x3fe6a09e667f3bcd;
  ivec bits = (ivec)x + (one - root);
  ivec k = (bits >> 52) - 1023;
  vec m = (vec)((bits & 0x000fffffffffffff) + root);
  vec e = __builtin_convertvector(k, vec);
  vec f = m - 1.0;
  vec s = f / (f + 2.0);
  vec z = s * s;
  vec w = z * z;
  vec even = w * fma8(w, fma8(w, splat(0x1.39a09d078c69fp-3), splat(0x1.c71c51d8e78afp-3)),
                      splat(0x1.999999997fa04p-2));
  vec odd = z * fma8(w, fma8(w, fma8(w, splat(0x1.2f112df3e5244p-3), splat(0x1.7466496cb03dep-3)),
                                splat(0x1.2492494229359p-2)),
                     splat(0x1.5555555555593p-1));
  vec half = 0.5 * f * f;
  vec correction = fma8(s, half + (even + odd), e * 0x1.a39ef35793c76p-33);
  return fma8(e, splat(0x1.62e42feep-1), f - (half - correction));
}

double gf_logarithm(double x);

/// log x; lanes that are not positive normal numbers go through the library's logarithm.
INLINE vec log8(vec x) {
  vec y = log8_normal(x);
  ivec strange = ~((x >= 0x1p-1022) & (x < __builtin_inf()));
  int64_t any = 0;
  for (int i = 0; i < LANES; i++) any |= strange[i];
  if (__builtin_expect(any != 0, 0)) {
    for (int i = 0; i < LANES; i++) {
      if (strange[i]) y[i] = gf_logarithm(x[i]);
    }
  }
  return y;
}

#endif
