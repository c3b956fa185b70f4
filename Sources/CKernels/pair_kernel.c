#include "pair_kernel.h"

#include "vectors.h"

// Runs of `width` vectors of keys at a time, so that several chains of additions are under way at once.
// The products of subsets go through `scratch`, which stays in the first cache.

enum { WIDTH = 4 };

/// m_S of a run of keys for every subset S ≠ ∅, shape (subsets, width), from g of the heads.
INLINE void products_of(const gf_polynomial *k, const int width, const double *overlaps,
                        long stride, vec *m) {
  for (int w = 0; w < width; w++) m[w] = splat(1.0);
  for (int s = 1; s < k->subsets; s++) {
    const double *g = overlaps + k->last_heads[s] * stride;
    const vec *parent = m + k->parents[s] * width;
    for (int w = 0; w < width; w++) m[s * width + w] = parent[w] * load(g + w * LANES);
  }
}

INLINE void forward(const gf_polynomial *k, const int width, const double *shares, double scale,
                    double shift, const double *keys, long row_length, const double *query,
                    long query_stride, long stride, double *overlaps, double *logits,
                    double *powers, vec *m) {
  const int d = k->vocabulary;
  for (int h = 0; h < k->heads; h++) {
    vec g[WIDTH];
    for (int w = 0; w < width; w++) g[w] = splat(0.0);
    for (int e = 0; e < d; e++) {
      const double *v = keys + (h * d + e) * row_length;
      vec q = splat(query[(h * d + e) * query_stride]);
      for (int w = 0; w < width; w++) g[w] = fma8(q, load(v + w * LANES), g[w]);
    }
    for (int w = 0; w < width; w++) {
      if (k->is_rectified) g[w] = choose(g[w] > 0.0, g[w], splat(0.0));
      store(overlaps + h * stride + w * LANES, g[w]);
    }
  }
  products_of(k, width, overlaps, stride, m);
  vec sum[WIDTH];
  for (int w = 0; w < width; w++) sum[w] = splat(shares[0]);
  for (int s = 1; s < k->subsets; s++) {
    vec p = splat(shares[s]);
    for (int w = 0; w < width; w++) sum[w] = fma8(p, m[s * width + w], sum[w]);
  }
  for (int w = 0; w < width; w++) {
    vec z = scale * sum[w];
    store(logits + w * LANES, z);
    store(powers + w * LANES, exp8_moderate(z - shift));
  }
}

CLONES void gf_pair_forward(const gf_polynomial *k, const double *shares, double scale,
                            double shift, const double *keys, long row_length,
                            const double *query, long query_stride, long count, long stride,
                            double *overlaps, double *logits, double *powers,
                            double *scratch) {
  long i = 0;
  for (; i + WIDTH * LANES <= count; i += WIDTH * LANES) {
    forward(k, WIDTH, shares, scale, shift, keys + i, row_length, query, query_stride, stride,
            overlaps + i, logits + i, powers + i, (vec *)scratch);
  }
  for (; i < count; i += LANES) {
    forward(k, 1, shares, scale, shift, keys + i, row_length, query, query_stride, stride,
            overlaps + i, logits + i, powers + i, (vec *)scratch);
  }
}

INLINE void backward(const gf_polynomial *k, const int width, const double *shares, double scale,
                     const double *overlaps, const double *logit_adjoint, long stride, vec *sums,
                     double *overlap_adjoints, vec *m) {
  vec z[WIDTH];
  for (int w = 0; w < width; w++) z[w] = load(logit_adjoint + w * LANES);
  products_of(k, width, overlaps, stride, m);
  for (int s = 0; s < k->subsets; s++) {
    vec sum = z[0] * m[s * width];
    for (int w = 1; w < width; w++) sum = fma8(z[w], m[s * width + w], sum);
    sums[s] += sum;
  }
  if (!overlap_adjoints) return;
  const int32_t *term = k->slopes;
  for (int h = 0; h < k->heads; h++) {
    vec slope[WIDTH];
    for (int w = 0; w < width; w++) slope[w] = splat(0.0);
    for (; *term >= 0; term += 2) {
      vec p = splat(shares[term[0]]);
      const vec *rest = m + term[1] * width;
      for (int w = 0; w < width; w++) slope[w] = fma8(p, rest[w], slope[w]);
    }
    term++;
    for (int w = 0; w < width; w++) {
      vec adjoint = scale * z[w] * slope[w];
      if (k->is_rectified) {
        adjoint = choose(load(overlaps + h * stride + w * LANES) > 0.0, adjoint, splat(0.0));
      }
      store(overlap_adjoints + h * stride + w * LANES, adjoint);
    }
  }
}

CLONES void gf_pair_backward(const gf_polynomial *k, const double *shares, double scale,
                             const double *overlaps, const double *logit_adjoint, long count,
                             long stride, double *product_sums, double *overlap_adjoints,
                             double *scratch) {
  vec *sums = (vec *)scratch, *m = sums + k->subsets;
  for (int s = 0; s < k->subsets; s++) sums[s] = splat(0.0);
  long i = 0;
  for (; i + WIDTH * LANES <= count; i += WIDTH * LANES) {
    backward(k, WIDTH, shares, scale, overlaps + i, logit_adjoint + i, stride, sums,
             overlap_adjoints ? overlap_adjoints + i : 0, m);
  }
  for (; i < count; i += LANES) {
    backward(k, 1, shares, scale, overlaps + i, logit_adjoint + i, stride, sums,
             overlap_adjoints ? overlap_adjoints + i : 0, m);
  }
  for (int s = 0; s < k->subsets; s++) product_sums[s] += sum_lanes(sums[s]);
}

CLONES void gf_pair_feature_adjoints(int rows, int per_head, const double *overlap_adjoints,
                                     long stride, const double *keys, long row_length,
                                     const double *query, long query_stride, long count,
                                     double *key_adjoints, double *query_adjoint) {
  for (int r = 0; r < rows; r++) {
    const double *g = overlap_adjoints + r / per_head * stride;
    const double *v = keys + r * row_length;
    double *adjoint = key_adjoints + r * row_length;
    vec q = splat(query[r * query_stride]);
    vec sums[WIDTH];
    for (int w = 0; w < WIDTH; w++) sums[w] = splat(0.0);
    long i = 0;
    for (; i + WIDTH * LANES <= count; i += WIDTH * LANES) {
      for (int w = 0; w < WIDTH; w++) {
        vec x = load(g + i + w * LANES);
        sums[w] = fma8(x, load(v + i + w * LANES), sums[w]);
        store(adjoint + i + w * LANES, fma8(q, x, load(adjoint + i + w * LANES)));
      }
    }
    for (; i < count; i += LANES) {
      vec x = load(g + i);
      sums[0] = fma8(x, load(v + i), sums[0]);
      store(adjoint + i, fma8(q, x, load(adjoint + i)));
    }
    query_adjoint[r * query_stride] += sum_lanes((sums[0] + sums[1]) + (sums[2] + sums[3]));
  }
}
