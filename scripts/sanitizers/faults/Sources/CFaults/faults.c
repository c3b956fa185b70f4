#include "faults.h"

#include <stdlib.h>
#include <string.h>

// The vectors of gradflow's loops, and the macro that makes several copies of a function.
#include "../../../../../Sources/CKernels/vectors.h"

CLONES double fault_read(const double *x, long offset) {
  vec v = load(x + offset);
  return v[0] + v[1] + v[2] + v[3] + v[4] + v[5] + v[6] + v[7];
}

CLONES void fault_write(double *x, long offset) { store(x + offset, splat(1.0)); }

CLONES double fault_stack(long offset) {
  double values[8];
  for (int i = 0; i < 8; i++) values[i] = i;
  __asm__ volatile("" : : "r"(values) : "memory");
  return values[offset];
}

CLONES int fault_sum(int x, int y) { return x + y; }
int fault_shift(int x, int by) { return x << by; }
double fault_misaligned(const char *x) { return *(const double *)x; }

static long count;
CLONES void fault_count(void) { count++; }
long fault_counted(void) { return count; }

void fault_lose(long bytes) {
  char *lost = malloc((size_t)bytes);
  memset(lost, 1, (size_t)bytes);
  __asm__ volatile("" : : "r"(lost) : "memory");
}
