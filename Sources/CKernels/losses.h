// The loss of eight sequences, or of eight chains at one query, from T; see `read_out.h`.
//
// T has shape (columns, 8), its first `targets` columns with weights `stride` apart.

#ifndef GRADFLOW_LOSSES_H
#define GRADFLOW_LOSSES_H

#include "score.h"
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

/// What the softmax of y is made of: the sum W of the weights, and Σ e^y.
typedef struct {
  vec weight, total;
} softmax8;

/// W and Σ e^y of predictions y that are taken as logits; they lie in 0…1, so nothing needs a shift.
INLINE softmax8 softmax_of(int targets, const double *weights, long stride, vec inverse,
                           const double *t) {
  softmax8 sums = {splat(0.0), splat(0.0)};
  for (int c = 0; c < targets; c++) {
    sums.weight += load(weights + c * stride);
    sums.total += exp8_moderate(load(t + c * LANES) * inverse);
  }
  return sums;
}

/// ∂ℓ/∂y_c: −π_c/(y_c + ε), or W softmax(y)_c − π_c.
INLINE vec slope_of(gf_score score, softmax8 sums, vec weight, vec y) {
  if (score.takes_logits) return sums.weight * (exp8_moderate(y) / sums.total) - weight;
  return -weight / floored(weight, y, score.floor);
}

/// The losses; with `adjoints` writes T̄ over T. Logits need every column to be a target.
INLINE vec losses(int columns, int targets, const double *weights, long stride, gf_score score,
                  int adjoints, double *t) {
  vec inverse = inverse_total(columns, targets, weights, stride, t);
  vec loss = splat(0.0), mean = splat(0.0);
  softmax8 sums = {splat(0.0), splat(0.0)};
  if (score.takes_logits) {
    sums = softmax_of(targets, weights, stride, inverse, t);
    loss = sums.weight * log8(sums.total);
  }
  for (int c = 0; c < targets; c++) {
    vec weight = load(weights + c * stride);
    vec y = load(t + c * LANES) * inverse;
    loss = fma8(-weight, score.takes_logits ? y : log8(floored(weight, y, score.floor)), loss);
    if (!adjoints) continue;
    vec f = slope_of(score, sums, weight, y) * inverse;
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
/// ẏ_c = (Ṫ_c − y_c Ż)/Z, f_c = ℓ_c/Z with ℓ_c = ∂ℓ/∂y_c, ḟ_c = ℓ̇_c/Z − f_c Ż/Z, and T̄_c = f_c − Σ f y.
INLINE void loss_tangents(int columns, int targets, const double *weights, long stride,
                          gf_score score, double *t, double *tangent) {
  vec inverse = inverse_total(columns, targets, weights, stride, t);
  vec growth = splat(0.0);
  for (int c = 0; c < columns; c++) growth += load(tangent + c * LANES);
  growth *= inverse;
  softmax8 sums = {splat(0.0), splat(0.0)};
  // Σ softmax(y)_c ẏ_c.
  vec drift = splat(0.0);
  if (score.takes_logits) {
    sums = softmax_of(targets, weights, stride, inverse, t);
    for (int c = 0; c < targets; c++) {
      vec y = load(t + c * LANES) * inverse;
      vec y_dot = load(tangent + c * LANES) * inverse - y * growth;
      drift = fma8(exp8_moderate(y) / sums.total, y_dot, drift);
    }
  }
  vec mean = splat(0.0), mean_tangent = splat(0.0);
  for (int c = 0; c < targets; c++) {
    vec weight = load(weights + c * stride);
    vec y = load(t + c * LANES) * inverse;
    vec y_dot = load(tangent + c * LANES) * inverse - y * growth;
    vec slope = slope_of(score, sums, weight, y);
    vec slope_dot = score.takes_logits ? (slope + weight) * (y_dot - drift)
                                       : -slope * y_dot / floored(weight, y, score.floor);
    vec f = slope * inverse;
    vec f_dot = slope_dot * inverse - f * growth;
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
