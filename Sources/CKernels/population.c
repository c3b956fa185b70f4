#include "population.h"

#include "vectors.h"

// A product keeps a tile of C in registers: ROWS rows by WIDE vectors where there are 32 registers of a
// vector each, by one vector elsewhere.
enum { ROWS = 6, WIDE = 4 };

INLINE int has_wide_registers(void) {
#if defined(__x86_64__) && defined(__linux__)
  return __builtin_cpu_supports("x86-64-v4");
#else
  return 0;
#endif
}

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

/// 1/Z, or 1 where Z = 0: nothing there has weight.
INLINE vec inverse_total(int d, const double *t) {
  vec z = splat(0.0);
  for (int e = 0; e < d; e++) z += load(t + e * LANES);
  return 1.0 / choose(z == 0.0, splat(1.0), z);
}

/// y + ε, or 1 where the token has no weight.
INLINE vec floored(vec weight, vec y, double floor) {
  return choose(weight > 0.0, y + floor, splat(1.0));
}

/// The losses of eight chains at one query; with `adjoints` writes T̄ over T, shape (d, 8).
INLINE vec losses(int d, const double *weights, long stride, double floor, int adjoints,
                  double *t) {
  vec inverse = inverse_total(d, t);
  vec loss = splat(0.0), mean = splat(0.0);
  for (int e = 0; e < d; e++) {
    vec weight = load(weights + e * stride);
    vec y = load(t + e * LANES) * inverse;
    vec p = floored(weight, y, floor);
    loss = fma8(-weight, log8(p), loss);
    if (!adjoints) continue;
    vec f = -weight * inverse / p;
    store(t + e * LANES, f);
    mean = fma8(f, y, mean);
  }
  for (int e = 0; adjoints && e < d; e++) {
    store(t + e * LANES, load(t + e * LANES) - mean);
  }
  return loss;
}

CLONES double gf_population_read_out(const gf_population *p, int adjoints, double *sums) {
  const long token = p->weight_stride * LANES;
  vec total = splat(0.0);
  for (long chunk = 0; chunk < p->chunks; chunk++) {
    const double *weights = p->weights + chunk * p->vocabulary * token;
    double *t = sums + chunk * p->vocabulary * LANES;
    for (long q = 0; q < p->queries; q++) {
      total += losses(p->vocabulary, weights + q * LANES, token, p->floor, adjoints,
                      t + q * p->sum_stride);
    }
  }
  return sum_lanes(total);
}

/// T̄ of eight chains at one query and its tangent, each over what it is made from.
INLINE void loss_tangents(int d, const double *weights, long stride, double floor, double *t,
                          double *tangent) {
  vec inverse = inverse_total(d, t);
  vec growth = splat(0.0);
  for (int e = 0; e < d; e++) growth += load(tangent + e * LANES);
  growth *= inverse;
  vec mean = splat(0.0), mean_tangent = splat(0.0);
  for (int e = 0; e < d; e++) {
    vec weight = load(weights + e * stride);
    vec y = load(t + e * LANES) * inverse;
    vec p = floored(weight, y, floor);
    vec f = -weight * inverse / p;
    vec y_dot = load(tangent + e * LANES) * inverse - y * growth;
    vec f_dot = -f * (y_dot / p + growth);
    store(t + e * LANES, f);
    store(tangent + e * LANES, f_dot);
    mean = fma8(f, y, mean);
    mean_tangent = fma8(f_dot, y, fma8(f, y_dot, mean_tangent));
  }
  for (int e = 0; e < d; e++) {
    store(t + e * LANES, load(t + e * LANES) - mean);
    store(tangent + e * LANES, load(tangent + e * LANES) - mean_tangent);
  }
}

CLONES void gf_population_read_out_tangent(const gf_population *p, double *sums,
                                           double *sum_tangents) {
  const long token = p->weight_stride * LANES;
  for (long chunk = 0; chunk < p->chunks; chunk++) {
    const double *weights = p->weights + chunk * p->vocabulary * token;
    const long start = chunk * p->vocabulary * LANES;
    for (long q = 0; q < p->queries; q++) {
      const long place = start + q * p->sum_stride;
      loss_tangents(p->vocabulary, weights + q * LANES, token, p->floor, sums + place,
                    sum_tangents + place);
    }
  }
}
