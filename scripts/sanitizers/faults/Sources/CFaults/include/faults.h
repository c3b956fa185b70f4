#ifndef FAULTS_H
#define FAULTS_H

// Each is a fault or not by its arguments, which the compiler must not see.
double fault_read(const double *_Nonnull x, long offset);
void fault_write(double *_Nonnull x, long offset);
double fault_stack(long offset);
int fault_sum(int x, int y);
int fault_shift(int x, int by);
double fault_misaligned(const char *_Nonnull x);
void fault_count(void);
long fault_counted(void);
void fault_lose(long bytes);

#endif
