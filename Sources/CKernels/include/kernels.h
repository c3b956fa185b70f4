// Loops over double arrays, compiled for several instruction sets and chosen at run time.
//
// A sum keeps its partial sums and adds them in a fixed order, and multiply–adds are fused where the
// source says so and nowhere else, so every instruction set gives the same bits.

#ifndef GRADFLOW_KERNELS_H
#define GRADFLOW_KERNELS_H

#include <stdint.h>

/// Σ x_i y_i.
double gf_dot(const double *_Nonnull x, const double *_Nonnull y, long count);

/// y = factor x.
void gf_scale(double factor, const double *_Nonnull x, double *_Nonnull y, long count);

/// y += factor x.
void gf_add_scaled(double factor, const double *_Nonnull x, double *_Nonnull y, long count);

/// z = x y, element by element.
void gf_multiply(const double *_Nonnull x, const double *_Nonnull y, double *_Nonnull z,
                 long count);

/// z += x y, element by element.
void gf_add_product(const double *_Nonnull x, const double *_Nonnull y, double *_Nonnull z,
                    long count);

/// Σ x_{rows_i, i} of a matrix with rows `row_length` apart.
double gf_sum_picked(const double *_Nonnull x, const int16_t *_Nonnull rows, long row_length,
                     long count);

/// y_{rows_i, i} += value.
void gf_add_picked(double value, double *_Nonnull y, const int16_t *_Nonnull rows,
                   long row_length, long count);

// The functions that the other loops use inside, for tests of their accuracy.

/// y = e^x, within 1.1 ULP for all x. `count` is a multiple of 8.
void gf_exp(const double *_Nonnull x, double *_Nonnull y, long count);

/// y = log x, within 1 ULP for all x. `count` is a multiple of 8.
void gf_log(const double *_Nonnull x, double *_Nonnull y, long count);

/// Which of `count` sets, of 256 bits each, from `first` on adds the fewest to `bits`; of several the last.
long gf_fewest_new_bits(const void *_Nonnull rows, long first, long count,
                        const void *_Nonnull bits);

/// The instruction set that was chosen: "x86-64-v4", "x86-64-v3" or "baseline".
const char *_Nonnull gf_instruction_set(void);

#endif
