// Kernels for sources of values, whatever they are.
#include "cuda/pack/fit_params.h"
#include "cuda/pack/grid.cuh"
#include "cuda/pack/launch.h"
#include "cuda/pack/pack_values.h"
#include "cuda/pack/stream_ranges.h"
#include "cuda/pack/sum.cuh"

namespace marlin::cuda {
namespace {

constexpr int kThreads = 256;
// CTAs of an SM, at least: shared memory has room for four, the search needs the registers of two.
constexpr int kBlocks = 4;
constexpr int kSearchBlocks = 2;

template <bool along_k, bool search>
__global__ void __launch_bounds__(kThreads, search ? kSearchBlocks : kBlocks)
    fit_tiles(const __grid_constant__ PackTask task) {
    __shared__ FitMemory<along_k> memory;
    if (task.is_void())
        return;
    for_each_tile(task.geometry, by_column(task, along_k), [&](const TilePlace &place) {
        const RowSpan rows = {place.first_row, place.first_row + place.rows};
        fit_params<along_k, search>(Block<kThreads>(), task, {place.column, rows, -1}, memory);
    });
}

// A CTA for each column and source group.
template <bool along_k, bool search>
__global__ void __launch_bounds__(kThreads, search ? kSearchBlocks : kBlocks)
    fit_spans(const __grid_constant__ PackTask task, int64_t groups) {
    __shared__ FitMemory<along_k> memory;
    for (int64_t i = blockIdx.x; i < task.geometry.columns * groups; i += gridDim.x) {
        const RowSpan rows = task.spans[i % groups];
        if (rows.end > rows.begin)
            fit_params<along_k, search>(Block<kThreads>(), task, {i / groups, rows, i % groups}, memory);
        __syncthreads();
    }
}

template <bool along_k>
__global__ void __launch_bounds__(kThreads, kBlocks) round_tiles(const __grid_constant__ PackTask task) {
    __shared__ PackValuesMemory<along_k> memory;
    if (*task.failed_column != kNoColumn)
        return;
    BodySum sum(task.body);
    for_each_tile(task.geometry, by_column(task, along_k),
                  [&](const TilePlace &place) { pack_values<along_k>(Block<kThreads>(), task, place, memory, sum); });
    add_to_slots(task.sums, sum);
}

template <bool along_k, bool search>
void fit(const PackTask &task, int64_t long_groups, cudaStream_t stream) {
    const Geometry &g = task.geometry;
    if (long_groups > 0)
        fit_spans<along_k, search><<<blocks_for(g.columns * long_groups), kThreads, 0, stream>>>(task, long_groups);
    else
        fit_tiles<along_k, search><<<tile_grid(g, by_column(task, along_k)), kThreads, 0, stream>>>(task);
}

template <bool along_k>
void round(const PackTask &task, cudaStream_t stream) {
    round_tiles<along_k><<<tile_grid(task.geometry, by_column(task, along_k)), kThreads, 0, stream>>>(task);
}

} // namespace

cudaError_t launch_fit_params(const PackTask &task, int64_t long_groups, cudaStream_t stream) {
    const bool search = task.scale_method == ScaleMethod::LeastSquares;
    if (streams(task) && !search)
        return launch_stream_fit(task, long_groups, stream);
    if (task.src_order == Order::NxK)
        search ? fit<true, true>(task, long_groups, stream) : fit<true, false>(task, long_groups, stream);
    else
        search ? fit<false, true>(task, long_groups, stream) : fit<false, false>(task, long_groups, stream);
    return cudaGetLastError();
}

cudaError_t launch_pack_values(const PackTask &task, cudaStream_t stream) {
    if (streams(task))
        return launch_stream_pack(task, stream);
    task.src_order == Order::NxK ? round<true>(task, stream) : round<false>(task, stream);
    return cudaGetLastError();
}

} // namespace marlin::cuda
