// Rows of A copied into the order and alignment that the kernels want.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

namespace marlin::cuda {

// to[row][i] = from[row][perm[i]], 0 where perm[i] is -1 or, without perm, where i >= k. 16-bit elements; `to` is
// rows x k_packed, tight; at most 65535 rows.
cudaError_t launch_gather(void *to, const void *from, const int32_t *perm, int64_t rows, int64_t k, int64_t k_packed,
                          int64_t lda, cudaStream_t stream);

} // namespace marlin::cuda
