// Kernels for what stands around the runs: sections behind them, the checksum, the header.
#include "cuda/pack/sections.h"

#include "cuda/pack/grid.cuh"
#include "cuda/pack/launch.h"
#include "cuda/pack/sum.cuh"

namespace marlin::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kFinishThreads = 1024;
constexpr int64_t kChecksumBlocks = 2048;

__device__ int64_t thread_of_grid() {
    return static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
}
__device__ int64_t threads_of_grid() {
    return static_cast<int64_t>(gridDim.x) * kThreads;
}

__global__ void __launch_bounds__(kThreads) add_checksum(const std::byte *body, int64_t size, uint64_t *sum) {
    uint64_t part = checksum_part(body, size, thread_of_grid(), threads_of_grid());
    part = sum_of_warp(part);
    __shared__ uint64_t parts[kThreads / 32];
    if (threadIdx.x % 32 == 0)
        parts[threadIdx.x / 32] = part;
    __syncthreads();
    if (threadIdx.x != 0)
        return;
    for (int warp = 1; warp < kThreads / 32; ++warp)
        part += parts[warp];
    add_to(sum, part);
}

// One CTA, the last to write: what stands behind the runs, then, once the sum of everything is known, the header.
__global__ void __launch_bounds__(kFinishThreads)
    finish(const __grid_constant__ PackTask task, const __grid_constant__ PackedHeader header, uint64_t *to,
           uint64_t *body_checksum) {
    if (*task.failed_column != kNoColumn)
        return;
    const Geometry &g = task.geometry;
    const int i = static_cast<int>(threadIdx.x);
    BodySum own_sum(task.body);
    for (int64_t offset = runs_end(g) + 8 * i; offset < g.body_size; offset += 8 * kFinishThreads)
        write_section_words(task, offset, own_sum);
    uint64_t part = own_sum.value();
    if (i < kSumSlots)
        part += task.sums[i * kSumStride] - kEmptySlot;
    part = sum_of_warp(part);
    __shared__ uint64_t parts[kFinishThreads / 32];
    if (i % 32 == 0)
        parts[i / 32] = part;
    __syncthreads();
    if (i >= kHeaderWords)
        return;
    const uint64_t sum = sum_of_warp(parts[i]);
    if (i == 0)
        *body_checksum = sum;
    const HeaderWord own = header_word(header, i, sum);
    const uint64_t checksum = sum_of_warp(own.checksum);
    to[i] = i == kHeaderWords - 1 ? checksum : own.word;
}
static_assert(kHeaderWords == 32 && kFinishThreads == 32 * 32, "a warp writes the header and sums what all warps have");

} // namespace

cudaError_t launch_checksum(const std::byte *body, int64_t size, uint64_t *sum, cudaStream_t stream) {
    const int64_t blocks = std::min(div_up(size / 16, kThreads), kChecksumBlocks);
    add_checksum<<<static_cast<unsigned>(blocks), kThreads, 0, stream>>>(body, size, sum);
    return cudaGetLastError();
}

cudaError_t launch_finish(const PackTask &task, const PackedHeader &header, std::byte *to, uint64_t *body_checksum,
                          cudaStream_t stream) {
    finish<<<1, kFinishThreads, 0, stream>>>(task, header, reinterpret_cast<uint64_t *>(to), body_checksum);
    return cudaGetLastError();
}

} // namespace marlin::cuda
