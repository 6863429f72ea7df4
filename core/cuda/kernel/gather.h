// Rows of A copied into the order and alignment that the kernels want.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

namespace marlin::cuda {

struct GatherArgs {
    void *to;            // m x k_packed, tight, 16-byte aligned
    const void *from;    // m x k, any alignment
    const int32_t *perm; // k_packed source columns, or null: in order
    int64_t lda;         // of `from`
    int32_t m;           // at most 65535
    int32_t k;
    int32_t k_packed; // a multiple of 64
};

// Lets the kernels use so much shared memory, on the current device.
cudaError_t prepare_gather(int64_t shared_memory_per_block);

// to[row][i] = from[row][perm[i]], 0 where perm[i] is -1 or, without perm, where i >= k. 16-bit elements. The next
// kernel of the stream, if it is launched so, may begin while this one runs.
cudaError_t launch_gather(const GatherArgs &args, int64_t shared_memory_per_block, cudaStream_t stream);

} // namespace marlin::cuda
