#include "mixed_sample.h"

#include "vectors.h"

/// y_s with its derivatives by p₁, and the logits; returns the largest logit.
INLINE vec first_layer(const gf_mixed_point *q, const double *tokens, double *y, double *logits,
                       int derivatives) {
  long n = q->terms;
  vec query = load(tokens + (n + 1) * LANES) * q->product, largest = splat(-__builtin_inf());
  vec a = splat(0.0), a1 = splat(0.0), a2 = splat(0.0);
  for (long i = 0; i < n; i++) {
    // A = Σ q₁ʲ x, and d(q₁ A)/dp₁ = q₁ (A′ − A).
    vec kept2 = q->ratio * (a2 - 2.0 * a1 + a), kept1 = q->ratio * (a1 - a);
    a = fma8(splat(q->ratio), a, load(tokens + i * LANES));
    vec r = splat(q->normalisers[i]), value = a * r;
    store(y + i * LANES, value);
    vec logit = query * value;
    store(logits + i * LANES, logit);
    largest = choose(logit > largest, logit, largest);
    if (derivatives < 1) continue;
    a1 = kept1;
    vec r1 = splat(q->normalisers[n + i]);
    store(y + (n + i) * LANES, fma8(a1, r, a * r1));
    if (derivatives < 2) continue;
    a2 = kept2;
    vec r2 = splat(q->normalisers[2 * n + i]);
    store(y + (2 * n + i) * LANES, fma8(a2, r, fma8(2.0 * a1, r1, a * r2)));
  }
  return largest;
}

/// eˣ of x ≤ 0; from −690 down what is left counts for nothing beside e⁰.
INLINE vec exp_nonpositive(vec x) { return exp8_moderate(choose(x < -690.0, splat(-690.0), x)); }

/// Moments of the second layer: means over softmax_s of products of y, y′, y″ with 1 and x_s − o.
INLINE void outputs_of(const gf_mixed_point *q, const double *tokens, double *scratch,
                       double *outputs, int order, int first) {
  long n = q->terms;
  double *y = scratch, *logits = scratch + 3 * n * LANES;
  const double *y1 = y + n * LANES, *y2 = y + 2 * n * LANES;
  vec largest = first_layer(q, tokens, y, logits, first ? order : 0);
  vec zero = splat(0.0);
  vec h = zero, hp = zero, h1 = zero, hpp = zero, h1p = zero, h11 = zero;
  vec z = zero, x_sum = zero;
  for (long i = 0; i < n; i++) {
    vec e = exp_nonpositive(load(logits + i * LANES) - largest), x = load(tokens + (i + 1) * LANES);
    store(logits + i * LANES, e);
    z += e;
    x_sum = fma8(e, x, x_sum);
    vec w = splat(q->weights[i]), value = load(y + i * LANES);
    h = fma8(w, value, h);
    if (order < 1) continue;
    vec wp = splat(q->weights[n + i]), v1 = first ? load(y1 + i * LANES) : zero;
    hp = fma8(wp, value, hp);
    if (first) h1 = fma8(w, v1, h1);
    if (order < 2) continue;
    hpp = fma8(splat(q->weights[2 * n + i]), value, hpp);
    if (!first) continue;
    h1p = fma8(wp, v1, h1p);
    h11 = fma8(w, load(y2 + i * LANES), h11);
  }
  vec inverse = 1.0 / z, o = x_sum * inverse;
  // Derivatives of a softmax mean are cumulants: o_a = ⟨ℓ_a (x − o)⟩ and
  // o_ab = ⟨ℓ_ab (x − o)⟩ + ⟨ℓ_a ℓ_b (x − o)⟩ − ⟨ℓ_a⟩ o_b − ⟨ℓ_b⟩ o_a, with ℓ_k = u y, ℓ₁ = k u y′.
  vec my = zero, m1 = zero, cy = zero, c1 = zero, c2 = zero, cyy = zero, cy1 = zero, c11 = zero;
  for (long i = 0; order > 0 && i < n; i++) {
    vec e = load(logits + i * LANES), value = load(y + i * LANES);
    vec centred = e * (load(tokens + (i + 1) * LANES) - o);
    cy = fma8(centred, value, cy);
    vec v1 = first ? load(y1 + i * LANES) : zero;
    if (first) c1 = fma8(centred, v1, c1);
    if (order < 2) continue;
    my = fma8(e, value, my);
    cyy = fma8(centred * value, value, cyy);
    if (!first) continue;
    m1 = fma8(e, v1, m1);
    c2 = fma8(centred, load(y2 + i * LANES), c2);
    cy1 = fma8(centred * value, v1, cy1);
    c11 = fma8(centred * v1, v1, c11);
  }
  vec u = load(tokens + (n + 1) * LANES), ku = u * q->product;
  vec ok = u * cy * inverse, o1 = ku * c1 * inverse;
  vec mk = u * my * inverse, ml = ku * m1 * inverse;
  vec okk = u * u * cyy * inverse - 2.0 * mk * ok;
  vec o1k = (u * c1 + u * ku * cy1) * inverse - ml * ok - mk * o1;
  vec o11 = (ku * c2 + ku * ku * c11) * inverse - 2.0 * ml * o1;
  vec all[12] = {h, h1, hp, h11, h1p, hpp, o, o1, ok, o11, o1k, okk};
  if (order < 2) all[9] = all[10] = all[11] = zero;
  for (int f = 0; f < 12; f++) store(outputs + f * LANES, all[f]);
  store(outputs + 12 * LANES, largest + log8(z));
}

CLONES void gf_mixed_outputs(const gf_mixed_point *q, const double *restrict tokens,
                             double *restrict scratch, double *restrict outputs) {
  int first = q->by_first_layer;
  switch (q->order) {
    case 0: outputs_of(q, tokens, scratch, outputs, 0, 0); break;
    case 1:
      if (first) {
        outputs_of(q, tokens, scratch, outputs, 1, 1);
      } else {
        outputs_of(q, tokens, scratch, outputs, 1, 0);
      }
      break;
    default:
      if (first) {
        outputs_of(q, tokens, scratch, outputs, 2, 1);
      } else {
        outputs_of(q, tokens, scratch, outputs, 2, 0);
      }
  }
}

CLONES void gf_add_products(int count, const int *restrict wanted,
                            const double *restrict functions, double *restrict sums) {
  for (int i = 0; i < count; i++) {
    if (!wanted[i]) continue;
    vec f = load(functions + i * LANES);
    for (int j = i; j < count; j++) {
      double *sum = sums + (i * count + j) * LANES;
      store(sum, fma8(f, load(functions + j * LANES), load(sum)));
    }
  }
}
