// The sum over the two CTAs of a cluster that share a tile, each with one half of its k: through each other's shared
// memory instead of the workspace. Each adds up and stores every other fragment.
#pragma once

#include "cuda/kernel/epilogue.cuh"
#include "cuda/kernel/sm90_ptx.cuh"

namespace marlin::cuda {

// CTAs that may share a tile as a cluster. Four were slower than stripes wherever they were tried, and fewer than 33
// clusters of four fit on an H200.
inline constexpr int kMostSharers = 2;

// A thread holds `own` fragments of a tile, sums(j) where exists(j), each with a place of its own in an area for all of
// the tile's: slot(j). The CTA of rank r keeps those with j % 2 == r.
template <int own>
struct PairSum {
    static constexpr int kKept = (own + 1) / 2;

    float4 *area;       // the thread's first place, in the shared memory of either CTA
    uint64_t *gathered; // a barrier that expects the bytes of what this CTA keeps

    // What the other CTA keeps goes there. All threads have called ptx::cluster_arrive() when they had no more use for
    // the area, or have ended.
    template <typename Sums, typename Slot, typename Exists>
    __device__ __forceinline__ void give(const Sums &sums, const Slot &slot, const Exists &exists) const {
        const int rank = static_cast<int>(ptx::cluster_rank());
        ptx::cluster_wait();
        float4 *const to = ptx::of_cluster(area, rank ^ 1);
        uint64_t *const barrier = ptx::of_cluster(gathered, rank ^ 1);
#pragma unroll
        for (int r = 0; r < 2; ++r)
            if (rank == r)
#pragma unroll
                for (int j = 1 - r; j < own; j += 2)
                    if (exists(j))
                        ptx::store_async(to + slot(j), sums(j), barrier);
    }
    // The n-th fragment that this CTA keeps, where there is one, after ptx::wait_parity(gathered, 0).
    template <typename Sums, typename Slot>
    __device__ __forceinline__ float4 take(const Sums &sums, int n, const Slot &slot) const {
        const bool odd = ptx::cluster_rank() != 0;
        const float4 mine = ptx::select(odd, sums(min(2 * n + 1, own - 1)), sums(2 * n));
        return sum_of(mine, (area + (odd ? slot(1) : 0))[slot(2 * n)]);
    }
    template <typename Exists>
    __device__ __forceinline__ bool kept(int n, const Exists &exists) const {
        const int j = 2 * n + (ptx::cluster_rank() != 0 ? 1 : 0);
        return j < own && exists(j);
    }
};

} // namespace marlin::cuda
