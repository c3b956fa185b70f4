// The normalised polynomial kernel on the keys of one query: k = Σ_S p_S m_S, m_S = ∏_{h∈S} g^h,
// g^h = ⟨v_ω^h, v_q^h⟩, its logits z = a k, their exponentials, and the adjoints of all that.
//
// Rows over keys are `stride` or `row_length` apart, multiples of 8; what lies between the last key
// and the next multiple of 8 is read and written, too, and must be zero in features and adjoints.

#ifndef GRADFLOW_PAIR_KERNEL_H
#define GRADFLOW_PAIR_KERNEL_H

#include <stdint.h>

/// Which products there are; the empty set is subset 0.
typedef struct {
  int heads;
  int vocabulary;
  int subsets;
  /// Whether g^h passes max(·, 0).
  int is_rectified;
  /// For each subset: the subset without its largest head, and that head.
  const int32_t *_Nonnull parents;
  const int32_t *_Nonnull last_heads;
  /// For each head the pairs (S, S∖h) of all S with h, each head's list ended by −1.
  const int32_t *_Nonnull slopes;
} gf_polynomial;

/// g^h (rectified, if so), z = a k and e^{z − shift} of every key; the latter only where |z − shift| ≤ 690.
///
/// keys: v_ω, shape (H, d, row_length). query: v_q, shape (H, d), its values query_stride apart.
/// overlaps: receives g, shape (H, stride). scratch: 40 · subsets doubles.
void gf_pair_forward(const gf_polynomial *_Nonnull polynomial, const double *_Nonnull shares,
                     double scale, double shift, const double *_Nonnull keys, long row_length,
                     const double *_Nonnull query, long query_stride, long count, long stride,
                     double *_Nonnull overlaps, double *_Nonnull logits, double *_Nonnull powers,
                     double *_Nonnull scratch);

/// From z̄: adds Σ z̄ m_S to `product_sums`, and, unless null, writes ḡ = a z̄ ∂k/∂g, shape (H, stride).
///
/// scratch: 40 · subsets doubles.
void gf_pair_backward(const gf_polynomial *_Nonnull polynomial, const double *_Nonnull shares,
                      double scale, const double *_Nonnull overlaps,
                      const double *_Nonnull logit_adjoint, long count, long stride,
                      double *_Nonnull product_sums, double *_Nullable overlap_adjoints,
                      double *_Nonnull scratch);

/// From ḡ: v̄_ω += ḡ v_q for every key, and v̄_q += Σ ḡ v_ω; `rows` of H·d, `per_head` of them per head.
void gf_pair_feature_adjoints(int rows, int per_head, const double *_Nonnull overlap_adjoints,
                              long stride, const double *_Nonnull keys, long row_length,
                              const double *_Nonnull query, long query_stride, long count,
                              double *_Nonnull key_adjoints, double *_Nonnull query_adjoint);

#endif
