#include "kernels.h"

#include "vectors.h"

CLONES double gf_dot(const double *restrict x, const double *restrict y, long count) {
  double sums[8] = {0};
  long i = 0;
  for (; i + 8 <= count; i += 8) {
    for (int lane = 0; lane < 8; lane++) sums[lane] += x[i + lane] * y[i + lane];
  }
  double sum = ((sums[0] + sums[4]) + (sums[2] + sums[6])) +
               ((sums[1] + sums[5]) + (sums[3] + sums[7]));
  for (; i < count; i++) sum += x[i] * y[i];
  return sum;
}

CLONES void gf_scale(double factor, const double *restrict x, double *restrict y, long count) {
  for (long i = 0; i < count; i++) y[i] = factor * x[i];
}

CLONES void gf_add_scaled(double factor, const double *restrict x, double *restrict y,
                          long count) {
  for (long i = 0; i < count; i++) y[i] += factor * x[i];
}

CLONES void gf_multiply(const double *restrict x, const double *restrict y, double *restrict z,
                        long count) {
  for (long i = 0; i < count; i++) z[i] = x[i] * y[i];
}

CLONES void gf_add_product(const double *restrict x, const double *restrict y,
                           double *restrict z, long count) {
  for (long i = 0; i < count; i++) z[i] += x[i] * y[i];
}

CLONES double gf_sum_picked(const double *x, const int16_t *rows, long row_length, long count) {
  double sums[4] = {0, 0, 0, 0};
  for (long i = 0; i < count; i++) sums[i & 3] += x[rows[i] * row_length + i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

CLONES void gf_add_picked(double value, double *y, const int16_t *rows, long row_length,
                          long count) {
  for (long i = 0; i < count; i++) y[rows[i] * row_length + i] += value;
}

CLONES void gf_exp(const double *restrict x, double *restrict y, long count) {
  for (long i = 0; i < count; i += LANES) store(y + i, exp8(load(x + i)));
}

CLONES void gf_log(const double *restrict x, double *restrict y, long count) {
  for (long i = 0; i < count; i += LANES) store(y + i, log8(load(x + i)));
}

CLONES long gf_fewest_new_bits(const void *rows, long first, long count, const void *bits) {
  const uint64_t(*row)[4] = rows;
  const uint64_t *have = bits;
  long best = first + count - 1;
  int fewest = 257;
  for (long i = best; i >= first && fewest > 0; i--) {
    int added = 0;
    for (int word = 0; word < 4; word++) added += __builtin_popcountll(row[i][word] & ~have[word]);
    if (added < fewest) {
      best = i;
      fewest = added;
    }
  }
  return best;
}

const char *gf_instruction_set(void) {
#if HAS_CLONES
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return "x86-64-v4";
  if (__builtin_cpu_supports("x86-64-v3")) return "x86-64-v3";
#endif
  return "baseline";
}
