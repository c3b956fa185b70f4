#include "read_out.h"

#include <math.h>

#include "losses.h"

double gf_logarithm(double x) { return log(x); }

/// How the counts are stored, constant in each copy of the loops, and where.
typedef struct {
  int count_size;
  int slot_size;
  /// Whether one shift of the exponents serves all sequences.
  int is_shared;
  /// Whether the processor converts 64-bit integers at once.
  int converts;
  const void *counts;
  const void *slots;
} gf_form;

INLINE gf_form form_of(const gf_sequences *q, const gf_logits *l, int count_size) {
  return (gf_form){count_size, q->slot_size, l->powers != 0, 0, q->counts, q->slots};
}

/// The eight counts of a block.
INLINE vec counts8(gf_form form, int64_t block) {
  typedef uint8_t bytes __attribute__((vector_size(8), aligned(1)));
  typedef uint16_t shorts __attribute__((vector_size(16), aligned(2)));
  typedef uint32_t words __attribute__((vector_size(32), aligned(4)));
  ivec n;
  switch (form.count_size) {
    case 1: n = __builtin_convertvector(((const bytes *)form.counts)[block], ivec); break;
    case 2: n = __builtin_convertvector(((const shorts *)form.counts)[block], ivec); break;
    default: n = __builtin_convertvector(((const words *)form.counts)[block], ivec);
  }
  if (form.converts) return __builtin_convertvector(n, vec);
  // Into the low bits of 2⁵², which is exact, too.
  return (vec)(n | 0x4330000000000000) - 0x1p52;
}

INLINE int64_t slot_of(gf_form form, int64_t block) {
  return form.slot_size == 2 ? ((const uint16_t *)form.slots)[block]
                             : ((const uint32_t *)form.slots)[block];
}

/// N E of a block. Where z differs too much for one shift, each lane has the shift of its sequence.
INLINE vec term(gf_form form, const gf_logits *l, int64_t block, vec shift) {
  vec n = counts8(form, block);
  int64_t slot = slot_of(form, block);
  if (form.is_shared) return n * l->powers[slot];
  // A sequence without this key may have a shift below it.
  vec z = splat(l->logits[slot]) - shift;
  return n * exp8(choose(z > 0.0, splat(0.0), z));
}

/// The largest logit of each sequence of a chunk.
INLINE vec largest_logits(const gf_sequences *q, gf_form form, const gf_logits *l,
                          int64_t chunk) {
  vec largest = splat(-__builtin_inf());
  int64_t end = q->offsets[(chunk + 1) * q->columns];
  for (int64_t block = q->offsets[chunk * q->columns]; block < end; block++) {
    vec n = counts8(form, block);
    vec z = splat(l->logits[slot_of(form, block)]);
    largest = choose((n > 0.0) & (z > largest), z, largest);
  }
  return choose(largest == -__builtin_inf(), splat(0.0), largest);
}

/// T of a chunk, shape (columns, 8).
INLINE void totals(const gf_sequences *q, gf_form form, const gf_logits *l, int columns,
                   int64_t chunk, vec shift, double *t) {
  for (int c = 0; c < columns; c++) {
    int64_t block = q->offsets[chunk * columns + c], end = q->offsets[chunk * columns + c + 1];
    vec even = splat(0.0), odd = splat(0.0);
    for (; block < end; block += 2) {
      if (form.is_shared) {
        even = fma8(counts8(form, block), splat(l->powers[slot_of(form, block)]), even);
        odd = fma8(counts8(form, block + 1), splat(l->powers[slot_of(form, block + 1)]), odd);
      } else {
        even += term(form, l, block, shift);
        odd += term(form, l, block + 1, shift);
      }
    }
    store(t + c * LANES, even + odd);
  }
}

