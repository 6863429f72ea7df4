// Kernels for act-order sources whose rows do not lie together: a CTA has all rows of a few features.
#include <algorithm>

#include "cuda/pack/gather_bundles.h"
#include "cuda/pack/gather_sparse.h"
#include "cuda/pack/grid.cuh"
#include "cuda/pack/launch.h"
#include "cuda/pack/sum.cuh"

namespace marlin::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kBlocks = 3; // CTAs of an SM, at least: as many as shared memory mostly has room for

extern __shared__ Vector staged[];

__device__ std::byte *staged_bytes() {
    return reinterpret_cast<std::byte *>(staged);
}

template <Staged kind, bool sparse>
__global__ void __launch_bounds__(kThreads, kBlocks)
    gather_strips(const __grid_constant__ PackTask task, int gap_shift) {
    if (*task.failed_column != kNoColumn)
        return;
    const StripMemory<sparse> memory(staged_bytes(), task, gap_shift);
    BodySum sum(task.body);
    for (int64_t i = blockIdx.x; i < task.geometry.columns * kStrips; i += gridDim.x) {
        pack_strip<kind, sparse>(Block<kThreads>(), task, i / kStrips, static_cast<int>(i % kStrips), memory, sum);
        __syncthreads();
    }
    add_to_slots(task.sums, sum);
}

template <bool sparse, Type type, int pairs>
__global__ void __launch_bounds__(kThreads, kBlocks) fit_bundles(const __grid_constant__ PackTask task) {
    using B = Bundle<type, pairs>;
    if (task.is_void())
        return;
    const BundleMemory<B> memory(staged_bytes(), task);
    for (int64_t i = blockIdx.x; i < task.geometry.columns * B::kCount; i += gridDim.x) {
        fit_bundle<sparse, type, pairs>(Block<kThreads>(), task, i / B::kCount, static_cast<int>(i % B::kCount),
                                        memory);
        __syncthreads();
    }
}

template <bool sparse, Type type, int pairs>
__global__ void __launch_bounds__(kThreads, kBlocks) round_bundles(const __grid_constant__ PackTask task) {
    using B = Bundle<type, pairs>;
    if (*task.failed_column != kNoColumn)
        return;
    const BundleMemory<B> memory(staged_bytes(), task);
    BodySum sum(task.body);
    for (int64_t i = blockIdx.x; i < task.geometry.columns * B::kCount; i += gridDim.x) {
        round_bundle<sparse, type, pairs>(Block<kThreads>(), task, i / B::kCount, static_cast<int>(i % B::kCount),
                                          memory, sum);
        __syncthreads();
    }
    add_to_slots(task.sums, sum);
}

// All scales and zeros of values, which the kernels above leave out: their CTAs have too few features for whole words.
__global__ void __launch_bounds__(kThreads) write_params(const __grid_constant__ PackTask task) {
    if (*task.failed_column != kNoColumn)
        return;
    BodySum sum(task.body);
    for (int64_t column = blockIdx.y; column < task.geometry.columns; column += gridDim.y)
        write_column_params<1>(task, column, 0, static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x,
                               static_cast<int64_t>(gridDim.x) * kThreads, sum);
    add_to_slots(task.sums, sum);
}

// Shared memory that a CTA may ask for.
int64_t most_shared() {
    int device = 0;
    int most = 0;
    if (cudaGetDevice(&device) != cudaSuccess ||
        cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device) != cudaSuccess)
        return 0;
    return most;
}

int64_t strip_size(const PackTask &task, int gap_shift) {
    return task.geometry.sparse() ? StripMemory<true>::size(task, gap_shift)
                                  : StripMemory<false>::size(task, gap_shift);
}

template <typename Kernel, typename... Arguments>
cudaError_t launch(Kernel *kernel, int64_t blocks, int64_t shared, cudaStream_t stream, const Arguments &...arguments) {
    const auto size = static_cast<int>(shared);
    const cudaError_t error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, size);
    if (error != cudaSuccess)
        return error;
    kernel<<<blocks_for(blocks), kThreads, shared, stream>>>(arguments...);
    return cudaGetLastError();
}

cudaError_t launch_params(const PackTask &task, cudaStream_t stream) {
    const Geometry &g = task.geometry;
    const int64_t words = g.groups() * kFeatures * size_of(g.shape.scale_type) / 8;
    const dim3 grid(static_cast<unsigned>(div_up(words, kThreads)),
                    static_cast<unsigned>(std::min(g.columns, kMaxSlow)));
    write_params<<<grid, kThreads, 0, stream>>>(task);
    return cudaGetLastError();
}

// visit(whether 2:4, type, pairs), all constants: two pairs where an SM has room for three CTAs that have
// them.
template <typename Visit>
cudaError_t with_bundle(const PackTask &task, Visit visit) {
    return with_value_type(task.src_type, [&](auto type) {
        const auto with_pairs = [&](auto pairs) {
            return task.geometry.sparse() ? visit(std::true_type(), type, pairs)
                                          : visit(std::false_type(), type, pairs);
        };
        if constexpr (type.value != Type::F32) {
            if (kBlocks * BundleMemory<Bundle<type.value, 2>>::size_to_round(task) <= most_shared())
                return with_pairs(std::integral_constant<int, 2>());
        }
        return with_pairs(std::integral_constant<int, 1>());
    });
}

} // namespace

bool can_gather_codes(const PackTask &task) {
    return gathers_codes(task) && strip_size(task, StagedRows::kNoGaps) <= most_shared();
}

template <Staged kind>
cudaError_t launch_strips(const PackTask &task, cudaStream_t stream) {
    constexpr int kGaps = StagedRows::gap_shift(kind);
    const int gap_shift = strip_size(task, kGaps) <= most_shared() ? kGaps : StagedRows::kNoGaps;
    return launch(task.geometry.sparse() ? gather_strips<kind, true> : gather_strips<kind, false>,
                  task.geometry.columns * kStrips, strip_size(task, gap_shift), stream, task, gap_shift);
}

cudaError_t launch_gather_codes(const PackTask &task, cudaStream_t stream) {
    switch (staging_of(task)) {
    case Staged::Words:
        return launch_strips<Staged::Words>(task, stream);
    case Staged::Marlin:
        return launch_strips<Staged::Marlin>(task, stream);
    case Staged::Lines:
        return launch_strips<Staged::Lines>(task, stream);
    default:
        return launch_strips<Staged::Bytes>(task, stream);
    }
}

bool can_gather_values(const PackTask &task) {
    return gathers_values(task) && with_value_type(task.src_type, [&](auto type) {
               return BundleMemory<Bundle<type.value, 1>>::size_to_round(task) <= most_shared();
           });
}

cudaError_t launch_gather_fit(const PackTask &task, cudaStream_t stream) {
    return with_bundle(task, [&](auto sparse, auto type, auto pairs) {
        using B = Bundle<type.value, pairs.value>;
        return launch(fit_bundles<sparse.value, type.value, pairs.value>, task.geometry.columns * B::kCount,
                      BundleMemory<B>::size_to_fit(task), stream, task);
    });
}

cudaError_t launch_gather_values(const PackTask &task, cudaStream_t stream) {
    const cudaError_t error = with_bundle(task, [&](auto sparse, auto type, auto pairs) {
        using B = Bundle<type.value, pairs.value>;
        return launch(round_bundles<sparse.value, type.value, pairs.value>, task.geometry.columns * B::kCount,
                      BundleMemory<B>::size_to_round(task), stream, task);
    });
    return error != cudaSuccess ? error : launch_params(task, stream);
}

} // namespace marlin::cuda
