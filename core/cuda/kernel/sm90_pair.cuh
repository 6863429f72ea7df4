// The sum over two CTAs of a cluster that share a tile, each with half of its k: through each other's shared memory
// instead of the workspace, and each adds up and stores half of the tile.
#pragma once

#include "cuda/kernel/sm90_ptx.cuh"

namespace marlin::cuda {

// By the threads that hold the sums of a tile: `fragments` four sums each, the same for both CTAs. mine(f) are those of
// fragment f; store(first, sum) stores half of them from fragment `first` on, the n-th of which is sum(n). `free` is
// shared memory that this CTA does not use any more. All threads of the CTA come here or have ended.
template <int fragments, int owners, typename Mine, typename Store>
__device__ __forceinline__ void add_pair(float4 *free, int owner, const Mine &mine, const Store &store) {
    constexpr int half = fragments / 2;
    const bool second = ptx::cluster_rank() == 1;
    ptx::cluster_barrier(); // the other CTA's memory is free too
    float4 *const to = ptx::of_cluster(free, second ? 0 : 1) + owner;
#pragma unroll
    for (int f = 0; f < half; ++f)
        to[f * owners] = second ? mine(f) : mine(half + f);
    ptx::cluster_barrier();
    const float4 *const from = free + owner;
    store(second ? half : 0, [&](int n) {
        const float4 x = second ? mine(half + n) : mine(n);
        const float4 y = from[n * owners];
        return make_float4(x.x + y.x, x.y + y.y, x.z + y.z, x.w + y.w);
    });
}

} // namespace marlin::cuda
