// Kernels for sources of values that are read as they lie, a vector at a time.
#include "cuda/pack/grid.cuh"
#include "cuda/pack/launch.h"
#include "cuda/pack/stream_round.h"
#include "cuda/pack/sum.cuh"

namespace marlin::cuda {
namespace {

constexpr int kThreads = 256;   // to round
constexpr int kRoundBlocks = 4; // CTAs of an SM, at least
template <bool along_k>
constexpr int kRangeThreads = along_k ? 256 : 128;
template <bool along_k, bool sparse>
constexpr int kRangeBlocks = !along_k ? 8
                             : sparse ? 5
                                      : 6; // CTAs of an SM, at least

// A CTA for each tile, or each column and source group.
template <Type type, bool along_k, bool sparse>
__global__ void __launch_bounds__(kRangeThreads<along_k>, kRangeBlocks<along_k, sparse>)
    range_tiles(const __grid_constant__ PackTask task) {
    __shared__ StreamMemory<along_k> memory;
    if (task.is_void())
        return;
    for_each_tile(task.geometry, by_column(task, along_k), [&](const TilePlace &place) {
        const RowSpan rows = {place.first_row, place.first_row + place.rows};
        stream_ranges<type, along_k, sparse>(Block<kRangeThreads<along_k>>(), task, {place.column, rows, -1}, memory);
    });
}
template <Type type, bool along_k, bool sparse>
__global__ void __launch_bounds__(kRangeThreads<along_k>, kRangeBlocks<along_k, sparse>)
    range_spans(const __grid_constant__ PackTask task, int64_t groups) {
    __shared__ StreamMemory<along_k> memory;
    for (int64_t i = blockIdx.x; i < task.geometry.columns * groups; i += gridDim.x) {
        const RowSpan rows = task.spans[i % groups];
        if (rows.end > rows.begin)
            stream_ranges<type, along_k, sparse>(Block<kRangeThreads<along_k>>(), task, {i / groups, rows, i % groups},
                                                 memory);
        __syncthreads();
    }
}
template <Type type, bool along_k, bool sparse>
__global__ void __launch_bounds__(kThreads, kRoundBlocks) stream_tiles(const __grid_constant__ PackTask task) {
    __shared__ RoundMemory<along_k> memory;
    if (*task.failed_column != kNoColumn)
        return;
    BodySum sum(task.body);
    for_each_tile(task.geometry, by_column(task, along_k), [&](const TilePlace &place) {
        stream_round<type, along_k, sparse>(Block<kThreads>(), task, place, memory, sum);
    });
    add_to_slots(task.sums, sum);
}

template <Type type, bool along_k, bool sparse>
void stream_fit(const PackTask &task, int64_t long_groups, cudaStream_t stream) {
    const Geometry &g = task.geometry;
    if (long_groups > 0)
        range_spans<type, along_k, sparse>
            <<<blocks_for(g.columns * long_groups), kRangeThreads<along_k>, 0, stream>>>(task, long_groups);
    else
        range_tiles<type, along_k, sparse>
            <<<tile_grid(g, by_column(task, along_k)), kRangeThreads<along_k>, 0, stream>>>(task);
}
template <Type type, bool along_k, bool sparse>
void stream_pack(const PackTask &task, cudaStream_t stream) {
    stream_tiles<type, along_k, sparse>
        <<<tile_grid(task.geometry, by_column(task, along_k)), kThreads, 0, stream>>>(task);
}

} // namespace

cudaError_t launch_stream_fit(const PackTask &task, int64_t long_groups, cudaStream_t stream) {
    with_stream(task, [&](auto type, auto along_k, auto sparse) {
        stream_fit<type.value, along_k.value, sparse.value>(task, long_groups, stream);
    });
    return cudaGetLastError();
}

cudaError_t launch_stream_pack(const PackTask &task, cudaStream_t stream) {
    with_stream(task, [&](auto type, auto along_k, auto sparse) {
        stream_pack<type.value, along_k.value, sparse.value>(task, stream);
    });
    return cudaGetLastError();
}

} // namespace marlin::cuda
