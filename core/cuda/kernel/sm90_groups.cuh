// The sum over the warpgroups of a CTA that have taken turns along k, in shared memory.
#pragma once

#include "cuda/kernel/epilogue.cuh"
#include "cuda/kernel/sm90_ptx.cuh"

namespace marlin::cuda {

// Sums of 16 features x 8 tokens, of a lane.
template <int count>
__device__ __forceinline__ float4 fragment(const float (&sums)[count], int n) {
    return make_float4(sums[4 * n], sums[4 * n + 1], sums[4 * n + 2], sums[4 * n + 3]);
}

// By all `threads` of the groups: group g has the sums over its part of k, and in the end the whole sums of every
// fragment n with n % groups == g, added up in the order of the groups. `owners` threads a group; `area` is the first
// place of a thread, the same for those that have the same part of the tile in their groups, and has a place for every
// fragment and each other group, `owners` apart. Barriers 1 and 2 are used up.
template <int groups, int owners, int threads, int blocks, int count>
__device__ __forceinline__ void add_groups(float (&sums)[blocks][count], float4 *area, int k_group) {
    constexpr int fragments = count / 4; // of a block
    const auto each_fragment = [&](const auto &visit) {
#pragma unroll
        for (int i = 0; i < blocks; ++i)
#pragma unroll
            for (int n = 0; n < fragments; ++n)
                visit(i, n);
    };
    const auto given = [&](int i, int n, int from) {
        const int nth = (i * fragments + n) * (groups - 1) + (from < n % groups ? from : from - 1);
        return area + nth * owners;
    };
    ptx::barrier(1, threads); // the sums before have been read
#pragma unroll
    for (int group = 0; group < groups; ++group)
        if (k_group == group)
            each_fragment([&](int i, int n) {
                if (n % groups != group)
                    *given(i, n, group) = fragment(sums[i], n);
            });
    ptx::barrier(2, threads);
#pragma unroll
    for (int group = 0; group < groups; ++group)
        if (k_group == group)
            each_fragment([&](int i, int n) {
                if (n % groups != group)
                    return;
                float4 sum = group == 0 ? fragment(sums[i], n) : *given(i, n, 0);
#pragma unroll
                for (int from = 1; from < groups; ++from)
                    sum = sum_of(sum, from == group ? fragment(sums[i], n) : *given(i, n, from));
                sums[i][4 * n] = sum.x;
                sums[i][4 * n + 1] = sum.y;
                sums[i][4 * n + 2] = sum.z;
                sums[i][4 * n + 3] = sum.w;
            });
}

} // namespace marlin::cuda
