// Kernels for sources of values.
#include "cuda/pack/fit_params.h"
#include "cuda/pack/grid.cuh"
#include "cuda/pack/launch.h"
#include "cuda/pack/pack_values.h"

namespace marlin::cuda {
namespace {

constexpr int kThreads = 256;

template <bool along_k>
__global__ void __launch_bounds__(kThreads) fit_tiles(const __grid_constant__ PackTask task) {
    __shared__ FitMemory<along_k> memory;
    for_each_tile(task.geometry, along_k || task.order.perm != nullptr, [&](const TilePlace &place) {
        const RowSpan rows = {place.first_row, place.first_row + place.rows};
        fit_params<along_k>(Block<kThreads>(), task, {place.column, rows, -1}, memory);
    });
}

// A CTA for each column and source group.
template <bool along_k>
__global__ void __launch_bounds__(kThreads) fit_spans(const __grid_constant__ PackTask task, int64_t groups) {
    __shared__ FitMemory<along_k> memory;
    for (int64_t i = blockIdx.x; i < task.geometry.columns * groups; i += gridDim.x) {
        const RowSpan rows = task.spans[i % groups];
        if (rows.end > rows.begin)
            fit_params<along_k>(Block<kThreads>(), task, {i / groups, rows, i % groups}, memory);
        __syncthreads();
    }
}

template <bool along_k>
__global__ void __launch_bounds__(kThreads) round_tiles(const __grid_constant__ PackTask task) {
    __shared__ PackValuesMemory<along_k> memory;
    if (*task.failed_column != kNoColumn)
        return;
    for_each_tile(task.geometry, along_k || task.order.perm != nullptr,
                  [&](const TilePlace &place) { pack_values<along_k>(Block<kThreads>(), task, place, memory); });
}

} // namespace

cudaError_t launch_fit_params(const PackTask &task, int64_t long_groups, cudaStream_t stream) {
    const bool along_k = task.src_order == Order::NxK;
    const Geometry &g = task.geometry;
    if (long_groups > 0) {
        const auto kernel = along_k ? fit_spans<true> : fit_spans<false>;
        kernel<<<blocks_for(g.columns * long_groups), kThreads, 0, stream>>>(task, long_groups);
    } else {
        const auto kernel = along_k ? fit_tiles<true> : fit_tiles<false>;
        kernel<<<blocks_for(g.columns * tiles_of_column(g)), kThreads, 0, stream>>>(task);
    }
    return cudaGetLastError();
}

cudaError_t launch_pack_values(const PackTask &task, cudaStream_t stream) {
    const auto kernel = task.src_order == Order::NxK ? round_tiles<true> : round_tiles<false>;
    const Geometry &g = task.geometry;
    kernel<<<blocks_for(g.columns * tiles_of_column(g)), kThreads, 0, stream>>>(task);
    return cudaGetLastError();
}

} // namespace marlin::cuda
