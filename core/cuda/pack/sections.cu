// Kernels for what stands around the runs: sections behind them, the checksum, the header.
#include "cuda/pack/sections.h"

#include "cuda/pack/grid.cuh"
#include "cuda/pack/launch.h"
#include "cuda/pack/sum.cuh"

namespace marlin::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kChecksumBlocks = 2048;

__device__ int64_t thread_of_grid() {
    return static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
}
__device__ int64_t threads_of_grid() {
    return static_cast<int64_t>(gridDim.x) * kThreads;
}

__global__ void __launch_bounds__(kThreads) write_sections(const __grid_constant__ PackTask task) {
    if (*task.failed_column != kNoColumn)
        return;
    const Geometry &g = task.geometry;
    BodySum sum(task.body);
    for (int64_t offset = runs_end(g) + 8 * thread_of_grid(); offset < g.body_size; offset += 8 * threads_of_grid())
        write_section_words(task, offset, sum);
    add_to_slots(task.sums, sum);
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

__global__ void write_header(const __grid_constant__ PackedHeader header, uint64_t *to, const uint64_t *sums,
                             const uint64_t *failed_column, uint64_t *body_checksum) {
    if (*failed_column != kNoColumn)
        return;
    const int i = static_cast<int>(threadIdx.x);
    uint64_t part = 0;
    for (int slot = i; slot < kSumSlots; slot += kHeaderWords)
        part += sums[slot * kSumStride];
    const uint64_t sum = sum_of_warp(part);
    if (i == 0)
        *body_checksum = sum;
    const HeaderWord own = header_word(header, i, sum);
    const uint64_t checksum = sum_of_warp(own.checksum);
    to[i] = i == kHeaderWords - 1 ? checksum : own.word;
}
static_assert(kHeaderWords == 32, "a warp writes the header");

} // namespace

cudaError_t launch_write_sections(const PackTask &task, cudaStream_t stream) {
    const int64_t words = (task.geometry.body_size - runs_end(task.geometry)) / 8;
    if (words == 0)
        return cudaSuccess;
    write_sections<<<blocks_for(div_up(words, kThreads)), kThreads, 0, stream>>>(task);
    return cudaGetLastError();
}

cudaError_t launch_checksum(const std::byte *body, int64_t size, uint64_t *sum, cudaStream_t stream) {
    const int64_t blocks = std::min(div_up(size / 16, kThreads), kChecksumBlocks);
    add_checksum<<<static_cast<unsigned>(blocks), kThreads, 0, stream>>>(body, size, sum);
    return cudaGetLastError();
}

cudaError_t launch_write_header(const PackedHeader &header, std::byte *to, const uint64_t *sums,
                                const uint64_t *failed_column, uint64_t *body_checksum, cudaStream_t stream) {
    write_header<<<1, kHeaderWords, 0, stream>>>(header, reinterpret_cast<uint64_t *>(to), sums, failed_column,
                                                 body_checksum);
    return cudaGetLastError();
}

} // namespace marlin::cuda
