// The gather of A for act-order weights and for rows that are not 16-byte aligned.
#include "cuda/kernel/gather.h"

namespace marlin::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kElements = 8; // of a thread: one 16-byte store

__global__ void __launch_bounds__(kThreads)
    gather(uint16_t *to, const uint16_t *from, const int32_t *perm, int64_t k, int64_t k_packed, int64_t lda) {
    const int64_t first = (static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x) * kElements;
    if (first >= k_packed)
        return;
    const uint16_t *row = from + blockIdx.y * lda;
    alignas(16) uint16_t values[kElements];
#pragma unroll
    for (int i = 0; i < kElements; ++i) {
        const int64_t source = perm != nullptr ? perm[first + i] : first + i;
        values[i] = source >= 0 && source < k ? row[source] : uint16_t{0};
    }
    // k_packed is a multiple of 64.
    *reinterpret_cast<uint4 *>(to + blockIdx.y * k_packed + first) = *reinterpret_cast<const uint4 *>(values);
}

} // namespace

cudaError_t launch_gather(void *to, const void *from, const int32_t *perm, int64_t rows, int64_t k, int64_t k_packed,
                          int64_t lda, cudaStream_t stream) {
    const int64_t blocks = (k_packed + kThreads * kElements - 1) / (kThreads * kElements);
    const dim3 grid(static_cast<unsigned>(blocks), static_cast<unsigned>(rows));
    gather<<<grid, kThreads, 0, stream>>>(static_cast<uint16_t *>(to), static_cast<const uint16_t *>(from), perm, k,
                                          k_packed, lda);
    return cudaGetLastError();
}

} // namespace marlin::cuda
