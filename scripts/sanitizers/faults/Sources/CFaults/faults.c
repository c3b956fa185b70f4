#include "faults.h"

#include <stdlib.h>
#include <string.h>

// As the vector loops of gradflow: several copies, one of which a resolver takes before anything else runs.
#if defined(__x86_64__) && defined(__linux__) && !__has_feature(thread_sanitizer)
#define CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CLONES
#endif

typedef double vec __attribute__((vector_size(64), aligned(8)));

CLONES double fault_read(const double *x, long offset) {
  vec v = *(const vec *)(x + offset);
  return v[0] + v[1] + v[2] + v[3] + v[4] + v[5] + v[6] + v[7];
}

CLONES void fault_write(double *x, long offset) {
  for (long i = 0; i < 8; i++) x[offset + i] = (double)i;
}

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
