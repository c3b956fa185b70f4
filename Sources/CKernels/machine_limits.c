#include "machine_limits.h"

#include "vectors.h"

enum { CHAINS = 16 };

CLONES double gf_multiply_add_rounds(long count) {
  vec sums[CHAINS];
  for (int i = 0; i < CHAINS; i++) sums[i] = splat(i);
  vec factor = splat(0.999), term = splat(0.5);
  // The compiler must take neither for a constant.
  __asm__ volatile("" : "+m"(factor), "+m"(term));
  for (long round = 0; round < count; round++) {
    for (int i = 0; i < CHAINS; i++) sums[i] = fma8(sums[i], factor, term);
  }
  vec total = splat(0.0);
  for (int i = 0; i < CHAINS; i++) total += sums[i];
  return sum_lanes(total);
}

CLONES void gf_triad(double factor, const double *restrict y, const double *restrict z,
                     double *restrict x, long count) {
  for (long i = 0; i < count; i++) x[i] = y[i] + factor * z[i];
}
