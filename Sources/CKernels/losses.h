// The loss of eight sequences, or of eight chains at one query, from T; see `read_out.h`.
//
// T has shape (columns, 8), its first `targets` columns with weights `stride` apart.

#ifndef GRADFLOW_LOSSES_H
#define GRADFLOW_LOSSES_H

#include "vectors.h"

/// 1/Z; Z must be a normal number. A lane without weights has 1, so that all that follows is zero: it is
/// idle, or its query never occurs. Where there is weight Z = 0 gives no number, and so no loss.
INLINE vec inverse_total(int columns, int targets, const double *weights, long stride,
                         const double *t) {
  vec z = splat(0.0), weight = splat(0.0);
  for (int c = 0; c < columns; c++) z += load(t + c * LANES);
  for (int c = 0; c < targets; c++) weight += load(weights + c * stride);
  return 1.0 / choose(weight == 0.0, splat(1.0), z);
}

/// y_c + ε, or 1 where the target has no weight and may have no probability either.
INLINE vec floored(vec weight, vec y, double floor) {
  return choose(weight > 0.0, y + floor, splat(1.0));
}

/// The losses; with `adjoints` writes T̄ over T.
INLINE vec losses(int columns, int targets, const double *weights, long stride, double floor,
                  int adjoints, double *t) {
  vec inverse = inverse_total(columns, targets, weights, stride, t);
  vec loss = splat(0.0), mean = splat(0.0);
  for (int c = 0; c < targets; c++) {
    vec weight = load(weights + c * stride);
    vec y = load(t + c * LANES) * inverse;
    vec p = floored(weight, y, floor);
    loss = fma8(-weight, log8(p), loss);
    if (!adjoints) continue;
    vec f = -weight * inverse / p;
    store(t + c * LANES, f);
    mean = fma8(f, y, mean);
  }
  for (int c = 0; adjoints && c < columns; c++) {
    store(t + c * LANES, (c < targets ? load(t + c * LANES) : splat(0.0)) - mean);
  }
  return loss;
}

/// T̄ and its tangent from T and Ṫ, each over what it is made from.
///
/// ẏ_c = (Ṫ_c − y_c Ż)/Z, ḟ_c = −f_c (ẏ_c/(y_c + ε) + Ż/Z), and T̄_c = f_c − Σ f y.
INLINE void loss_tangents(int columns, int targets, const double *weights, long stride,
                          double floor, double *t, double *tangent) {
  vec inverse = inverse_total(columns, targets, weights, stride, t);
  vec growth = splat(0.0);
  for (int c = 0; c < columns; c++) growth += load(tangent + c * LANES);
  growth *= inverse;
  vec mean = splat(0.0), mean_tangent = splat(0.0);
  for (int c = 0; c < targets; c++) {
    vec weight = load(weights + c * stride);
    vec y = load(t + c * LANES) * inverse;
    vec p = floored(weight, y, floor);
    vec f = -weight * inverse / p;
    vec y_dot = load(tangent + c * LANES) * inverse - y * growth;
    vec f_dot = -f * (y_dot / p + growth);
    store(t + c * LANES, f);
    store(tangent + c * LANES, f_dot);
    mean = fma8(f, y, mean);
    mean_tangent = fma8(f_dot, y, fma8(f, y_dot, mean_tangent));
  }
  for (int c = 0; c < columns; c++) {
    store(t + c * LANES, (c < targets ? load(t + c * LANES) : splat(0.0)) - mean);
    store(tangent + c * LANES,
          (c < targets ? load(tangent + c * LANES) : splat(0.0)) - mean_tangent);
  }
}

#endif
