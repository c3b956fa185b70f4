#include "build_stamp.h"

const char *gradflow_commit(void) { return GRADFLOW_COMMIT; }

int gradflow_is_dirty(void) { return GRADFLOW_DIRTY; }
