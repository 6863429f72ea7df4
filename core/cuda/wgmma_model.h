// How long Hopper's own kernels take, in microseconds on an H200 with groups of 128.
#pragma once

#include <cstdint>

#include "cuda/kernel/instance.h"

namespace marlin::cuda {

// What the cut of a problem costs the CTA with the most to do.
struct Cut {
    int64_t units = 0;       // of k, whole tiles and stripes
    int64_t striped = 0;     // of these, in stripes
    int64_t segments = 0;    // tiles, whole and in part
    int64_t sharers = 1;     // CTAs of a tile
    int64_t parts = 0;       // tiles it leaves partial sums of
    bool even = true;        // no stripe reaches into a second tile in vain
    bool clustered = false;  // to the other CTAs of its cluster
    int64_t activations = 0; // bytes of all of A
};

// A unit: 128 rows of a tile, of which there are so many side by side in m.
double wgmma_unit(const Instance &instance, int64_t token_tiles);
// So many of them, one after the other, by each of so many CTAs at once.
double wgmma_loop(const Instance &instance, int64_t units, double unit, int64_t ctas);
// All but the units.
double wgmma_cost(const Instance &instance, const Cut &cut, double unit);

} // namespace marlin::cuda