/// Σ N E T̄ of a chunk, added lane by lane to the sums of its keys, shape (slots, 8); where one shift
/// serves all, E is left to the end.
INLINE void add_adjoints(const gf_sequences *q, gf_form form, const gf_logits *l, int columns,
                         int64_t chunk, vec shift, const double *adjoint, double *sums) {
  for (int c = 0; c < columns; c++) {
    vec x = load(adjoint + c * LANES);
    int64_t end = q->offsets[chunk * columns + c + 1];
    for (int64_t block = q->offsets[chunk * columns + c]; block < end; block += 2) {
      for (int i = 0; i < 2; i++) {
        double *sum = sums + slot_of(form, block + i) * LANES;
        vec n = form.is_shared ? counts8(form, block + i) : term(form, l, block + i, shift);
        store(sum, fma8(n, x, load(sum)));
      }
    }
  }
}

INLINE int64_t padded(int64_t count) { return (count + LANES - 1) / LANES * LANES; }

INLINE void clear(double *x, int64_t count) {
  for (int64_t i = 0; i < count; i += LANES) store(x + i, splat(0.0));
}

/// Chunks that take each step together: the steps of one have to wait for each other.
enum { BATCH = 8 };

INLINE double read_out(const gf_sequences *q, const gf_logits *l, gf_form form, int columns,
                       double *adjoints, double *scratch) {
  double *t = scratch, *sums = scratch + BATCH * columns * LANES;
  if (adjoints) clear(sums, padded(l->slots) * LANES);
  vec total = splat(0.0);
  for (int64_t first = 0; first < q->chunks; first += BATCH) {
    const int count = q->chunks - first < BATCH ? (int)(q->chunks - first) : BATCH;
    vec shifts[BATCH];
    for (int i = 0; i < count; i++) {
      shifts[i] = form.is_shared ? splat(0.0) : largest_logits(q, form, l, first + i);
      totals(q, form, l, columns, first + i, shifts[i], t + i * columns * LANES);
    }
    for (int i = 0; i < count; i++) {
      double *of_chunk = t + i * columns * LANES;
      total += losses(columns, q->targets, q->weights + (first + i) * q->targets * LANES, LANES,
                      l->score, adjoints != 0, of_chunk);
    }
    for (int i = 0; adjoints && i < count; i++) {
      add_adjoints(q, form, l, columns, first + i, shifts[i], t + i * columns * LANES, sums);
    }
  }
  for (int64_t slot = 0; adjoints && slot < l->slots; slot += LANES) {
    vec sum = sum_rows(sums + slot * LANES);
    store(adjoints + slot, form.is_shared ? load(l->powers + slot) * sum : sum);
  }
  return sum_lanes(total);
}

/// Ṫ of a chunk, shape (columns, 8).
INLINE void total_tangents(const gf_sequences *q, gf_form form, const gf_logits *l,
                           const double *logit_tangents, int64_t chunk, vec shift, double *t) {
  for (int c = 0; c < q->columns; c++) {
    vec sum = splat(0.0);
    int64_t end = q->offsets[chunk * q->columns + c + 1];
    for (int64_t block = q->offsets[chunk * q->columns + c]; block < end; block++) {
      vec dot = splat(logit_tangents[slot_of(form, block)]);
      sum = fma8(term(form, l, block, shift), dot, sum);
    }
    store(t + c * LANES, sum);
  }
}

INLINE void read_out_tangent(const gf_sequences *q, const gf_logits *l, gf_form form,
                             const double *logit_tangents, double *adjoints,
                             double *adjoint_tangents, double *scratch) {
  const int64_t slots = padded(l->slots);
  double *t = scratch, *tangent = t + q->columns * LANES;
  double *sums = tangent + q->columns * LANES, *tangent_sums = sums + slots * LANES;
  clear(sums, 2 * slots * LANES);
  for (int64_t chunk = 0; chunk < q->chunks; chunk++) {
    vec shift = form.is_shared ? splat(0.0) : largest_logits(q, form, l, chunk);
    totals(q, form, l, q->columns, chunk, shift, t);
    total_tangents(q, form, l, logit_tangents, chunk, shift, tangent);
    loss_tangents(q->columns, q->targets, q->weights + chunk * q->targets * LANES, LANES,
                  l->score, t, tangent);
    add_adjoints(q, form, l, q->columns, chunk, shift, t, sums);
    add_adjoints(q, form, l, q->columns, chunk, shift, tangent, tangent_sums);
  }
  for (int64_t slot = 0; slot < l->slots; slot += LANES) {
    vec power = form.is_shared ? load(l->powers + slot) : splat(1.0);
    vec adjoint = power * sum_rows(sums + slot * LANES);
    store(adjoints + slot, adjoint);
    store(adjoint_tangents + slot,
          fma8(load(logit_tangents + slot), adjoint,
               power * sum_rows(tangent_sums + slot * LANES)));
  }
}

