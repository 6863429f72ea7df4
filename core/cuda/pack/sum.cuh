// Sums over the threads of a grid.
#pragma once

#include "cuda/pack/body_sum.h"

namespace marlin::cuda {

// The same for all lanes.
__device__ inline uint64_t sum_of_warp(uint64_t value) {
    for (int distance = 16; distance > 0; distance /= 2)
        value += __shfl_xor_sync(0xffffffffu, value, distance);
    return value;
}

__device__ inline void add_to(uint64_t *sum, uint64_t part) {
    atomicAdd(reinterpret_cast<unsigned long long *>(sum), static_cast<unsigned long long>(part));
}

// What the lanes of a warp have, into one of kSumSlots sums.
__device__ inline void add_to_slots(uint64_t *slots, const BodySum &sum) {
    const uint64_t part = sum_of_warp(sum.value());
    if (threadIdx.x % 32 == 0)
        add_to(slots + (blockIdx.x + blockIdx.y + threadIdx.x / 32) % kSumSlots * kSumStride, part);
}

} // namespace marlin::cuda
