// Tiles to CTAs, in the order in which the source lies.
#pragma once

#include <algorithm>

#include "cuda/pack/task.h"
#include "cuda/pack/tile.h"

namespace marlin::cuda {

// What grids may count to; CTAs take several items where there are more.
inline unsigned blocks_for(int64_t items) {
    return static_cast<unsigned>(std::min(items, int64_t{1} << 30));
}

inline constexpr int64_t kMaxSlow = 65535; // of a grid's y
// CTAs that fill any GPU several times over. Where there are more tiles, CTAs take some each: fewer starts and ends.
inline constexpr int64_t kManyBlocks = 12288;

// Neighbours in time should be neighbours in memory: columns of one row of tiles where the source has rows of k, tiles
// of one column where it has rows of features, or rows in any order.
inline dim3 tile_grid(const Geometry &g, bool along_column) {
    const int64_t tiles = tiles_of_column(g);
    const int64_t slow = along_column ? g.columns : tiles;
    const int64_t fast = along_column ? tiles : g.columns;
    return dim3(static_cast<unsigned>(fast),
                static_cast<unsigned>(std::min({slow, kMaxSlow, std::max(kManyBlocks / fast, int64_t{1})})));
}
// `along_k`: the source has rows of features.
MARLIN_HD inline bool by_column(const PackTask &task, bool along_k) {
    return along_k || !task.in_order();
}
template <typename Visit>
__device__ void for_each_tile(const Geometry &g, bool along_column, Visit visit) {
    const int64_t slow_end = along_column ? g.columns : tiles_of_column(g);
    for (int64_t slow = blockIdx.y; slow < slow_end; slow += gridDim.y) {
        const int64_t fast = blockIdx.x;
        visit(place_of(g, along_column ? slow : fast, (along_column ? fast : slow) * kRows));
        if (slow + gridDim.y < slow_end)
            __syncthreads();
    }
}

} // namespace marlin::cuda
