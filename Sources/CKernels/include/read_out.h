// The second attention layer and the loss over sequences that share a query, eight at a time.
//
// For a sequence with weights E_k and counts N_kc of key k in column c (the tokens, or the target and
// all others): T_c = Σ_k N_kc E_k, Z = Σ_c T_c, y_c = T_c/Z, and a loss ℓ of y; see `score.h`. With
// f_c = (∂ℓ/∂y_c)/Z the adjoint of T_c is f_c − Σ_c' f_c' y_c', that of E_k is Σ_c N_kc T̄_c.
//
// Both sums run over the same counts: a sparse matrix with a row for each sequence, in blocks of eight
// rows by one key that are stored whole where any of the eight is not zero. So E_k is read once for
// eight sequences, and the adjoints of a key are added up lane by lane. Nothing is gathered.

#ifndef GRADFLOW_READ_OUT_H
#define GRADFLOW_READ_OUT_H

#include <stdint.h>

#include "score.h"

/// Some sequences of one query, in chunks of eight.
typedef struct {
  /// C, columns of counts; the first `targets` of them have weights.
  int columns;
  int targets;
  int64_t chunks;
  /// Bytes of a count, 1, 2 or 4, and of a slot, 2 or 4.
  int count_size;
  int slot_size;
  /// Where the blocks of each (chunk, column) start, all even; chunks · columns + 1 values.
  const int64_t *_Nonnull offsets;
  /// The slot of each block's key, and its counts, shape (blocks, 8), of unsigned integers.
  const void *_Nonnull slots;
  const void *_Nonnull counts;
  /// π, shape (chunks, targets, 8), each times how often the sequence occurs; 0 for an idle lane.
  const double *_Nonnull weights;
} gf_sequences;

/// What the sequences are weighed with.
typedef struct {
  gf_score score;
  /// How many slots there are; all arrays over slots have room for the next multiple of 8.
  int64_t slots;
  /// E per slot, if one shift serves all sequences, else null.
  const double *_Nullable powers;
  /// z per slot, used where each sequence needs a shift of its own.
  const double *_Nonnull logits;
} gf_logits;

/// The sum of losses; unless `adjoints` is null, writes z̄ of every slot there.
///
/// scratch: (8 · columns + slots rounded up to a multiple of 8) · 8 doubles.
double gf_read_out(const gf_sequences *_Nonnull sequences, const gf_logits *_Nonnull logits,
                   double *_Nullable adjoints, double *_Nonnull scratch);

/// z̄ and its tangent along ż, from z̄_k = E_k Σ N_kc T̄_c and the tangent of that.
///
/// scratch: (2 · columns + 2 · slots rounded up to a multiple of 8) · 8 doubles.
void gf_read_out_tangent(const gf_sequences *_Nonnull sequences, const gf_logits *_Nonnull logits,
                         const double *_Nonnull logit_tangents, double *_Nonnull adjoints,
                         double *_Nonnull adjoint_tangents, double *_Nonnull scratch);

/// What is quadratic in ∇z, as two panels whose product Left · Rightᵀ is to be added to the curvature:
/// ∇y (∂²ℓ/∂y²) ∇yᵀ − u Bᵀ − B uᵀ with u = Σ_c (∂ℓ/∂y_c) ∇y_c and B = ∇Z/Z. Of a logarithm the first is
/// Σ_c π_c/(y_c + ε)² ∇y_c ∇y_cᵀ, of logits W Σ_c s_c (∇y_c − m)(∇y_c − m)ᵀ, s = softmax(y), m = Σ_c s_c ∇y_c.
///
/// Of `count` chunks from `first` on. gradients: ∇z, shape (slots, order).
/// left, right: shape (order, panel), of which count · (targets + 2) · 8 columns are written.
/// scratch: (columns · (order + 2) + order) · 8 doubles.
void gf_read_out_curvature(const gf_sequences *_Nonnull sequences,
                           const gf_logits *_Nonnull logits, int64_t first, int64_t count,
                           const double *_Nonnull gradients, int64_t order,
                           double *_Nonnull left, double *_Nonnull right, int64_t panel,
                           double *_Nonnull scratch);

#endif