/// Σ_k N_kc E_k ∇z_k of a chunk and column, shape (order, 8).
INLINE void gradient_sums(const gf_sequences *q, gf_form form, const gf_logits *l, int64_t chunk,
                          int c, vec shift, const double *gradients, int64_t order, double *sums) {
  clear(sums, order * LANES);
  int64_t end = q->offsets[chunk * q->columns + c + 1];
  for (int64_t block = q->offsets[chunk * q->columns + c]; block < end; block++) {
    vec weight = term(form, l, block, shift);
    const double *gradient = gradients + slot_of(form, block) * order;
    for (int64_t i = 0; i < order; i++) {
      store(sums + i * LANES, fma8(weight, splat(gradient[i]), load(sums + i * LANES)));
    }
  }
}

INLINE void curvature(const gf_sequences *q, const gf_logits *l, gf_form form, int64_t first,
                      int64_t count, const double *gradients, int64_t order, double *left,
                      double *right, int64_t panel, double *scratch) {
  const int columns = q->columns, targets = q->targets;
  const gf_score score = l->score;
  double *t = scratch, *g = t + columns * LANES, *whole = g + columns * order * LANES;
  double *softmax = whole + order * LANES;
  for (int64_t n = 0; n < count; n++) {
    int64_t chunk = first + n, place = n * (targets + 2) * LANES;
    vec shift = form.is_shared ? splat(0.0) : largest_logits(q, form, l, chunk);
    totals(q, form, l, columns, chunk, shift, t);
    clear(whole, order * LANES);
    for (int c = 0; c < columns; c++) {
      double *sums = g + c * order * LANES;
      gradient_sums(q, form, l, chunk, c, shift, gradients, order, sums);
      for (int64_t i = 0; i < order; i++) {
        store(whole + i * LANES, load(whole + i * LANES) + load(sums + i * LANES));
      }
    }
    const double *weights = q->weights + chunk * targets * LANES;
    vec inverse = inverse_total(columns, targets, weights, LANES, t);
    softmax8 sums = {splat(0.0), splat(0.0)};
    if (score.takes_logits) sums = softmax_of(targets, weights, LANES, inverse, t);
    for (int c = 0; score.takes_logits && c < targets; c++) {
      store(softmax + c * LANES, exp8_moderate(load(t + c * LANES) * inverse) / sums.total);
    }
    for (int64_t i = 0; i < order; i++) {
      vec average = load(whole + i * LANES) * inverse, gradient = splat(0.0), mean = splat(0.0);
      double *l_row = left + i * panel + place, *r_row = right + i * panel + place;
      // ∇y_c, and m.
      for (int c = 0; c < targets; c++) {
        vec y = load(t + c * LANES) * inverse;
        vec slope = load(g + (c * order + i) * LANES) * inverse - y * average;
        store(r_row + c * LANES, slope);
        if (score.takes_logits) mean = fma8(load(softmax + c * LANES), slope, mean);
      }
      for (int c = 0; c < targets; c++) {
        vec weight = load(weights + c * LANES), slope = load(r_row + c * LANES);
        if (score.takes_logits) {
          vec share = sums.weight * load(softmax + c * LANES);
          gradient = fma8(weight - share, slope, gradient);
          store(l_row + c * LANES, share * (slope - mean));
          store(r_row + c * LANES, slope - mean);
          continue;
        }
        slope /= floored(weight, load(t + c * LANES) * inverse, score.floor);
        store(l_row + c * LANES, weight * slope);
        store(r_row + c * LANES, slope);
        gradient = fma8(weight, slope, gradient);
      }
      // −u Bᵀ − B uᵀ, where u is minus this sum.
      store(l_row + targets * LANES, gradient);
      store(r_row + targets * LANES, average);
      store(l_row + (targets + 1) * LANES, average);
      store(r_row + (targets + 1) * LANES, gradient);
    }
  }
}

