// How CTAs that have stripes of the same tile meet in the workspace, without one ever waiting for another's products.
//
// Each claims the tile when its products are done. Who claims last adds up, its own sums still in registers. The others
// leave theirs in the workspace, say so, and go on: what the last one waits for is stores that are under way.
#pragma once

#include "cuda/kernel/stripes.cuh"

namespace marlin::cuda {

struct SharedTile {
    // Of the tile's word: claims are counted in the lower half, stored sums in the upper one.
    static constexpr uint32_t kStored = 1u << 16;

    uint32_t *word = nullptr; // zero before and after a launch
    int first_cta = 0;
    int last_cta = 0;

    SharedTile() = default;
    // A segment's that is not all of it. `words` has one for every striped tile, times `beside`.
    __device__ __forceinline__ SharedTile(const Partition &p, const Segment &segment, uint32_t *words, int beside,
                                          int rank) {
        const int number = segment.tile - (p.tiles - p.striped);
        word = words + number * beside + rank;
        first_cta = p.owner(number * p.units.value);
        last_cta = p.owner((number + 1) * p.units.value - 1);
    }
    __device__ __forceinline__ int others() const { return last_cta - first_cta; }

    // The three by one thread. When the CTA's products are done; whether all others have claimed it:
    __device__ __forceinline__ bool claim() const {
        return atomicAdd(word, 1u) % kStored == static_cast<uint32_t>(others());
    }
    // behind a barrier that stands behind all of the CTA's stores;
    __device__ __forceinline__ void tell_stored() const {
        asm volatile("red.release.gpu.global.add.u32 [%0], %1;" ::"l"(word), "r"(kStored) : "memory");
    }
    // of the CTA that claimed last, before a barrier before all of its loads. Nobody uses the word afterwards.
    __device__ __forceinline__ void wait_until_stored() const {
        uint32_t seen = 0;
        do {
            asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(seen) : "l"(word) : "memory");
        } while (seen / kStored != static_cast<uint32_t>(others()));
        *word = 0;
    }
};

} // namespace marlin::cuda
