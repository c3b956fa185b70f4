// The second attention layer and the loss over sequences that share a query, eight at a time.
//
// For a sequence with weights E_k and counts N_kc of key k in column c (the tokens, or the target and
// all others): T_c = Σ_k N_kc E_k, Z = Σ_c T_c, y_c = T_c/Z, loss −Σ_c π_c log(y_c + ε). With
// f_c = −π_c/((y_c + ε) Z) the adjoint of T_c is f_c − Σ_c' f_c' y_c', that of E_k is Σ_c N_kc T̄_c.
//
// Both sums are products of a sparse matrix of counts with a vector. Its rows lie side by side in
// strips of eight, one per lane, and are as long as the longest of them; idle places count 0 of
// column 0 (SELL-8, sliced ELLPACK: Monakov, Lokhmotov, Avetisyan, HiPEAC 2010).

#ifndef GRADFLOW_READ_OUT_H
#define GRADFLOW_READ_OUT_H

#include <stdint.h>

/// A sparse matrix of counts in strips of eight rows.
typedef struct {
  /// Bytes of a count: 1, 2 or 4.
  int count_size;
  /// Bytes of a column index: 2 or 4.
  int index_size;
  /// Where each strip starts, in places of eight; strips + 1 values.
  const int64_t *_Nonnull offsets;
  /// Column indices and counts, shape (places, 8), of unsigned integers.
  const void *_Nonnull indices;
  const void *_Nonnull counts;
} gf_strips;

/// Some sequences of one query.
typedef struct {
  /// C, columns of counts; the first `targets` of them have weights.
  int columns;
  int targets;
  /// Chunks of eight sequences, and eights of keys.
  int64_t chunks;
  int64_t key_strips;
  /// Rows (chunk, column, lane), columns slots; the strips of these sequences come first.
  gf_strips by_sequence;
  /// Rows keys, columns (chunk, column, lane).
  gf_strips by_key;
  /// The slot of each row of `by_key`, or −1; shape (key_strips, 8).
  const int32_t *_Nonnull slots;
  /// π, shape (chunks, targets, 8), each times how often the sequence occurs; 0 for an idle lane.
  const double *_Nonnull weights;
} gf_sequences;

/// The sum of losses; unless `adjoints` is null, writes z̄ there for the slots of `by_key`.
///
/// powers: E per slot, if one shift serves all sequences, else null. logits: z per slot, used where
/// each sequence needs a shift of its own.
/// scratch: chunks · (columns + 1) · 8 doubles.
double gf_read_out(const gf_sequences *_Nonnull sequences, double floor,
                   const double *_Nullable powers, const double *_Nonnull logits,
                   double *_Nullable adjoints, double *_Nonnull scratch);

#endif
