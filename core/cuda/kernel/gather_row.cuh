// The gather of one row of A by a CTA: to shared memory as it lies, out in the order of the weights.
#pragma once

#include <cstdint>

#include "cuda/kernel/ptx.cuh"

namespace marlin::cuda {

constexpr int kGatherElements = 8; // of a thread at a time: 16 bytes

__device__ __forceinline__ uint32_t low_halves(uint32_t first, uint32_t second) {
    return __byte_perm(first, second, 0x5410);
}
__device__ __forceinline__ uint32_t high_halves(uint32_t first, uint32_t second) {
    return __byte_perm(first, second, 0x7632);
}

// Source columns of eight places; with nothing there, k or more.
struct Places {
    uint32_t of[kGatherElements];

    __device__ __forceinline__ void look_up(const int32_t *perm, int first, int end) {
        if (first >= end)
            return;
        if (perm == nullptr) {
#pragma unroll
            for (int i = 0; i < kGatherElements; ++i)
                of[i] = static_cast<uint32_t>(first + i);
            return;
        }
#pragma unroll
        for (int i = 0; i < kGatherElements; i += 4) {
            const int4 four = __ldg(reinterpret_cast<const int4 *>(perm + first + i));
            of[i] = static_cast<uint32_t>(four.x);
            of[i + 1] = static_cast<uint32_t>(four.y);
            of[i + 2] = static_cast<uint32_t>(four.z);
            of[i + 3] = static_cast<uint32_t>(four.w);
        }
    }

    // The elements of one row that has k and a zero behind them.
    __device__ __forceinline__ uint4 take(const uint16_t *row, int k) const {
        uint32_t found[kGatherElements];
#pragma unroll
        for (int i = 0; i < kGatherElements; ++i)
            found[i] = row[min(of[i], static_cast<uint32_t>(k))];
        return make_uint4(low_halves(found[0], found[1]), low_halves(found[2], found[3]),
                          low_halves(found[4], found[5]), low_halves(found[6], found[7]));
    }
};

// Begins to copy a row of any alignment to shared memory, by all threads of a CTA; returns where it begins. Its place
// in 16 bytes stays the same, so that most of it comes in whole words, the last group of copies of each thread. Needs
// kGatherElements more elements than k; element k is zero.
template <int threads>
__device__ __forceinline__ uint16_t *bring_row(uint16_t *shared, const uint16_t *row, int k) {
    const int shift = static_cast<int>(reinterpret_cast<uintptr_t>(row) / 2 % kGatherElements);
    const int first_word = shift == 0 ? 0 : 1;
    const int end_word = (shift + k) / kGatherElements;
    const uint16_t *from = row - shift; // aligned
#pragma unroll 4
    for (int word = first_word + static_cast<int>(threadIdx.x); word < end_word; word += threads)
        ptx::copy_async_16(ptx::shared_address(shared + word * kGatherElements), from + word * kGatherElements);
    const int thread = static_cast<int>(threadIdx.x);
    const int head = min(k, first_word * kGatherElements - shift);
    if (thread < head)
        shared[shift + thread] = row[thread];
    const int tail = max(head, end_word * kGatherElements - shift);
    if (thread < k - tail)
        shared[shift + tail + thread] = row[tail + thread];
    if (thread == 0)
        shared[shift + k] = 0;
    ptx::commit_copies();
    return shared + shift;
}

} // namespace marlin::cuda
