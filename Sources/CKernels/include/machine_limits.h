// What the machine can do at best, for a comparison with what the other loops achieve.

#ifndef GRADFLOW_MACHINE_LIMITS_H
#define GRADFLOW_MACHINE_LIMITS_H

/// Runs `count` rounds of 16 independent fused multiply–adds of eight doubles; returns what they add up
/// to, so that none is left out.
double gf_multiply_add_rounds(long count);

/// x = y + factor z, the triad of the STREAM benchmark: 24 bytes and 2 flops per element.
void gf_triad(double factor, const double *_Nonnull y, const double *_Nonnull z,
              double *_Nonnull x, long count);

#endif
