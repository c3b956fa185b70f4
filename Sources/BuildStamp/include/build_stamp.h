#ifndef GRADFLOW_BUILD_STAMP_H
#define GRADFLOW_BUILD_STAMP_H

/// The git commit the program was built from; empty when that is unknown.
const char *_Nonnull gradflow_commit(void);

/// Whether files differed from that commit.
int gradflow_is_dirty(void);

#endif
