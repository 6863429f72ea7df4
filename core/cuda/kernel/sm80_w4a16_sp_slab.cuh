// C = A * dequantize(B), B 2:4 sparse along k, for few tokens: every CTA owns a slab of features and all of k, so
// nothing is reduced between CTAs, and a row's bits depend on neither the batch nor the number of SMs.
//
//            features -> | CTA 0 | CTA 1 | ...           one CTA:  warp 0: runs 0, W, 2W ...
//     k |  run 0   warp 0|       |       |                         warp 1: runs 1, W + 1 ...
//       v  run 1   warp 1|       |       |               pass: row_groups of 16 features at a time
//          ...           |       |       |
//
// A run is one block: 64 kept of 128 rows. Warps split k and are on their own: each has a private ring of stages in
// shared memory, one run a stage, filled by cp.async a few runs ahead, so the loop over k has no barrier of the CTA and
// the ring runs on across passes. A pass ends with one sum over the warps through shared memory, in their order.
//
// Features are the M side of mma.sp.m16n8k32, tokens its N side. The instruction picks the activations that the kept
// weights want, so what stands at pruned positions is never multiplied. Its metadata comes from two lanes of every
// four: those of even row groups from lanes 4g and 4g + 1, of odd ones from 4g + 2 and 4g + 3, so one 16-byte load of a
// lane serves four steps of two row groups.
//
// With groups of 128, integers times activations are summed in FP32 and scaled once a run: exact weights. With all else
// the weights are scaled, in the type of A.
#pragma once

#include "cuda/kernel/args.h"
#include "cuda/kernel/begin.cuh"
#include "cuda/kernel/epilogue.cuh"
#include "cuda/kernel/group_terms.cuh"
#include "cuda/kernel/instance.h"
#include "cuda/kernel/ptx.cuh"

