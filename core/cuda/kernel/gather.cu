// The gather of A for act-order weights and for rows that are not 16-byte aligned.
//
// A CTA brings whole rows to shared memory in order and takes its columns out permuted, so that memory sees long reads
// and writes only, and the permutation is on its way while the rows are. Grid: parts of the columns x groups of rows.
// With several rows a CTA, equal columns of its rows stand side by side: one look-up finds them all.
//
//     memory           shared, 2 rows           registers         memory
//     a0 a1 a2 ...     a0 b0 a1 b1 a2 b2 ...    a7 b7, a3 b3      a7 a3 ...
//     b0 b1 b2 ...                                                b7 b3 ...
#include "cuda/kernel/gather.h"

#include <algorithm>

#include "common/arith.h"
#include "cuda/kernel/gather_row.cuh"
#include "cuda/kernel/ptx.cuh"

namespace marlin::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kElements = kGatherElements;

// A column's elements of so many rows.
template <int rows>
struct Column;
template <>
struct Column<1> {
    using Type = uint16_t;
};
template <>
struct Column<2> {
    using Type = uint32_t;
};
template <>
struct Column<4> {
    using Type = uint2;
};

// Several rows, each 16-byte aligned, side by side; of those beyond `count` there are copies of the last.
template <int rows>
__device__ __forceinline__ void bring_rows(typename Column<rows>::Type *shared, const uint16_t *first_row, int64_t lda,
                                           int count, int k) {
    const uint16_t *row[rows];
#pragma unroll
    for (int r = 0; r < rows; ++r)
        row[r] = first_row + min(r, count - 1) * lda;
#pragma unroll 2
    for (int i = static_cast<int>(threadIdx.x); i < k / kElements; i += kThreads) {
        uint4 x[rows];
#pragma unroll
        for (int r = 0; r < rows; ++r)
            x[r] = __ldg(reinterpret_cast<const uint4 *>(row[r]) + i);
        // Two rows' eight columns fill 32 bytes; four rows' are made of two such pairs.
        const auto pair = [&](int r, uint32_t(&to)[kElements]) {
            const uint32_t a[4] = {x[r].x, x[r].y, x[r].z, x[r].w};
            const uint32_t b[4] = {x[r + 1].x, x[r + 1].y, x[r + 1].z, x[r + 1].w};
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                to[2 * j] = low_halves(a[j], b[j]);
                to[2 * j + 1] = high_halves(a[j], b[j]);
            }
        };
        auto *to = reinterpret_cast<uint4 *>(shared + i * kElements);
        uint32_t first[kElements];
        pair(0, first);
        if constexpr (rows == 2) {
            to[0] = make_uint4(first[0], first[1], first[2], first[3]);
            to[1] = make_uint4(first[4], first[5], first[6], first[7]);
        } else {
            uint32_t second[kElements];
            pair(2, second);
#pragma unroll
            for (int j = 0; j < 4; ++j)
                to[j] = make_uint4(first[2 * j], second[2 * j], first[2 * j + 1], second[2 * j + 1]);
        }
    }
    const int thread = static_cast<int>(threadIdx.x);
    const int tail = k / kElements * kElements;
    auto *elements = reinterpret_cast<uint16_t *>(shared);
    if (thread < (k - tail) * rows)
        elements[tail * rows + thread] = row[0][min(thread % rows, count - 1) * lda + tail + thread / rows];
    if (thread < rows)
        elements[k * rows + thread] = 0;
}

template <int rows>
__global__ void __launch_bounds__(kThreads) gather_shared(const GatherArgs args, const int part_columns) {
    ptx::launch_dependents();
    extern __shared__ __align__(16) uint8_t shared[];
    const int begin = static_cast<int>(blockIdx.x) * part_columns;
    const int end = min(begin + part_columns, args.k_packed);
    const int64_t first_row = static_cast<int64_t>(blockIdx.y) * rows;
    const int count = min(rows, args.m - static_cast<int>(first_row));
    int first = begin + static_cast<int>(threadIdx.x) * kElements;
    Places places;
    places.look_up(args.perm, first, end);
    using Type = typename Column<rows>::Type;
    auto *columns = reinterpret_cast<Type *>(shared);
    const auto *from = static_cast<const uint16_t *>(args.from) + first_row * args.lda;
    if constexpr (rows == 1)
        columns = bring_row<kThreads>(columns, from, args.k);
    else
        bring_rows<rows>(columns, from, args.lda, count, args.k);
    ptx::wait_copies<0>();
    __syncthreads();
    auto *to = static_cast<uint16_t *>(args.to) + first_row * args.k_packed;
    while (first < end) {
        Type found[kElements];
#pragma unroll
        for (int i = 0; i < kElements; ++i)
            found[i] = columns[min(places.of[i], static_cast<uint32_t>(args.k))]; // column k is zero
        const int here = first;
        first += kThreads * kElements;
        places.look_up(args.perm, first, end);
#pragma unroll
        for (int r = 0; r < rows; ++r) {
            uint32_t out[4];
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                uint32_t one;
                uint32_t two;
                if constexpr (rows == 4) {
                    one = r < 2 ? found[2 * j].x : found[2 * j].y;
                    two = r < 2 ? found[2 * j + 1].x : found[2 * j + 1].y;
                } else {
                    one = found[2 * j];
                    two = found[2 * j + 1];
                }
                out[j] = r % 2 == 0 ? low_halves(one, two) : high_halves(one, two);
            }
            if (r < count)
                *reinterpret_cast<uint4 *>(to + r * static_cast<int64_t>(args.k_packed) + here) =
                    make_uint4(out[0], out[1], out[2], out[3]);
        }
    }
}

