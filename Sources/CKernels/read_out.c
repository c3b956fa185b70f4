#include "read_out.h"

#include <math.h>

#include "vectors.h"

double gf_logarithm(double x) { return log(x); }

/// Eight counts, by way of signed 32-bit integers, which every instruction set converts at once.
INLINE vec counts8(const gf_strips *s, int size, int64_t place) {
  typedef uint8_t bytes __attribute__((vector_size(8), aligned(1)));
  typedef uint16_t shorts __attribute__((vector_size(16), aligned(2)));
  typedef int32_t words __attribute__((vector_size(32), aligned(4)));
  words n;
  switch (size) {
    case 1: n = __builtin_convertvector(((const bytes *)s->counts)[place], words); break;
    case 2: n = __builtin_convertvector(((const shorts *)s->counts)[place], words); break;
    default: n = ((const words *)s->counts)[place];
  }
  return __builtin_convertvector(n, vec);
}

INLINE int64_t index_of(const gf_strips *s, int width, int64_t place, int lane) {
  return width == 2 ? ((const uint16_t *)s->indices)[place * LANES + lane]
                    : ((const uint32_t *)s->indices)[place * LANES + lane];
}

/// Eight values of x, one for each index, loaded one by one: where the processor's gather is
/// mitigated against speculation, it takes three times as long.
INLINE vec gather8(const gf_strips *s, int width, int64_t place, const double *x) {
  vec v;
  for (int lane = 0; lane < LANES; lane++) v[lane] = x[index_of(s, width, place, lane)];
  return v;
}

/// Σ N x of the rows of a strip.
INLINE vec strip_product(const gf_strips *s, int size, int width, int64_t strip, const double *x) {
  vec even = splat(0.0), odd = splat(0.0);
  int64_t place = s->offsets[strip], end = s->offsets[strip + 1];
  for (; place + 2 <= end; place += 2) {
    even = fma8(counts8(s, size, place), gather8(s, width, place, x), even);
    odd = fma8(counts8(s, size, place + 1), gather8(s, width, place + 1, x), odd);
  }
  if (place < end) even = fma8(counts8(s, size, place), gather8(s, width, place, x), even);
  return even + odd;
}

// Where logits differ too much for one shift, each sequence is shifted by its own largest logit.

/// The largest logit of each sequence of a chunk.
INLINE vec largest_logits(const gf_sequences *q, int64_t chunk, const double *logits) {
  const gf_strips *s = &q->by_sequence;
  vec largest = splat(-__builtin_inf());
  for (int64_t place = s->offsets[chunk * q->columns]; place < s->offsets[(chunk + 1) * q->columns];
       place++) {
    vec n = counts8(s, s->count_size, place);
    vec z = gather8(s, s->index_size, place, logits);
    largest = choose((n > 0.0) & (z > largest), z, largest);
  }
  return choose(largest == -__builtin_inf(), splat(0.0), largest);
}

INLINE vec shifted_strip_product(const gf_strips *s, int64_t strip, const double *logits,
                                 vec shift) {
  vec sum = splat(0.0);
  for (int64_t place = s->offsets[strip]; place < s->offsets[strip + 1]; place++) {
    // An idle place may hold a logit above the shift.
    vec z = gather8(s, s->index_size, place, logits) - shift;
    sum = fma8(counts8(s, s->count_size, place), exp8(choose(z > 0.0, splat(0.0), z)), sum);
  }
  return sum;
}

/// Σ N e^{z − shift} x of the keys of a strip, with the shift of each column's sequence.
INLINE vec shifted_key_product(const gf_sequences *q, int64_t strip, vec z, const double *shifts,
                               const double *x) {
  const gf_strips *s = &q->by_key;
  vec sum = splat(0.0);
  for (int64_t place = s->offsets[strip]; place < s->offsets[strip + 1]; place++) {
    vec shift;
    for (int lane = 0; lane < LANES; lane++) {
      int64_t column = index_of(s, s->index_size, place, lane);
      shift[lane] = shifts[column / (LANES * q->columns) * LANES + column % LANES];
    }
    vec d = z - shift;
    vec power = exp8(choose(d > 0.0, splat(0.0), d));
    vec n = counts8(s, s->count_size, place);
    sum = fma8(n * power, gather8(s, s->index_size, place, x), sum);
  }
  return sum;
}

