// The loss of chains in infinite context: products with their laws μ(ω, e), and the read-out between.
//
// The laws are packed once, in vectors of eight values that a product reads one after the other: by
// chains (eight chains of one token and window, for T = Σ_ω μ(ω,e) E) and by windows (eight windows of
// one chain and token, for Ē = Σ μ(ω,e) T̄). Sums run in the order of what they run over, so
// every instruction set and every cut into tiles gives the same bits.

#ifndef GRADFLOW_POPULATION_H
#define GRADFLOW_POPULATION_H

#include "score.h"

/// C ← A B + (C if `keeps`), where C and A have shapes (rows, 8 · vectors) and (rows, depth), and the
/// `vectors` columns of B, each of `depth` vectors one after the other, start b_stride vectors apart.
void gf_packed_product(long rows, long vectors, long depth, const double *_Nonnull a, long a_stride,
                       const double *_Nonnull b, long b_stride, int keeps, double *_Nonnull c,
                       long c_stride);

/// Chains in chunks of eight, and queries.
typedef struct {
  /// d.
  int vocabulary;
  long chunks;
  long queries;
  gf_score score;
  /// μ(q, e) of eight chains, shape (chunks, d, weight_stride, 8); the first `queries` count.
  const double *_Nonnull weights;
  long weight_stride;
  /// The distance between queries in T, whose shape is (queries, chunks, d, 8).
  long sum_stride;
} gf_population;

/// The sum of the losses of y_e = T_e/Z, Z = Σ T_e, with weights μ(q,e); if `adjoints`, writes T̄ over T.
///
/// With f_e = (∂ℓ/∂y_e)/Z: T̄_e = f_e − Σ_e' f_e' y_e'. What has no weight may have no
/// probability either, and Z = 0 where nothing has weight.
double gf_population_read_out(const gf_population *_Nonnull population, int adjoints,
                              double *_Nonnull sums);

/// Writes T̄ over T and its tangent over Ṫ.
///
/// ẏ_e = (Ṫ_e − y_e Ż)/Z and ḟ_e the tangent of (∂ℓ/∂y_e)/Z;
/// the tangent of T̄_e is ḟ_e − Σ_e' (ḟ_e' y_e' + f_e' ẏ_e').
void gf_population_read_out_tangent(const gf_population *_Nonnull population,
                                    double *_Nonnull sums, double *_Nonnull sum_tangents);

#endif
