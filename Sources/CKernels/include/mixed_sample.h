// The mixed-target transformer on sampled sequences, eight at a time.
//
// Layer 1: y_s = Σ_j q₁ʲ x_{s−1−j}/Z_s. Layer 2: h = Σ_s ω_s y_s with ω = softmax(−p(L−1−s)), and
// o = Σ_s softmax_s(k x_L y_s) x_s; s = 2…L−1. A function f comes with its derivatives by two variables:
// f, f₁, f₂, f₁₁, f₁₂, f₂₂.

#ifndef GRADFLOW_MIXED_SAMPLE_H
#define GRADFLOW_MIXED_SAMPLE_H

/// The transformer's parameters, with what does not depend on the tokens.
typedef struct {
  /// N = L − 2.
  long terms;
  /// 0, 1 or 2: how many derivatives are wanted.
  int order;
  /// Whether those by p₁ are wanted.
  int by_first_layer;
  /// q₁ = e^{−p₁}.
  double ratio;
  /// k.
  double product;
  /// 1/Z_s with two derivatives by p₁, shape (3, N).
  const double *_Nonnull normalisers;
  /// ω_s with two derivatives by p, shape (3, N).
  const double *_Nonnull weights;
} gf_mixed_point;

/// h by (p₁, p) and o by (p₁, k) for eight sequences, and log Σ_s e^{k x_L y_s}.
///
/// tokens: x₁…x_L, shape (L, 8). scratch: 32 N doubles. outputs: receives h, h₁, h₂, h₁₁, h₁₂, h₂₂, the
/// same of o, and the logarithm, shape (13, 8); what is not wanted is zero.
void gf_mixed_outputs(const gf_mixed_point *_Nonnull point, const double *_Nonnull tokens,
                      double *_Nonnull scratch, double *_Nonnull outputs);

/// sums_ij += f_i f_j over the rows i of `functions`, shape (count, 8), for which wanted_i is not zero, and
/// all j ≥ i; sums have shape (count, count, 8).
void gf_add_products(int count, const int *_Nonnull wanted, const double *_Nonnull functions,
                     double *_Nonnull sums);

#endif
