// Kernels for the way back from packed bytes.
#include "cuda/pack/grid.cuh"
#include "cuda/pack/launch.h"

namespace marlin::cuda {
namespace {

constexpr int kThreads = 128;

template <bool along_k>
MARLIN_HD bool by_column(const UnpackTask &task) {
    return along_k || task.weights.perm != nullptr;
}

template <bool along_k>
__global__ void __launch_bounds__(kThreads) unpack_tiles(const __grid_constant__ UnpackTask task) {
    __shared__ UnpackMemory<along_k> memory;
    for_each_tile(task.weights.geometry, by_column<along_k>(task),
                  [&](const TilePlace &place) { unpack_tile<along_k>(Block<kThreads>(), task, place, memory); });
}

// visit(group, n, i) for every group and column of the matrix, i = group * n + column.
template <typename Visit>
__device__ void for_each_group(const WeightsView &w, Visit visit) {
    const int64_t step = static_cast<int64_t>(gridDim.x) * kThreads;
    const int64_t end = w.geometry.groups() * w.n;
    for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < end; i += step)
        visit(i / w.n, i % w.n, i);
}

unsigned group_blocks(const WeightsView &w) {
    return blocks_for(div_up(w.geometry.groups() * w.n, kThreads));
}

__global__ void __launch_bounds__(kThreads)
    copy_groups(const __grid_constant__ WeightsView w, GroupPart part, std::byte *to) {
    const bool scales = part == GroupPart::Scales;
    const int64_t size = size_of(scales ? w.shape().scale_type : w.shape().zero_type);
    for_each_group(w, [&](int64_t group, int64_t n, int64_t i) {
        const std::byte *const from = w.body + (scales ? w.geometry.scale(group, n) : w.geometry.zero(group, n));
        for (int64_t byte = 0; byte < size; ++byte)
            to[i * size + byte] = from[byte];
    });
}

__global__ void __launch_bounds__(kThreads) find_unprunable(const __grid_constant__ WeightsView w, uint64_t *index) {
    for_each_group(w, [&](int64_t group, int64_t n, int64_t i) {
        if (!has_pruned_code(read_zero(w, group, n).zero))
            lower_to(index, static_cast<uint64_t>(i));
    });
}

template <bool along_k>
void unpack(const UnpackTask &task, cudaStream_t stream) {
    const dim3 grid = tile_grid(task.weights.geometry, by_column<along_k>(task));
    unpack_tiles<along_k><<<grid, kThreads, 0, stream>>>(task);
}

} // namespace

cudaError_t launch_unpack(const UnpackTask &task, cudaStream_t stream) {
    task.dst.order == Order::NxK ? unpack<true>(task, stream) : unpack<false>(task, stream);
    return cudaGetLastError();
}

cudaError_t launch_copy_groups(const WeightsView &weights, GroupPart part, std::byte *to, cudaStream_t stream) {
    copy_groups<<<group_blocks(weights), kThreads, 0, stream>>>(weights, part, to);
    return cudaGetLastError();
}

cudaError_t launch_find_unprunable(const WeightsView &weights, uint64_t *index, cudaStream_t stream) {
    find_unprunable<<<group_blocks(weights), kThreads, 0, stream>>>(weights, index);
    return cudaGetLastError();
}

} // namespace marlin::cuda
