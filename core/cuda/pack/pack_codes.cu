// Kernels for sources of codes.
#include "cuda/pack/grid.cuh"
#include "cuda/pack/launch.h"
#include "cuda/pack/readers.h"

namespace marlin::cuda {
namespace {

constexpr int kThreads = 128;

__global__ void __launch_bounds__(kThreads) check_values(const __grid_constant__ PackTask task, int64_t groups) {
    const int64_t first = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    check_group_values(task, groups, first, static_cast<int64_t>(gridDim.x) * kThreads);
}

template <typename Reader>
__global__ void __launch_bounds__(kThreads) pack_tiles(const __grid_constant__ PackTask task, PackStep step) {
    using Tile = CodeTile<Reader::kAlongK>;
    __shared__ Tile tile;
    if (step == PackStep::Write && *task.failed_column != kNoColumn)
        return;
    for_each_tile(task.geometry, Reader::kAlongK || task.order.perm != nullptr,
                  [&](const TilePlace &place) { pack_codes<Reader>(Block<kThreads>(), task, step, place, tile); });
}

} // namespace

cudaError_t launch_check_group_values(const PackTask &task, int64_t source_groups, cudaStream_t stream) {
    const unsigned blocks = blocks_for(div_up(source_groups * task.n, kThreads));
    check_values<<<blocks, kThreads, 0, stream>>>(task, source_groups);
    return cudaGetLastError();
}

cudaError_t launch_pack_codes(const PackTask &task, PackStep step, cudaStream_t stream) {
    const unsigned blocks = blocks_for(task.geometry.columns * tiles_of_column(task.geometry));
    with_reader(task, [&](auto reader) { pack_tiles<decltype(reader)><<<blocks, kThreads, 0, stream>>>(task, step); });
    return cudaGetLastError();
}

} // namespace marlin::cuda