namespace marlin::cuda {

template <Weights weights, int token_tiles, int row_groups, int warps, int stages>
struct SparseSlabShape {
    static_assert(weights == Weights::Group128 || weights == Weights::General);
    static constexpr int kTokens = 8 * token_tiles;
    static constexpr int kFeatures = 16 * row_groups;
    static constexpr int kActivations = kTokens * 256; // bytes of 128 columns of A
    static constexpr int kCodes = row_groups * 512;    // bytes of 64 kept rows of W
    static constexpr int kMetadata = row_groups * 256;
    // Scales and zeros of a row group: at most four groups with F32 offsets.
    static constexpr int kTermsOfGroup = weights == Weights::Group128 ? 32 : 384;
    static constexpr int kStage = (kActivations + kCodes + kMetadata + row_groups * kTermsOfGroup + 127) / 128 * 128;
    static constexpr int kSumStride = kFeatures + 4; // floats a token: lanes of a store fall into different banks
    // Sums have a place of their own, for one token tile at a time, so that warps run on into the next pass while
    // others add up. From 32 tokens on, tile by tile is too many barriers and all at once too much memory: they go into
    // the slot that a warp consumed last.
    static constexpr bool kSumsInSlot = token_tiles >= 4;
    static constexpr int kSumTiles =
        kSumsInSlot ? (token_tiles * 32 * kSumStride <= kStage ? token_tiles : kStage / (32 * kSumStride)) : 1;
    static constexpr int kSums = kSumsInSlot ? 0 : 8 * kSumStride; // floats of a warp
    static_assert(kSumTiles > 0);
    static constexpr int kThreads = 32 * warps;
    using Bias = TileBias<kFeatures, kThreads>;
    static constexpr int kBiasAt = warps * (stages * kStage + 4 * kSums);
    static constexpr int kSharedSize = kBiasAt + Bias::kSharedSize;
};

template <typename T, Weights weights, int token_tiles, int row_groups, int warps, int stages>
__global__ void __launch_bounds__(32 * warps, 1) sm80_w4a16_sp_slab(const W4A16Args args) {
    using Shape = SparseSlabShape<weights, token_tiles, row_groups, warps, stages>;
    constexpr bool scaled = weights != Weights::Group128; // weights, rather than sums
    constexpr int pairs = (row_groups + 1) / 2;           // of row groups
    const Format<weights> format{args};
    extern __shared__ __align__(128) uint8_t shared[];
    const int first_group = blockIdx.x * args.groups_per_cta;
    const int64_t first_feature = 16 * static_cast<int64_t>(first_group);
    typename Shape::Bias bias{reinterpret_cast<float *>(shared + Shape::kBiasAt)};
    const int lane = threadIdx.x % 32;
    const int warp = threadIdx.x / 32;
    const int g = lane / 4; // feature of a fragment, token of a tile
    const int t = lane % 4; // pair in k of a fragment, pair of tokens of an accumulator
    const int last_group = min(first_group + args.groups_per_cta, args.row_groups); // behind the last
    const int passes = (last_group - first_group + row_groups - 1) / row_groups;
    const int64_t first_token = static_cast<int64_t>(blockIdx.y) * Shape::kTokens;
    const int tokens = static_cast<int>(min(static_cast<int64_t>(Shape::kTokens), args.m - first_token));
    uint8_t *const ring = shared + warp * stages * Shape::kStage;

    // ---- Loading: one run a stage -----------------------------------------------------------------------------------
    // Everything comes as 16-byte chunks, one a lane: a row group has 32 of codes, 16 of metadata, two for the scales
    // of each group and zero_size for its zeros.
    const int scale_chunks = 2 * format.groups_in_run();
    const int term_chunks = scale_chunks + format.zero_size() * format.groups_in_run();
    int term_step = 32; // from row group to row group of a column
    int term_offset = args.scales_offset + (format.kFixed ? 0 : lane / 2 * 128) + lane % 2 * 16;
    if (format.has_zeros() && lane >= scale_chunks) {
        const int group = (lane - scale_chunks) / args.zero_size; // of the run's
        term_step = 16 * args.zero_size;
        term_offset =
            args.zeros_offset + 64 * group * args.zero_size + (lane - scale_chunks - group * args.zero_size) * 16;
    }
    const int64_t run_step = warps * args.run_size;
    int pass_to_load = warp < args.runs ? 0 : passes;
    int run_to_load = warp;
    // This lane's chunks of the run to be loaded. With groups of 128 one copy brings the scales of all row groups.
    constexpr int term_copies = format.kFixed ? 1 : row_groups;
    const uint8_t *codes_from[row_groups];
    const uint8_t *metadata_from[pairs];
    const uint8_t *terms_from[term_copies];
    const auto enter_pass = [&] {
        const int first = first_group + pass_to_load * row_groups;
        // Row groups behind the last are the last again: nobody reads their sums.
        const auto place = [&](int i, int step) {
            const int group = min(first + i, last_group - 1);
            return args.body + group / 4 * args.column_size + warp * args.run_size + group % 4 * step;
        };
#pragma unroll
        for (int i = 0; i < row_groups; ++i)
            codes_from[i] = place(i, 512) + lane * 16;
#pragma unroll
        for (int i = 0; i < pairs; ++i)
            metadata_from[i] = place(2 * i + lane / 16, 256) + args.metadata_offset + lane % 16 * 16;
#pragma unroll
        for (int i = 0; i < term_copies; ++i)
            terms_from[i] = place(format.kFixed ? lane / 2 : i, term_step) + term_offset;
    };
    enter_pass();
    // One copy brings 8 chunks of 4 tokens.
    const int a_row = lane / 8;
    const int a_column = lane % 8 * 8;
    const int64_t a_step = 4 * args.lda;
    const int own_tokens = tokens - a_row;
    const int full_runs = args.k / 128;
    const auto first_a = [&] {
        return static_cast<const T *>(args.a) + (first_token + a_row) * args.lda + a_column + warp * 128;
    };
    const T *a_from = first_a();
    // Where the copies go, in the slot to be loaded. Chunk c of a token stands at c ^ (token % 8), chunk c of an odd
    // row group's metadata at c ^ 4: loads from there then meet no bank twice.
    const uint32_t weights_to = ptx::shared_address(ring) + Shape::kActivations;
    uint32_t codes_to = weights_to + lane * 16;
    uint32_t metadata_to = weights_to + Shape::kCodes + lane / 16 * 256 + (lane % 16 ^ lane / 16 * 4) * 16;
    uint32_t a_to = ptx::shared_address(ring) + a_row * 256 + (lane % 8 ^ a_row) * 16;
    int slot_to_load = 0;
    const auto load_stage = [&] {
        if (pass_to_load < passes) {
#pragma unroll
            for (int i = 0; i < row_groups; ++i)
                ptx::copy_async_16(codes_to + i * 512, codes_from[i]);
#pragma unroll
            for (int i = 0; i < pairs; ++i)
                if (row_groups % 2 == 0 || 2 * i + lane / 16 < row_groups)
                    ptx::copy_async_16(metadata_to + i * 512, metadata_from[i]);
            const uint32_t terms_to = codes_to + Shape::kCodes + Shape::kMetadata;
#pragma unroll
            for (int i = 0; i < term_copies; ++i)
                if (lane < (format.kFixed ? 2 * row_groups : term_chunks))
                    ptx::copy_async_16(terms_to + i * Shape::kTermsOfGroup, terms_from[i]);
            const T *from = a_from;
            if (run_to_load < full_runs) {
#pragma unroll
                for (int n = 0; n < token_tiles; ++n)
#pragma unroll
                    for (int half = 0; half < 2; ++half) {
                        if (8 * n + 4 * half < own_tokens)
#pragma unroll
                            for (int side = 0; side < 2; ++side)
                                ptx::copy_async_16((a_to ^ half * 64) + n * 2048 + half * 1024 + side * 128,
                                                   from + side * 64);
                        from += a_step;
                    }
            } else {
                // Columns of A beyond k read as zero. A size that is no constant costs eight instructions a copy.
#pragma unroll 1
                for (int token = 0; token < own_tokens; token += 4) {
#pragma unroll
                    for (int side = 0; side < 2; ++side) {
                        const int left = args.k - run_to_load * 128 - a_column - side * 64;
                        ptx::copy_async_16((a_to ^ token % 8 * 16) + token * 256 + side * 128,
                                           left > 0 ? from + side * 64 : static_cast<const T *>(args.a),
                                           max(0, min(16, 2 * left)));
                    }
                    from += a_step;
                }
            }
            run_to_load += warps;
            a_from += warps * 128;
#pragma unroll
            for (int i = 0; i < row_groups; ++i)
                codes_from[i] += run_step;
#pragma unroll
            for (int i = 0; i < pairs; ++i)
                metadata_from[i] += run_step;
#pragma unroll
            for (int i = 0; i < term_copies; ++i)
                terms_from[i] += run_step;
            if (run_to_load >= args.runs) {
                run_to_load = warp;
                a_from = first_a();
                if (++pass_to_load < passes)
                    enter_pass();
            }
        }
        ptx::commit_copies();
        // Carried from stage to stage: made anew from the slot's number they take more instructions than the copies.
        const bool wraps = slot_to_load == stages - 1;
        const int slot_step = wraps ? (1 - stages) * Shape::kStage : Shape::kStage;
        slot_to_load = wraps ? 0 : slot_to_load + 1;
        codes_to += slot_step;
        metadata_to += slot_step;
        a_to += slot_step;
    };
    begin_after_previous(args);
    bias.read(args, first_feature);
#pragma unroll 1
    for (int stage = 0; stage < stages - 1; ++stage)
        load_stage();

    // ---- Multiplying ------------------------------------------------------------------------------------------------
    float total[row_groups][token_tiles][4];
    ZeroTerms zeros[row_groups];
    ScaleTerms scales[row_groups]; // of weights
    // `scales_at` and `zeros_at` give the place of feature 0 of a row group. Scales in the type of A without offsets
    // are set apart: two branches on types for every value cost a third of the time.
    const bool plain = args.scale_type == kTypeOf<T> && !format.has_offsets();
    const auto set_terms = [&](auto scales_at, auto zeros_at) {
        if (!scaled || plain) {
#pragma unroll
            for (int i = 0; i < row_groups; ++i) {
                const uint8_t *at = zeros_at(i) + g;
                zeros[i] = zero_terms(format.has_zeros() ? at[0] : 8, format.has_zeros() ? at[8] : 8, T{});
                if constexpr (scaled) {
                    const uint32_t pair = load_scale_pair(scales_at(i), g);
                    scales[i] = {__byte_perm(pair, 0, 0x1010), __byte_perm(pair, 0, 0x3232), 0, 0};
                }
            }
        } else {
#pragma unroll
            for (int i = 0; i < row_groups; ++i) {
                zeros[i] = load_zeros<T>(zeros_at(i), g, format);
                scales[i] = load_scales<T>(scales_at(i), zeros_at(i), g, format);
            }
        }
    };
    int slot = 0;
    for (int pass = 0; pass < passes; ++pass) {
        const int64_t pass_feature = first_feature + pass * Shape::kFeatures;
        bias.begin_tile(args);
        bias.read(args, pass_feature + Shape::kFeatures);
#pragma unroll
        for (int i = 0; i < row_groups; ++i)
#pragma unroll
            for (int n = 0; n < token_tiles; ++n)
#pragma unroll
                for (int e = 0; e < 4; ++e)
                    total[i][n][e] = 0.0f;
        if (!scaled || !format.grouped()) {
            const auto group_of = [&](int i) {
                return static_cast<int64_t>(min(first_group + pass * row_groups + i, last_group - 1));
            };
            set_terms([&](int i) { return args.column_scales + 32 * group_of(i); },
                      [&](int i) { return args.column_zeros + 16 * args.zero_size * group_of(i); });
        }
#pragma unroll 1
        for (int run = warp; run < args.runs; run += warps) {
            ptx::wait_copies<stages - 2>();
            __syncwarp();
            load_stage();
            const uint8_t *stage = ring + slot * Shape::kStage;
            const uint8_t *codes = stage + Shape::kActivations;
            const uint8_t *terms = codes + Shape::kCodes + Shape::kMetadata;
            slot = slot + 1 == stages ? 0 : slot + 1;
            uint4 words[row_groups];
#pragma unroll
            for (int i = 0; i < row_groups; ++i)
                words[i] = *reinterpret_cast<const uint4 *>(codes + i * 512 + lane * 16);
            uint4 metadata[pairs]; // of the even row group in lanes 4g and 4g + 1, of the odd one in the others
#pragma unroll
            for (int i = 0; i < pairs; ++i) {
                const int odd = 2 * i + 1 < row_groups ? t / 2 : 0;
                metadata[i] = *reinterpret_cast<const uint4 *>(codes + Shape::kCodes + i * 512 + odd * 256 +
                                                               ((2 * g + t % 2) ^ odd * 4) * 16);
            }
            float part[row_groups][token_tiles][4] = {}; // of the run, unscaled
            const uint32_t activations = ptx::shared_address(stage) + lane % 8 * 256;
#pragma unroll
            for (int step = 0; step < 4; ++step) {
                const auto of_step = [&](const uint4 &four) {
                    return step == 0 ? four.x : step == 1 ? four.y : step == 2 ? four.z : four.w;
                };
                if (scaled && format.grouped() && step * format.groups_in_run() % 4 == 0) {
                    const int group = step * format.groups_in_run() / 4;
                    set_terms([&](int i) { return terms + i * Shape::kTermsOfGroup + 32 * group; },
                              [&](int i) {
                                  return terms + i * Shape::kTermsOfGroup + 16 * scale_chunks +
                                         16 * args.zero_size * group;
                              });
                }
                uint32_t b[token_tiles][4];
#pragma unroll
                for (int n = 0; n < token_tiles; ++n)
                    ptx::load_matrix_x4(b[n], activations + n * 2048 + ((step * 4 + lane / 8) ^ lane % 8) * 16);
#pragma unroll
                for (int i = 0; i < row_groups; ++i) {
                    uint32_t w[4];
                    to_integers(of_step(words[i]), zeros[i], w, T{});
                    if constexpr (scaled)
                        scale_integers<T>(scales[i], w);
#pragma unroll
                    for (int n = 0; n < token_tiles; ++n) {
                        float(&sum)[4] = scaled ? total[i][n] : part[i][n];
                        if (i % 2 == 0)
                            ptx::mma_sp_16x8x32<0>(sum, w, b[n], sum, of_step(metadata[i / 2]), T{});
                        else
                            ptx::mma_sp_16x8x32<1>(sum, w, b[n], sum, of_step(metadata[i / 2]), T{});
                    }
                }
            }
            if constexpr (!scaled) {
#pragma unroll
                for (int i = 0; i < row_groups; ++i) {
                    const float low = load_scale<T>(terms + 32 * i + 2 * g, format);
                    const float high = load_scale<T>(terms + 32 * i + 2 * g + 16, format);
#pragma unroll
                    for (int n = 0; n < token_tiles; ++n)
#pragma unroll
                        for (int e = 0; e < 4; ++e)
                            total[i][n][e] = fmaf(part[i][n][e], e < 2 ? low : high, total[i][n][e]);
                }
            }
        }

        // ---- The sum over the warps, and C --------------------------------------------------------------------------
        const int64_t end_feature = min(static_cast<int64_t>(args.n), static_cast<int64_t>(16) * last_group);
        // The first warps may have one run more than the others.
        const int runs = args.runs / warps;
        const int slot_of_first = ((pass + 1) * (runs + 1) + stages - 1) % stages;
        const int slot_of_others = ((pass + 1) * runs + stages - 1) % stages;
        const auto sums_of = [&](int other) {
            if constexpr (!Shape::kSumsInSlot)
                return reinterpret_cast<float *>(shared + warps * stages * Shape::kStage) + other * Shape::kSums;
            const int consumed = other < args.runs - warps * runs ? slot_of_first : slot_of_others;
            return reinterpret_cast<float *>(shared + (other * stages + consumed) * Shape::kStage);
        };
        if constexpr (Shape::kSumsInSlot)
            __syncwarp(); // all lanes have read the slot
        float *const mine = sums_of(warp);
#pragma unroll
        for (int first_tile = 0; first_tile < token_tiles; first_tile += Shape::kSumTiles) {
            if (first_tile > 0 || (!Shape::kSumsInSlot && pass > 0))
                __syncthreads();
#pragma unroll
            for (int n = first_tile; n < min(token_tiles, first_tile + Shape::kSumTiles); ++n)
#pragma unroll
                for (int i = 0; i < row_groups; ++i)
#pragma unroll
                    for (int e = 0; e < 4; ++e)
                        mine[(8 * (n - first_tile) + 2 * t + e % 2) * Shape::kSumStride + 16 * i + g + e / 2 * 8] =
                            total[i][n][e];
            __syncthreads();
            const int round_tokens = min(8 * Shape::kSumTiles, tokens - 8 * first_tile);
            store_sums<warps, Shape::kFeatures, Shape::kSumStride>(args, first_token + 8 * first_tile, round_tokens,
                                                                   pass_feature, end_feature, sums_of, bias);
        }
        if (Shape::kSumsInSlot && pass + 1 < passes)
            __syncthreads(); // the next copies go where these sums are
    }
}

template <typename T, Weights weights, int token_tiles, int row_groups, int warps, int stages>
Instance sp_slab_instance(const char *name, int32_t number) {
    using Shape = SparseSlabShape<weights, token_tiles, row_groups, warps, stages>;
    return {name,
            number,
            Family::SparseSlab,
            kTypeOf<T>,
            weights,
            Shape::kTokens,
            Shape::kFeatures,
            1,
            1,
            stages,
            Shape::kThreads,
            Shape::kSharedSize,
            0,
            reinterpret_cast<const void *>(&sm80_w4a16_sp_slab<T, weights, token_tiles, row_groups, warps, stages>)};
}

} // namespace marlin::cuda
