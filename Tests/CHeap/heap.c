#include "heap.h"

#include <stdatomic.h>

// Two variables of the Swift runtime, which Swift Testing sets ("Backtrace.swift").
extern void *_Atomic _swift_willThrow;
extern void *_Atomic _swift_willThrowTypedImpl;

void gf_forget_thrown_errors(void) {
  atomic_store(&_swift_willThrow, (void *)0);
  atomic_store(&_swift_willThrowTypedImpl, (void *)0);
}

#if __has_feature(address_sanitizer)

#include <sanitizer/lsan_interface.h>

long gf_heap_in_use(void) { return 0; }

int gf_has_lost_memory(void) { return __lsan_do_recoverable_leak_check(); }

#else

#if __has_feature(thread_sanitizer)

// It brings a malloc of its own, of which the C library knows nothing.
#include <sanitizer/allocator_interface.h>

long gf_heap_in_use(void) { return (long)__sanitizer_get_current_allocated_bytes(); }

#elif defined(__linux__)

#include <malloc.h>

long gf_heap_in_use(void) {
  struct mallinfo2 information = mallinfo2();
  return (long)(information.uordblks + information.hblkhd);
}

#else

long gf_heap_in_use(void) { return 0; }

#endif

int gf_has_lost_memory(void) { return 0; }

#endif
