#ifndef GRADFLOW_HEAP_H
#define GRADFLOW_HEAP_H

/// Bytes that malloc has given and not got back; 0 where nobody can tell, and under the address sanitizer,
/// which keeps what is freed for a while.
long gf_heap_in_use(void);

/// Whether there is memory that nobody points to; only the address sanitizer can tell.
int gf_has_lost_memory(void);

/// Takes away what is called, for the rest of this process, before every error that is thrown.
///
/// Swift Testing keeps the place where each was thrown, some hundred bytes, as long as a test runs.
void gf_forget_thrown_errors(void);

#endif