/// The losses of eight sequences; writes T̄ over T, shape (columns, 8).
INLINE vec losses(int columns, int targets, const double *weights, double floor, double *t) {
  vec z = splat(0.0);
  for (int j = 0; j < columns; j++) z += load(t + j * LANES);
  // An idle lane has Z = 0 and weights 0; with Z = 1 all that follows is zero.
  z = choose(z == 0.0, splat(1.0), z);
  vec inverse = 1.0 / z;
  vec loss = splat(0.0), mean = splat(0.0);
  for (int j = 0; j < targets; j++) {
    vec weight = load(weights + j * LANES);
    vec y = load(t + j * LANES) * inverse;
    vec p = choose(weight > 0.0, y + floor, splat(1.0));
    loss = fma8(-weight, log8(p), loss);
    vec f = -weight * inverse / p;
    store(t + j * LANES, f);
    mean = fma8(f, y, mean);
  }
  for (int j = 0; j < columns; j++) {
    store(t + j * LANES, (j < targets ? load(t + j * LANES) : splat(0.0)) - mean);
  }
  return loss;
}

INLINE double read_out(const gf_sequences *q, int size, int width, int columns, double floor,
                       const double *powers, const double *logits, double *adjoints,
                       double *scratch) {
  double *t = scratch, *shifts = scratch + q->chunks * columns * LANES;
  vec total = splat(0.0);
  for (int64_t chunk = 0; chunk < q->chunks; chunk++) {
    double *sums = t + chunk * columns * LANES;
    vec shift = splat(0.0);
    if (!powers) store(shifts + chunk * LANES, shift = largest_logits(q, chunk, logits));
    for (int j = 0; j < columns; j++) {
      int64_t strip = chunk * columns + j;
      store(sums + j * LANES,
            powers ? strip_product(&q->by_sequence, size, width, strip, powers)
                   : shifted_strip_product(&q->by_sequence, strip, logits, shift));
    }
    total += losses(columns, q->targets, q->weights + chunk * q->targets * LANES, floor, sums);
  }
  if (!adjoints) return sum_lanes(total);
  for (int64_t strip = 0; strip < q->key_strips; strip++) {
    const int32_t *slots = q->slots + strip * LANES;
    const double *values = powers ? powers : logits;
    vec value;
    for (int lane = 0; lane < LANES; lane++) value[lane] = slots[lane] < 0 ? 0 : values[slots[lane]];
    vec sum = powers ? value * strip_product(&q->by_key, size, width, strip, t)
                     : shifted_key_product(q, strip, value, shifts, t);
    for (int lane = 0; lane < LANES; lane++) {
      if (slots[lane] >= 0) adjoints[slots[lane]] = sum[lane];
    }
  }
  return sum_lanes(total);
}

// One copy for each width of counts, and within it one for narrow indices and one shift for all, the
// path that most of a run's time goes through.
#define READ_OUT(size)                                                                             \
  CLONES static double read_out_##size(const gf_sequences *q, double floor, const double *powers,  \
                                       const double *logits, double *adjoints, double *scratch) {  \
    if (powers && q->by_sequence.index_size == 2) {                                                \
      if (q->columns == 2) {                                                                       \
        return read_out(q, size, 2, 2, floor, powers, logits, adjoints, scratch);                  \
      }                                                                                            \
      return read_out(q, size, 2, q->columns, floor, powers, logits, adjoints, scratch);           \
    }                                                                                              \
    return read_out(q, size, q->by_sequence.index_size, q->columns, floor, powers, logits,         \
                    adjoints, scratch);                                                            \
  }

READ_OUT(1)
READ_OUT(2)
READ_OUT(4)

double gf_read_out(const gf_sequences *q, double floor, const double *powers,
                   const double *logits, double *adjoints, double *scratch) {
  switch (q->by_sequence.count_size) {
    case 1: return read_out_1(q, floor, powers, logits, adjoints, scratch);
    case 2: return read_out_2(q, floor, powers, logits, adjoints, scratch);
    default: return read_out_4(q, floor, powers, logits, adjoints, scratch);
  }
}
