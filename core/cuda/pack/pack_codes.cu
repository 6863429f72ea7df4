// Kernels for sources of codes.
#include "cuda/pack/grid.cuh"
#include "cuda/pack/launch.h"
#include "cuda/pack/readers.h"
#include "cuda/pack/sum.cuh"

namespace marlin::cuda {
namespace {

constexpr int kThreads = 128;
// CTAs of an SM, at least: what reads codes one a byte has twice as many vectors under way.
template <typename Reader, bool sparse>
constexpr int kBlocks = sparse ? 8 : 10;
template <bool along_k, bool sparse>
constexpr int kBlocks<PlainReader<along_k>, sparse> = 8;

// In the order in which scales stand in the source: a warp takes neighbours, warps take lines of them.
constexpr int kLines = kThreads / 32;

__global__ void __launch_bounds__(kThreads) check_values(const __grid_constant__ PackTask task, int64_t groups) {
    const bool n_first = task.values.n_first();
    const int64_t lines = n_first ? task.n : groups;
    const int64_t i = static_cast<int64_t>(blockIdx.x) * 32 + threadIdx.x % 32;
    if (i >= (n_first ? groups : task.n))
        return;
    for (int64_t line = blockIdx.y * kLines + threadIdx.x / 32; line < lines; line += gridDim.y * kLines)
        check_group_value(task, n_first ? i : line, n_first ? line : i);
}

template <typename Reader, bool sparse>
__global__ void __launch_bounds__(kThreads, kBlocks<Reader, sparse>)
    pack_tiles(const __grid_constant__ PackTask task, PackStep step) {
    __shared__ PackCodesMemory<Reader::kAlongK> memory;
    if (step == PackStep::Write && *task.failed_column != kNoColumn)
        return;
    BodySum sum(task.body);
    for_each_tile(task.geometry, by_column(task, Reader::kAlongK), [&](const TilePlace &place) {
        pack_codes<Reader, sparse>(Block<kThreads>(), task, step, place, memory, sum);
    });
    if (step == PackStep::Write)
        add_to_slots(task.sums, sum);
}

} // namespace

cudaError_t launch_check_group_values(const PackTask &task, int64_t source_groups, cudaStream_t stream) {
    const bool n_first = task.values.n_first();
    const int64_t lines = div_up(n_first ? task.n : source_groups, kLines);
    const dim3 grid(static_cast<unsigned>(div_up(n_first ? source_groups : task.n, 32)),
                    static_cast<unsigned>(std::min(lines, kMaxSlow)));
    check_values<<<grid, kThreads, 0, stream>>>(task, source_groups);
    return cudaGetLastError();
}

cudaError_t launch_pack_codes(const PackTask &task, PackStep step, cudaStream_t stream) {
    with_reader(task, [&](auto reader) {
        using Reader = decltype(reader);
        const dim3 grid = tile_grid(task.geometry, by_column(task, Reader::kAlongK));
        if (task.geometry.sparse())
            pack_tiles<Reader, true><<<grid, kThreads, 0, stream>>>(task, step);
        else
            pack_tiles<Reader, false><<<grid, kThreads, 0, stream>>>(task, step);
    });
    return cudaGetLastError();
}

} // namespace marlin::cuda
