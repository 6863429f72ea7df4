// Random values, spinning, reading clocks, counting NaNs.
#include "cuda_kernels.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

namespace marlin::bench {
namespace {

constexpr int kThreads = 256;
constexpr int kBlocks = 2048;
constexpr int kClockReaders = 4; // CTAs an SM, so that none is left out

// The finaliser of SplitMix64 (Steele et al. 2014).
__device__ uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

template <typename Value>
__device__ Value from_float(float value) {
    return static_cast<Value>(value);
}

template <typename Value>
__global__ void fill_normal_kernel(Value *to, int64_t count, float scale, uint64_t seed) {
    for (int64_t i = blockIdx.x * int64_t{kThreads} + threadIdx.x; i < count; i += int64_t{kBlocks} * kThreads) {
        const uint64_t bits = mix(seed + static_cast<uint64_t>(i) * 0x9e3779b97f4a7c15ull);
        const float u = (static_cast<float>(static_cast<uint32_t>(bits) >> 8) + 0.5f) * 0x1p-24f;
        const float angle = static_cast<float>(static_cast<uint32_t>(bits >> 40)) * 0x1p-23f;
        to[i] = from_float<Value>(scale * sqrtf(-2.0f * logf(u)) * cospif(angle)); // Box and Muller
    }
}

__device__ uint64_t nanoseconds() {
    uint64_t value;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(value));
    return value;
}

__global__ void spin_kernel(uint64_t duration) {
    const uint64_t start = nanoseconds();
    while (nanoseconds() - start < duration) {
    }
}

__global__ void read_clocks_kernel(SmClock *of_sm) {
    if (threadIdx.x != 0)
        return;
    unsigned sm = 0;
    asm("mov.u32 %0, %%smid;" : "=r"(sm));
    of_sm[sm] = {static_cast<uint64_t>(clock64()), nanoseconds()};
}

template <typename Value>
__global__ void count_nans_kernel(const Value *matrix, int64_t rows, int64_t columns, int64_t stride, unsigned *count) {
    unsigned found = 0;
    for (int64_t row = blockIdx.y; row < rows; row += gridDim.y)
        for (int64_t i = blockIdx.x * int64_t{kThreads} + threadIdx.x; i < columns; i += gridDim.x * int64_t{kThreads})
            found += isnan(static_cast<float>(matrix[row * stride + i])) ? 1u : 0u;
    if (found != 0)
        atomicAdd(count, found);
}

// Calls body with a null pointer of the element's type.
template <typename Body>
void with_type(Type type, Body body) {
    if (type == Type::F32)
        body(static_cast<float *>(nullptr));
    else if (type == Type::BF16)
        body(static_cast<__nv_bfloat16 *>(nullptr));
    else
        body(static_cast<__half *>(nullptr));
}

} // namespace

cudaError_t fill_normal(void *to, int64_t count, Type type, float scale, uint64_t seed, cudaStream_t stream) {
    with_type(type, [&](auto *typed) {
        fill_normal_kernel<<<kBlocks, kThreads, 0, stream>>>(static_cast<decltype(typed)>(to), count, scale, seed);
    });
    return cudaGetLastError();
}

cudaError_t spin(int milliseconds, int sm_count, cudaStream_t stream) {
    spin_kernel<<<sm_count, kThreads, 0, stream>>>(static_cast<uint64_t>(milliseconds) * 1000000);
    return cudaGetLastError();
}

cudaError_t read_clocks(SmClock *of_sm, int sm_count, cudaStream_t stream) {
    read_clocks_kernel<<<kClockReaders * sm_count, kThreads, 0, stream>>>(of_sm);
    return cudaGetLastError();
}

cudaError_t count_nans(const void *matrix, Type type, int64_t rows, int64_t columns, int64_t stride, unsigned *count,
                       cudaStream_t stream) {
    with_type(type, [&](const auto *typed) {
        count_nans_kernel<<<dim3(64, 64), kThreads, 0, stream>>>(static_cast<decltype(typed)>(matrix), rows, columns,
                                                                 stride, count);
    });
    return cudaGetLastError();
}

} // namespace marlin::bench
