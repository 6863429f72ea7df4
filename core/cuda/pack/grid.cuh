// Tiles to CTAs: one a CTA, in the order in which the source lies.
#pragma once

#include <algorithm>

#include "cuda/pack/tile.h"

namespace marlin::cuda {

// More would overflow grids; CTAs then take several tiles.
inline constexpr int64_t kMaxBlocks = int64_t{1} << 30;

inline unsigned blocks_for(int64_t items) {
    return static_cast<unsigned>(std::min(items, kMaxBlocks));
}

// Neighbours in time should be neighbours in memory: columns of one row of tiles where the source has rows of k, tiles
// of one column where it has rows of features, or rows in any order.
template <typename Visit>
__device__ void for_each_tile(const Geometry &g, bool along_column, Visit visit) {
    const int64_t tiles = tiles_of_column(g);
    for (int64_t i = blockIdx.x; i < g.columns * tiles; i += gridDim.x) {
        const int64_t column = along_column ? i / tiles : i % g.columns;
        const int64_t tile = along_column ? i % tiles : i / g.columns;
        visit(place_of(g, column, tile * kRows));
        __syncthreads();
    }
}

} // namespace marlin::cuda
