// C = A * dequantize(B) for few tokens: every CTA owns a slab of features and all of k, so nothing is reduced between
// CTAs, and a row's bits depend on neither the batch nor the number of SMs.
//
//            features -> | CTA 0 | CTA 1 | ...           one CTA:  warp 0: runs 0, W, 2W ...
//     k |  run 0   warp 0|       |       |                         warp 1: runs 1, W + 1 ...
//       v  run 1   warp 1|       |       |               pass: RG row groups of 16 features at a time
//          ...           |       |       |
//
// Features are the M side of the MMA (16 a row group), tokens its N side (8 a tile). Warps split k between them and are
// on their own: each has a private ring of stages in shared memory, filled by cp.async a few blocks of 64 rows ahead,
// so the loop over k has no barrier of the CTA and the ring runs on across passes. A pass ends with one sum over the
// warps through shared memory, in the order of the warps: each leaves its own in the stage it has just used up.
//
// Codes times activations are summed in FP32 and scaled once a group: exact weights, and fewer instructions than
// scaling weights as long as tokens are few. Where weights are symmetric the codes are made integers first. Else they
// are taken as they are, and zero points and offsets multiply the sum of the activations, which one more MMA by ones
// gives to all features at once.
#pragma once

#include "cuda/kernel/args.h"
#include "cuda/kernel/begin.cuh"
#include "cuda/kernel/epilogue.cuh"
#include "cuda/kernel/gather_row.cuh"
#include "cuda/kernel/group_terms.cuh"
#include "cuda/kernel/instance.h"
#include "cuda/kernel/ptx.cuh"

namespace marlin::cuda {

// What of the runs a slab knows when it is compiled. Groups of 128 or 64 rows are one a run, of 32 two; of zeros only
// their sums' terms ask.
template <Weights weights>
struct SlabRuns {
    static constexpr bool kRaw = !is_symmetric(weights);                                  // codes are not made integers
    static constexpr int kGroup = weights == Weights::General ? 0 : least_group(weights); // 0: unknown
    static constexpr int kBlocks = kGroup == 0 ? 0 : kGroup == 128 ? 2 : 1;
    static constexpr int kGroups = kGroup == 32 ? 2 : 1;
    // Bytes of a zero at most, and of the scales and zeros of a row group of 16 in a run.
    static constexpr bool kMayOffset = kRaw && weights != Weights::Rows32;
    static constexpr int kZeroSize = !kRaw ? 0 : kMayOffset ? 4 : 1;
    static constexpr int kMeta = (kGroup == 0 ? 2 : kGroups) * 16 * (2 + kZeroSize);
    const W4A16Args &args;