// One copy for each width of counts with narrow slots and one shift for all, the path that most of a
// run's time goes through; and one for each width of counts for all else.
#define COPIES(size)                                                                               \
  CLONES static double read_out_##size(const gf_sequences *q, const gf_logits *l,                  \
                                       double *adjoints, double *scratch) {                        \
    if (l->powers && q->slot_size == 2) {                                                          \
      const gf_form wide = {size, 2, 1, 1, q->counts, q->slots};                                   \
      const gf_form form = {size, 2, 1, 0, q->counts, q->slots};                                   \
      if (q->columns == 2 && has_wide_registers()) {                                               \
        return read_out(q, l, wide, 2, adjoints, scratch);                                         \
      }                                                                                            \
      if (q->columns == 3 && has_wide_registers()) {                                               \
        return read_out(q, l, wide, 3, adjoints, scratch);                                         \
      }                                                                                            \
      if (q->columns == 2) return read_out(q, l, form, 2, adjoints, scratch);                      \
      return read_out(q, l, form, q->columns, adjoints, scratch);                                  \
    }                                                                                              \
    const gf_form form = form_of(q, l, size);                                                      \
    return read_out(q, l, form, q->columns, adjoints, scratch);                                    \
  }                                                                                                \
  CLONES static void tangent_##size(const gf_sequences *q, const gf_logits *l,                     \
                                    const double *logit_tangents, double *adjoints,                \
                                    double *adjoint_tangents, double *scratch) {                   \
    const gf_form form = form_of(q, l, size);                                                      \
    read_out_tangent(q, l, form, logit_tangents, adjoints, adjoint_tangents, scratch);             \
  }                                                                                                \
  CLONES static void curvature_##size(const gf_sequences *q, const gf_logits *l, int64_t first,    \
                                      int64_t count, const double *gradients, int64_t order,       \
                                      double *left, double *right, int64_t panel,                  \
                                      double *scratch) {                                           \
    const gf_form form = form_of(q, l, size);                                                      \
    curvature(q, l, form, first, count, gradients, order, left, right, panel, scratch);            \
  }

COPIES(1)
COPIES(2)
COPIES(4)

#define FOR_SIZE(name, ...)                                                                        \
  switch (q->count_size) {                                                                         \
    case 1: return name##_1(__VA_ARGS__);                                                          \
    case 2: return name##_2(__VA_ARGS__);                                                          \
    default: return name##_4(__VA_ARGS__);                                                         \
  }

double gf_read_out(const gf_sequences *q, const gf_logits *l, double *adjoints,
                   double *scratch) {
  FOR_SIZE(read_out, q, l, adjoints, scratch)
}

void gf_read_out_tangent(const gf_sequences *q, const gf_logits *l, const double *logit_tangents,
                         double *adjoints, double *adjoint_tangents, double *scratch) {
  FOR_SIZE(tangent, q, l, logit_tangents, adjoints, adjoint_tangents, scratch)
}

void gf_read_out_curvature(const gf_sequences *q, const gf_logits *l, int64_t first,
                           int64_t count, const double *gradients, int64_t order, double *left,
                           double *right, int64_t panel, double *scratch) {
  FOR_SIZE(curvature, q, l, first, count, gradients, order, left, right, panel, scratch)
}
