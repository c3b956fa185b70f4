// The vector loops of gradflow; see each header for what it holds.

#ifndef GRADFLOW_CKERNELS_H
#define GRADFLOW_CKERNELS_H

#include "kernels.h"
#include "machine_limits.h"
#include "mixed_sample.h"
#include "pair_kernel.h"
#include "population.h"
#include "read_out.h"
#include "score.h"

#endif
