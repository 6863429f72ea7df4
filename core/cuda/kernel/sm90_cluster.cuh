// The sum over the CTAs of a cluster that share a tile, each with an even part of its k: through each other's shared
// memory instead of the workspace, and each adds up and stores an even part of the tile.
#pragma once

#include "cuda/kernel/sm90_ptx.cuh"

namespace marlin::cuda {

// CTAs that may share a tile of so many fragments, at most.
constexpr int most_sharers(int fragments) {
    return fragments % 4 == 0 ? 4 : fragments % 2 == 0 ? 2 : 1;
}
// Fragments that add_cluster stores at a time: more would be more code.
constexpr int stored_at_once(int fragments) {
    const int least = fragments / most_sharers(fragments);
    return least % 4 == 0 ? 4 : least % 3 == 0 ? 3 : least;
}

// By the threads that hold the sums of a tile: `fragments` four sums each. mine(f) are those of fragment f;
// store(first, sum) stores stored_at_once() fragments from `first` on, the n-th of which is sum(n). `free` is shared
// memory for a tile's sums that this CTA does not use any more. All threads of the CTA come here or have ended.
template <int fragments, int owners, typename Mine, typename Store>
__device__ __forceinline__ void add_cluster(float4 *free, int owner, int sharers, const Mine &mine,
                                            const Store &store) {
    constexpr int most = most_sharers(fragments);
    constexpr int some = fragments / most;
    const int share = sharers == most ? some : 2 * some; // of two where there may be four
    const int rank = static_cast<int>(ptx::cluster_rank());
    ptx::cluster_barrier(); // the others' memory is free too
#pragma unroll
    for (int part = 0; part < most; ++part) {
        const int of = sharers == most ? part : part / 2;
        const int inside = sharers == most ? 0 : part % 2 * some;
        float4 *const to = ptx::of_cluster(free, of) + (rank * share + inside) * owners + owner;
#pragma unroll
        for (int n = 0; n < some; ++n)
            to[n * owners] = mine(part * some + n);
    }
    ptx::cluster_barrier();
#pragma unroll 1
    for (int first = 0; first < share; first += stored_at_once(fragments)) {
        const float4 *const from = free + first * owners + owner;
        store(rank * share + first, [&](int n) {
            float4 sum = from[n * owners];
#pragma unroll 1
            for (int other = 1; other < sharers; ++other) {
                const float4 x = from[(other * share + n) * owners];
                sum = make_float4(sum.x + x.x, sum.y + x.y, sum.z + x.z, sum.w + x.w);
            }
            return sum;
        });
    }
}

} // namespace marlin::cuda