// For rows too long for shared memory: every thread looks its elements up in memory.
__global__ void __launch_bounds__(kThreads) gather_direct(const GatherArgs args) {
    ptx::launch_dependents();
    const int first = (static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x)) * kElements;
    if (first >= args.k_packed)
        return;
    const auto *row = static_cast<const uint16_t *>(args.from) + blockIdx.y * args.lda;
    Places places;
    places.look_up(args.perm, first, args.k_packed);
    uint32_t values[kElements];
#pragma unroll
    for (int i = 0; i < kElements; ++i)
        values[i] = places.of[i] < static_cast<uint32_t>(args.k) ? row[places.of[i]] : 0u;
    *reinterpret_cast<uint4 *>(static_cast<uint16_t *>(args.to) + blockIdx.y * static_cast<int64_t>(args.k_packed) +
                               first) = make_uint4(low_halves(values[0], values[1]), low_halves(values[2], values[3]),
                                                   low_halves(values[4], values[5]), low_halves(values[6], values[7]));
}

// Bytes of shared memory: the rows, a zero, and what the alignment of a single row may shift it by.
int64_t shared_size(int64_t rows, int64_t k) {
    return rows * 2 * (k + 1 + (rows == 1 ? kElements - 1 : 0));
}

template <int rows>
cudaError_t launch_shared(const GatherArgs &args, cudaStream_t stream) {
    // Enough CTAs for a large GPU, of at least 64 threads that take columns out.
    constexpr int64_t ctas = 256;
    constexpr int64_t least = 64 * kElements;
    const int64_t groups = div_up(args.m, rows);
    const int64_t parts = std::min<int64_t>(div_up(ctas, groups), div_up(args.k_packed, least));
    const auto columns = static_cast<int>(round_up(div_up(args.k_packed, parts), kElements));
    const dim3 grid(static_cast<unsigned>(div_up(args.k_packed, columns)), static_cast<unsigned>(groups));
    gather_shared<rows><<<grid, kThreads, static_cast<size_t>(shared_size(rows, args.k)), stream>>>(args, columns);
    return cudaGetLastError();
}

} // namespace

cudaError_t prepare_gather(int64_t shared_memory_per_block) {
    for (const void *function :
         {reinterpret_cast<const void *>(&gather_shared<1>), reinterpret_cast<const void *>(&gather_shared<2>),
          reinterpret_cast<const void *>(&gather_shared<4>)}) {
        const cudaError_t error = cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                                       static_cast<int>(shared_memory_per_block));
        if (error != cudaSuccess)
            return error;
    }
    cudaFuncAttributes attributes;
    return cudaFuncGetAttributes(&attributes, gather_direct); // loads it
}

cudaError_t launch_gather(const GatherArgs &args, int64_t shared_memory_per_block, cudaStream_t stream) {
    constexpr int64_t half_sm = 64 << 10; // three such CTAs on an SM, or more
    const bool aligned = args.lda % kElements == 0 && reinterpret_cast<uintptr_t>(args.from) % 16 == 0;
    const auto takes = [&](int64_t rows, int64_t most) {
        return aligned && args.m >= 128 * rows &&
               shared_size(rows, args.k) <= std::min<int64_t>(most, shared_memory_per_block);
    };
    if (takes(4, half_sm))
        return launch_shared<4>(args, stream);
    if (takes(2, half_sm))
        return launch_shared<2>(args, stream);
    if (shared_size(1, args.k) <= shared_memory_per_block)
        return launch_shared<1>(args, stream);
    const dim3 grid(static_cast<unsigned>(div_up(args.k_packed, kThreads * kElements)), static_cast<unsigned>(args.m));
    gather_direct<<<grid, kThreads, 0, stream>>>(args);
    return cudaGetLastError();
}

} // namespace marlin::cuda
