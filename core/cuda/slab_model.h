// How long slabs take, in microseconds on an H200 with groups of 128.
#pragma once

#include <cstdint>

#include "cuda/kernel/instance.h"

namespace marlin::cuda {

// A CTA's row groups, and all of k.
struct Slab {
    int64_t row_groups = 0;
    int64_t tokens = 0; // of A, no more than the instance takes
    int64_t k = 0;
    int64_t group = 0; // rows of a group of the weights; kGroupPerColumn
};

double slab_cost(const Instance &instance, const Slab &slab);

} // namespace marlin::cuda
