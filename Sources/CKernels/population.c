#include "population.h"

#include "losses.h"

// A product keeps a tile of C in registers: ROWS rows by WIDE vectors where there are 32 registers of a
// vector each, by one vector elsewhere.
enum { ROWS = 6, WIDE = 4 };

INLINE void product_tile(const int rows, const int width, long depth, const double *a,
                         long a_stride, const double *b, long b_stride, int keeps, double *c,
                         long c_stride) {
  vec sums[ROWS * WIDE];
  for (int i = 0; i < rows; i++) {
    for (int j = 0; j < width; j++) {
      sums[i * width + j] = keeps ? load(c + i * c_stride + j * LANES) : splat(0.0);
    }
  }
  for (long k = 0; k < depth; k++) {
    vec y[WIDE];
    for (int j = 0; j < width; j++) y[j] = load(b + (j * b_stride + k) * LANES);
    for (int i = 0; i < rows; i++) {
      vec x = splat(a[i * a_stride + k]);
      for (int j = 0; j < width; j++) {
        sums[i * width + j] = fma8(x, y[j], sums[i * width + j]);
      }
    }
  }
  for (int i = 0; i < rows; i++) {
    for (int j = 0; j < width; j++) store(c + i * c_stride + j * LANES, sums[i * width + j]);
  }
}

INLINE void product_columns(const int width, long rows, long depth, const double *a,
                            long a_stride, const double *b, long b_stride, int keeps, double *c,
                            long c_stride) {
  long i = 0;
  for (; i + ROWS <= rows; i += ROWS) {
    product_tile(ROWS, width, depth, a + i * a_stride, a_stride, b, b_stride, keeps,
                 c + i * c_stride, c_stride);
  }
  for (; i < rows; i++) {
    product_tile(1, width, depth, a + i * a_stride, a_stride, b, b_stride, keeps,
                 c + i * c_stride, c_stride);
  }
}

CLONES void gf_packed_product(long rows, long vectors, long depth, const double *a, long a_stride,
                              const double *b, long b_stride, int keeps, double *c,
                              long c_stride) {
  long j = 0;
  for (; has_wide_registers() && j + WIDE <= vectors; j += WIDE) {
    product_columns(WIDE, rows, depth, a, a_stride, b + j * b_stride * LANES, b_stride, keeps,
                    c + j * LANES, c_stride);
  }
  for (; j < vectors; j++) {
    product_columns(1, rows, depth, a, a_stride, b + j * b_stride * LANES, b_stride, keeps,
                    c + j * LANES, c_stride);
  }
}

CLONES double gf_population_read_out(const gf_population *p, int adjoints, double *sums) {
  const long token = p->weight_stride * LANES;
  vec total = splat(0.0);
  for (long chunk = 0; chunk < p->chunks; chunk++) {
    const double *weights = p->weights + chunk * p->vocabulary * token;
    double *t = sums + chunk * p->vocabulary * LANES;
    for (long q = 0; q < p->queries; q++) {
      total += losses(p->vocabulary, p->vocabulary, weights + q * LANES, token, p->score,
                      adjoints, t + q * p->sum_stride);
    }
  }
  return sum_lanes(total);
}

CLONES void gf_population_read_out_tangent(const gf_population *p, double *sums,
                                           double *sum_tangents) {
  const long token = p->weight_stride * LANES;
  for (long chunk = 0; chunk < p->chunks; chunk++) {
    const double *weights = p->weights + chunk * p->vocabulary * token;
    const long start = chunk * p->vocabulary * LANES;
    for (long q = 0; q < p->queries; q++) {
      const long place = start + q * p->sum_stride;
      loss_tangents(p->vocabulary, p->vocabulary, weights + q * LANES, token, p->score,
                    sums + place, sum_tangents + place);
    }
  }
}
