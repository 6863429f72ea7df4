// The threads that work on one tile together: a CTA, or the calling thread alone, so that the CPU can run the same
// code.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/host_device.h"

#ifdef __CUDA_ARCH__
#define MARLIN_UNROLL _Pragma("unroll")
#define MARLIN_NO_UNROLL _Pragma("unroll 1")
#define MARLIN_PRAGMA(text) _Pragma(#text)
#define MARLIN_UNROLL_BY(times) MARLIN_PRAGMA(unroll(times))
#else
#define MARLIN_UNROLL
#define MARLIN_NO_UNROLL
#define MARLIN_UNROLL_BY(times)
#endif

namespace marlin::cuda {

// A CTA on a device; on the host only Block<1> makes sense.
template <int threads>
struct Block {
    static constexpr int kThreads = threads;

#ifdef __CUDA_ARCH__
    // Where a CTA has one tile after the other and makes this for each, compilers would compute what all threads do in
    // all cases before the first; they must not know that the number stays.
    __device__ Block() {
        asm volatile("mov.u32 %0, %%tid.x;" : "=r"(thread_));
    }
    __device__ int thread() const {
        __builtin_assume(thread_ >= 0 && thread_ < threads);
        return thread_;
    }
#else
    MARLIN_HD int thread() const {
        return 0;
    }
#endif
    // Everybody is here, and sees what the others wrote.
    MARLIN_HD void sync() const {
#ifdef __CUDA_ARCH__
        __syncthreads();
#endif
    }
    // Everybody is here, and knows whether it is true for anyone.
    MARLIN_HD bool any(bool mine) const {
#ifdef __CUDA_ARCH__
        return __syncthreads_or(mine) != 0;
#else
        return mine;
#endif
    }

#ifdef __CUDA_ARCH__
private:
    int thread_;
#endif
};

// Sixteen bytes, moved at once.
struct alignas(16) Vector {
    uint32_t word[4];
};
MARLIN_HD inline Vector load_vector(const std::byte *at) {
    return *reinterpret_cast<const Vector *>(at);
}
MARLIN_HD inline void store_vector(std::byte *at, const Vector &vector) {
    *reinterpret_cast<Vector *>(at) = vector;
}

// *to = min(*to, value), by any number of threads at once.
MARLIN_HD inline void lower_to(uint64_t *to, uint64_t value) {
#ifdef __CUDA_ARCH__
    atomicMin(reinterpret_cast<unsigned long long *>(to), static_cast<unsigned long long>(value));
#else
    *to = value < *to ? value : *to;
#endif
}

} // namespace marlin::cuda