    __device__ __forceinline__ int blocks() const { return kBlocks != 0 ? kBlocks : args.blocks_in_run; }
    __device__ __forceinline__ int groups() const { return kBlocks != 0 ? kGroups : args.groups_in_run; }
    __device__ __forceinline__ bool grouped() const { return kBlocks != 0 || args.groups_in_run != 0; }
};

template <Weights weights, int token_tiles, int row_groups, int warps, int stages>
struct SlabShape {
    static constexpr int kTokens = 8 * token_tiles;
    static constexpr int kFeatures = 16 * row_groups;
    static constexpr int kActivations = kTokens * 128; // bytes of 64 columns of A
    static constexpr int kCodes = row_groups * 512;    // bytes of 64 rows of W
    static constexpr int kMetaOfGroup = SlabRuns<weights>::kMeta;
    static constexpr int kLoaded = kActivations + kCodes + row_groups * kMetaOfGroup;
    static constexpr int kSumStride = kFeatures + 4;       // floats a token: lanes of a store hit different banks
    static constexpr int kSums = kTokens * kSumStride * 4; // bytes of a warp's, in a stage
    static constexpr int kStage = ((kLoaded > kSums ? kLoaded : kSums) + 127) / 128 * 128;
    static constexpr int kRing = stages * kStage;
    static constexpr int kThreads = 32 * warps;
    using Bias = TileBias<kFeatures, kThreads>;
    static constexpr int kSharedSize = warps * kRing + Bias::kSharedSize;
};

template <typename T, Weights weights, int token_tiles, int row_groups, int warps, int stages>
__global__ void __launch_bounds__(32 * warps, 1) sm80_w4a16_slab(const W4A16Args args) {
    using Shape = SlabShape<weights, token_tiles, row_groups, warps, stages>;
    constexpr bool raw = SlabRuns<weights>::kRaw;
    const SlabRuns<weights> runs{args};
    const Format<SlabRuns<weights>::kMayOffset ? Weights::General : weights> format{args}; // of the terms
    extern __shared__ __align__(128) uint8_t shared[];
    const int first_group = blockIdx.x * args.groups_per_cta;
    typename Shape::Bias bias{reinterpret_cast<float *>(shared + warps * Shape::kRing)};
    bias.read(args, 16 * static_cast<int64_t>(first_group));
    if (raw && !runs.grouped() && threadIdx.x < Shape::kFeatures) {
        // What a pass ends with.
        const int64_t feature = min(16 * first_group + static_cast<int>(threadIdx.x), args.n - 1);
        ptx::prefetch_l2(args.column_scales + 2 * feature);
        ptx::prefetch_l2(args.column_zeros + args.zero_size * feature);
    }
    const int lane = threadIdx.x % 32;
    const int warp = threadIdx.x / 32;
    const int g = lane / 4; // feature of a fragment, token of a tile
    const int t = lane % 4; // pair in k of a fragment, pair of tokens of an accumulator
    const int last_group = min(first_group + args.groups_per_cta, args.row_groups); // behind the last
    const int64_t first_token = static_cast<int64_t>(blockIdx.y) * Shape::kTokens;
    const int tokens = static_cast<int>(min(static_cast<int64_t>(Shape::kTokens), args.m - first_token));
    uint8_t *ring = shared + warp * Shape::kRing;

    // ---- Loading: one block of 64 rows a stage ----------------------------------------------------------------------
    // Scales and zeros of a row group come as 16-byte chunks, one a lane: two for the scales of a group, zero_size for
    // its zeros.
    const int scale_chunks = 2 * runs.groups();
    const int meta_chunks = scale_chunks + format.zero_size() * runs.groups();
    int meta_step = 32; // from row group to row group of a column
    int meta_offset = args.scales_offset + lane / 2 * 128 + lane % 2 * 16;
    if (format.has_zeros() && lane >= scale_chunks) {
        const int chunk = lane - scale_chunks;
        const int second = chunk >= args.zero_size ? 1 : 0; // of the run's groups
        meta_step = 16 * args.zero_size;
        meta_offset = args.zeros_offset + second * 64 * args.zero_size + (chunk - second * args.zero_size) * 16;
    }
    int next_group; // first of the pass
    int next_run;
    int next_block;
    int next_k;
    const uint8_t *codes_from[row_groups]; // this lane's chunk of the run to be loaded
    int live = 0;                          // row groups of the pass that exist
    const auto group_of_pass = [&](int i) { return min(next_group + i, last_group - 1); };
    // From there to this lane's chunk of scales and zeros. Once a run: not worth registers.
    const auto meta_from = [&](int i) { return meta_offset + group_of_pass(i) % 4 * (meta_step - 512) - lane * 16; };
    const auto enter_pass = [&] {
        live = last_group - next_group;
#pragma unroll
        for (int i = 0; i < row_groups; ++i) {
            const int group = group_of_pass(i);
            codes_from[i] =
                args.body + group / 4 * args.column_size + warp * args.run_size + group % 4 * 512 + lane * 16;
        }
    };
    const auto enter_slab = [&] {
        next_group = warp < args.runs ? first_group : last_group;
        next_run = warp;
        next_block = 0;
        next_k = warp * runs.blocks() * 64;
        enter_pass();
    };
    enter_slab();
    // With more tokens than eight there is no place for rows, and the loop over k would be longer.
    const bool gathers_row = token_tiles == 1 && args.gathers_row != 0;
    // A's only row in the order of the weights, where this CTA gathers it, and behind it the row as it lies.
    auto *row = reinterpret_cast<uint16_t *>(shared + Shape::kSharedSize);
    const int a_row = lane / 8;
    const auto *a = static_cast<const T *>(args.a) + (first_token + a_row) * args.lda + lane % 8 * 8;
    const int64_t a_step = 4 * args.lda;
    // Chunk c of a token's 128 bytes stands at c ^ (token % 8): ldmatrix then meets no bank twice.
    const uint32_t a_to = ptx::shared_address(ring) + a_row * 128 + ((lane % 8 ^ a_row) * 16);
    const uint32_t codes_to = ptx::shared_address(ring) + Shape::kActivations + lane * 16;
    const uint64_t policy = ptx::policy_of_weights(args.m <= Shape::kTokens);
    enum : int { kWeights = 1, kActivations = 2 };
    const auto load_stage = [&](int slot, int what = kWeights | kActivations) {
        if (next_group < last_group) {
            const uint32_t at = slot * Shape::kStage;
#pragma unroll
            for (int i = 0; i < row_groups; ++i) {
                const bool wanted = i < live && (what & kWeights) != 0;
                ptx::copy_async_16_if(wanted, codes_to + at + i * 512, codes_from[i] + next_block * 2048, policy);
                ptx::copy_async_16_if(wanted && next_block == 0 && lane < meta_chunks,
                                      codes_to + at + Shape::kCodes + i * Shape::kMetaOfGroup,
                                      codes_from[i] + meta_from(i), policy);
            }
            const T *const from = a + next_k;
            if (gathers_row) {
                if (a_row == 0 && (what & kActivations) != 0)
                    *reinterpret_cast<uint4 *>(ring + at + lane * 16) =
                        *reinterpret_cast<const uint4 *>(row + next_k + lane * 8);
            } else if (next_k + 64 <= args.k) {
#pragma unroll
                for (int j = 0; j < 2 * token_tiles; ++j)
                    ptx::copy_async_16_if(j * 4 + a_row < tokens && (what & kActivations) != 0,
                                          (a_to + at + j * 512) ^ (j % 2 * 64), from + j * a_step);
            } else if ((what & kActivations) != 0) {
                // Columns of A beyond k read as zero.
                const int left = (args.k - next_k - lane % 8 * 8) * static_cast<int>(sizeof(T));
                const int valid = max(0, min(16, left));
#pragma unroll 1
                for (int j = 0; j * 4 + a_row < tokens; ++j)
                    ptx::copy_async_16((a_to + at + j * 512) ^ (j % 2 * 64),
                                       left > 0 ? from + j * a_step : static_cast<const T *>(args.a), valid);
            }
            next_k += 64;
            if (++next_block == runs.blocks()) {
                next_block = 0;
                next_run += warps;
                next_k += (warps - 1) * runs.blocks() * 64;
#pragma unroll
                for (int i = 0; i < row_groups; ++i)
                    codes_from[i] += warps * args.run_size;
                if (next_run >= args.runs) {
                    next_run = warp;
                    next_k = warp * runs.blocks() * 64;
                    next_group += row_groups;
                    if (next_group < last_group)
                        enter_pass();
                }
            }
        }
        ptx::commit_copies();
    };
    if (gathers_row || args.begin == Begin::BesideAny) {
        const uint16_t *lying = nullptr;
        Places places;
        int column = static_cast<int>(threadIdx.x) * kGatherElements;
        if (gathers_row) {
            places.look_up(args.perm, column, args.k);
            lying = bring_row<Shape::kThreads>(row + args.k, static_cast<const uint16_t *>(args.a), args.row_k);
        }
#pragma unroll 1
        for (int slot = 0; slot < stages - 1; ++slot)
            load_stage(slot, kWeights);
        if (gathers_row) {
            ptx::wait_copies<stages - 1>();
            __syncthreads();
            for (; column < args.k; column += Shape::kThreads * kGatherElements) {
                *reinterpret_cast<uint4 *>(row + column) = places.take(lying, args.row_k);
                places.look_up(args.perm, column + Shape::kThreads * kGatherElements, args.k);
            }
            __syncthreads();
        } else {
            begin_after_previous(args);
            bias.read(args, 16 * static_cast<int64_t>(first_group));
        }
        enter_slab();
#pragma unroll 1
        for (int slot = 0; slot < stages - 1; ++slot)
            load_stage(slot, kActivations);
    } else {
        // Weights brought while A is gathered would be in the way of the gather's reads: 0.3 us more for a layer of
        // 4096 x 4096.
        begin_after_previous(args);
#pragma unroll
        for (int slot = 0; slot < stages - 1; ++slot)
            load_stage(slot);
    }

    // ---- Multiplying ------------------------------------------------------------------------------------------------
    float total[row_groups][token_tiles][4];
    float part[row_groups][token_tiles][4]; // of the group at hand, unscaled
    float activations_sum[token_tiles][4];  // of the group at hand, the same for all features
    SumTerms terms[row_groups][2];          // features g and g + 8
    const auto begin_group = [&](const uint8_t *meta, int group) {
        const uint8_t *const zeros = meta + scale_chunks * 16 + group * 16 * args.zero_size;
        load_sum_terms<T, raw>([&](int i) { return meta + group * 32 + i * Shape::kMetaOfGroup; },
                               [&](int i) { return zeros + i * Shape::kMetaOfGroup; }, g, format, terms);
    };
    const auto end_group = [&] {
#pragma unroll
        for (int n = 0; n < token_tiles; ++n)
#pragma unroll
            for (int e = 0; e < 4; ++e) {
#pragma unroll
                for (int i = 0; i < row_groups; ++i) {
                    total[i][n][e] = fmaf(part[i][n][e], terms[i][e / 2].scale, total[i][n][e]);
                    if constexpr (raw)
                        total[i][n][e] = fmaf(activations_sum[n][e], terms[i][e / 2].offset, total[i][n][e]);
                    part[i][n][e] = 0.0f;
                }
                activations_sum[n][e] = 0.0f;
            }
    };
    const uint32_t one = splat(1.0f, T{});
    const uint32_t ones[4] = {one, one, one, one};
    int slot = 0;
    for (int pass_group = first_group; pass_group < last_group; pass_group += row_groups) {
        const int64_t pass_feature = 16 * static_cast<int64_t>(pass_group);
        if (raw && pass_group > first_group)
            bias.read(args, pass_feature);
        bias.begin_tile(args);
        if (!raw) // raw codes leave no register for what is read ahead
            bias.read(args, pass_feature + Shape::kFeatures);
#pragma unroll
        for (int i = 0; i < row_groups; ++i)
#pragma unroll
            for (int n = 0; n < token_tiles; ++n)
#pragma unroll
                for (int e = 0; e < 4; ++e) {
                    total[i][n][e] = 0.0f;
                    part[i][n][e] = 0.0f;
                    activations_sum[n][e] = 0.0f;
                }
        for (int run = warp; run < args.runs; run += warps)
#pragma unroll(SlabRuns <weights>::kBlocks == 2 ? 2 : 1)
            for (int block = 0; block < runs.blocks(); ++block) {
                ptx::wait_copies<stages - 2>();
                __syncwarp();
                load_stage(slot == 0 ? stages - 1 : slot - 1);
                const uint8_t *stage = ring + slot * Shape::kStage;
                const uint8_t *codes = stage + Shape::kActivations;
                slot = slot + 1 == stages ? 0 : slot + 1;
                if (runs.grouped() && block == 0)
                    begin_group(codes + Shape::kCodes, 0);
                uint4 words[row_groups];
#pragma unroll
                for (int i = 0; i < row_groups; ++i)
                    words[i] = *reinterpret_cast<const uint4 *>(codes + i * 512 + lane * 16);
                const uint32_t activations = ptx::shared_address(stage) + lane % 8 * 128;
#pragma unroll
                for (int half = 0; half < 2; ++half) {
                    if (half == 1 && runs.groups() == 2) {
                        end_group();
                        begin_group(codes + Shape::kCodes, 1);
                    }
                    uint32_t b[token_tiles][4];
#pragma unroll
                    for (int n = 0; n < token_tiles; ++n)
                        ptx::load_matrix_x4(b[n], activations + n * 1024 + (((half * 4 + lane / 8) ^ lane % 8) * 16));
#pragma unroll
                    for (int step = 0; step < 2; ++step) {
                        if constexpr (raw)
#pragma unroll
                            for (int n = 0; n < token_tiles; ++n)
                                ptx::mma_16x8x16(activations_sum[n], ones, b[n][2 * step], b[n][2 * step + 1], T{});
#pragma unroll
                        for (int i = 0; i < row_groups; ++i) {
                            const uint32_t word = half == 0 ? (step == 0 ? words[i].x : words[i].y)
                                                            : (step == 0 ? words[i].z : words[i].w);
                            uint32_t w[4];
                            if constexpr (raw)
                                to_raw(word, w, T{});
                            else
                                to_integers(word, zero_terms(8, 8, T{}), w, T{});
#pragma unroll
                            for (int n = 0; n < token_tiles; ++n)
                                ptx::mma_16x8x16(part[i][n], w, b[n][2 * step], b[n][2 * step + 1], T{});
                        }
                    }
                }
                if (runs.grouped() && block + 1 == runs.blocks())
                    end_group();
            }
        if (!runs.grouped()) {
            // One group, read where it ends: before the loop it would be waited for.
            const auto feature = [&](int i) { return 16 * static_cast<int64_t>(min(pass_group + i, last_group - 1)); };
            load_sum_terms<T, raw>([&](int i) { return args.column_scales + 2 * feature(i); },
                                   [&](int i) { return args.column_zeros + args.zero_size * feature(i); }, g, format,
                                   terms);
            end_group();
        }

        // ---- The sum over the warps, and C --------------------------------------------------------------------------
        // After the last pass the ring is free, before only the stage that warp w has just used up; some warps have had
        // one run more a pass.
        int used = 0;
        int used_by_first = 0;
        const bool more = pass_group + row_groups < last_group;
        if (more) {
            const int passes_blocks = ((pass_group - first_group) / row_groups + 1) * runs.blocks();
            const int blocks = args.runs / warps * passes_blocks;
            used = (blocks + stages - 1) % stages * Shape::kStage;
            used_by_first = (blocks + passes_blocks + stages - 1) % stages * Shape::kStage;
        }
        const auto sums_of = [&](int w) {
            const int at = w * Shape::kRing + (w < args.runs % warps ? used_by_first : used);
            return reinterpret_cast<float *>(shared + at);
        };
        float *const mine = sums_of(warp);
#pragma unroll
        for (int i = 0; i < row_groups; ++i)
#pragma unroll
            for (int n = 0; n < token_tiles; ++n)
#pragma unroll
                for (int e = 0; e < 4; ++e)
                    mine[(8 * n + 2 * t + e % 2) * Shape::kSumStride + 16 * i + g + e / 2 * 8] = total[i][n][e];
        __syncthreads();
        const int64_t end_feature = min(static_cast<int64_t>(args.n), static_cast<int64_t>(16) * last_group);
        store_sums<warps, Shape::kFeatures, Shape::kSumStride>(args, first_token, tokens, pass_feature, end_feature,
                                                               sums_of, bias);
        if (more)
            __syncthreads();
    }
}

template <typename T, Weights weights, int token_tiles, int row_groups, int warps, int stages>
Instance slab_instance(const char *name, int32_t number) {
    using Shape = SlabShape<weights, token_tiles, row_groups, warps, stages>;
    return {name,
            number,
            Family::Slab,
            kTypeOf<T>,
            weights,
            Shape::kTokens,
            Shape::kFeatures,
            0,
            1,
            stages,
            Shape::kThreads,
            Shape::kSharedSize,
            0,
            reinterpret_cast<const void *>(&sm80_w4a16_slab<T, weights, token_tiles, row_groups, warps, stages>)};
}

} // namespace marlin::cuda
