// C = A * dequantize(B) for many tokens: tiles of features x tokens, one CTA each, k perhaps split over several CTAs.
//
// A CTA of 8 warps computes 256 features x 8 * token_tiles tokens; each warp has 32 features and all tokens, so a
// weight is converted once in the CTA. One stage of the shared ring is 64 rows of W (8 KB of nibbles) and 64 columns of
// A. The fragments of the next step of 16 rows are loaded, and the weights of the next row group converted, while the
// MMAs of this one run: mma.sync is bound by latency, not by issue slots, unless every gap is filled.
//
// Weights are scaled in the type of A (one rounding): with many tokens that is cheaper than scaling sums.
//
// k_splits > 1: every CTA of a tile leaves its FP32 sums in the workspace and counts itself in; the last to arrive adds
// them up in the order of the splits and resets the counter. No CTA ever waits for another, so nothing can deadlock,
// whatever else runs on the GPU; and the order of the sum does not depend on who was last.
#pragma once

#include "cuda/kernel/args.h"
#include "cuda/kernel/epilogue.cuh"
#include "cuda/kernel/group_terms.cuh"
#include "cuda/kernel/instance.h"
#include "cuda/kernel/ptx.cuh"

namespace marlin::cuda {

template <int token_tiles, int stages>
struct TileShape {
    static constexpr int kWarps = 8;
    static constexpr int kThreads = 32 * kWarps;
    static constexpr int kRowGroups = 2; // of a warp
    static constexpr int kFeatures = 16 * kRowGroups * kWarps;
    static constexpr int kColumns = kFeatures / 64;
    static constexpr int kTokens = 8 * token_tiles;
    static constexpr int kCodes = kColumns * 2048;
    static constexpr int kActivations = kTokens * 128;
    static constexpr int kScales = kColumns * 256; // 64 scales of up to two groups a column
    static constexpr int kZeros = kColumns * 512;
    static constexpr int kStage = kCodes + kActivations + kScales + kZeros;
    static constexpr int kStoreStride = 16 * kRowGroups + 4; // floats a token in the epilogue's buffer
    static constexpr int kSharedSize = stages * kStage;
    static constexpr int64_t kPartialSize = int64_t{4} * kFeatures * kTokens; // bytes of one CTA's sums
};

template <typename T, Weights weights, int token_tiles, int stages>
__global__ void __launch_bounds__(256, token_tiles <= 4 ? 2 : 1) sm80_w4a16_tile(const W4A16Args args) {
    using Shape = TileShape<token_tiles, stages>;
    constexpr int row_groups = Shape::kRowGroups;
    const Format<weights> format{args};
    extern __shared__ __align__(128) uint8_t shared[];
    const int lane = threadIdx.x % 32;
    const int warp = threadIdx.x / 32;
    const int g = lane / 4;
    const int t = lane % 4;
    const int64_t first_token = static_cast<int64_t>(blockIdx.x) * Shape::kTokens;
    const int first_column = blockIdx.y * Shape::kColumns;
    const int last_column = args.row_groups / 4 - 1;
    // This CTA's share of k: whole runs, as even as can be.
    const int first_run = static_cast<int>(static_cast<int64_t>(args.runs) * blockIdx.z / args.k_splits);
    const int end_run = static_cast<int>(static_cast<int64_t>(args.runs) * (blockIdx.z + 1) / args.k_splits);
    const int blocks = (end_run - first_run) * format.blocks_in_run();
    const uint32_t ring = ptx::shared_address(shared);

    // ---- Loading ----------------------------------------------------------------------------------------------------
    constexpr int code_copies = Shape::kCodes / 16 / Shape::kThreads;
    constexpr int a_copies = Shape::kActivations / 16 / Shape::kThreads;
    static_assert(Shape::kCodes / 16 % Shape::kThreads == 0 && Shape::kActivations / 16 % Shape::kThreads == 0);
    const auto run_of_column = [&](int column) {
        return args.body + min(first_column + column, last_column) * args.column_size + first_run * args.run_size;
    };
    const uint8_t *codes_from[code_copies];
#pragma unroll
    for (int j = 0; j < code_copies; ++j) {
        const int chunk = j * Shape::kThreads + threadIdx.x;
        codes_from[j] = run_of_column(chunk / 128) + chunk % 128 * 16;
    }
    // 16-byte chunks of scales (8 a column and group) and zeros (4 * format.zero_size() a column and group).
    const int scale_chunks = Shape::kColumns * 8 * format.groups_in_run();
    const int zero_chunks = Shape::kColumns * 4 * format.zero_size() * format.groups_in_run();
    const auto meta_from = [&](int chunk, int of_column, int offset) {
        return run_of_column(chunk / of_column) + offset + chunk % of_column * 16;
    };
    const int scale_chunk = threadIdx.x;
    const int zero_chunk = threadIdx.x - 64; // other warps than those of the scales
    const uint8_t *scales_from =
        scale_chunk < scale_chunks ? meta_from(scale_chunk, 8 * format.groups_in_run(), args.scales_offset) : nullptr;
    const uint8_t *zeros_from =
        zero_chunk >= 0 && zero_chunk < zero_chunks
            ? meta_from(zero_chunk, 4 * format.zero_size() * format.groups_in_run(), args.zeros_offset)
            : nullptr;
    const T *a_from[a_copies];
    uint32_t a_to[a_copies];
    const int first_k = first_run * format.blocks_in_run() * 64;
#pragma unroll
    for (int j = 0; j < a_copies; ++j) {
        const int chunk = j * Shape::kThreads + threadIdx.x;
        const int token = chunk / 8;
        const int64_t row = min(first_token + token, static_cast<int64_t>(args.m) - 1);
        a_from[j] = static_cast<const T *>(args.a) + row * args.lda + first_k + chunk % 8 * 8;
        a_to[j] = Shape::kCodes + token * 128 + ((chunk % 8 ^ token % 8) * 16);
    }
    int next_block = 0;
    int next_slot = 0;
    int next_in_run = 0;
    int k_left = args.k - first_k - static_cast<int>(threadIdx.x) % 8 * 8; // columns of A from this thread's chunk on
    const auto load_stage = [&] {
        if (next_block < blocks) {
            const uint32_t stage = ring + next_slot * Shape::kStage;
            const bool last_in_run = next_in_run + 1 == format.blocks_in_run();
            const int64_t step = last_in_run ? args.run_size - next_in_run * 2048 : 2048;
#pragma unroll
            for (int j = 0; j < code_copies; ++j) {
                ptx::copy_async_16(stage + (j * Shape::kThreads + threadIdx.x) * 16, codes_from[j]);
                codes_from[j] += step;
            }
            if (next_in_run == 0) {
                const uint32_t meta = stage + Shape::kCodes + Shape::kActivations;
                if (scales_from != nullptr) {
                    ptx::copy_async_16(meta + scale_chunk * 16, scales_from);
                    scales_from += args.run_size;
                }
                if (format.has_zeros() && zeros_from != nullptr) {
                    ptx::copy_async_16(meta + Shape::kScales + zero_chunk * 16, zeros_from);
                    zeros_from += args.run_size;
                }
            }
            const int valid = max(0, min(16, k_left * static_cast<int>(sizeof(T))));
#pragma unroll
            for (int j = 0; j < a_copies; ++j) {
                ptx::copy_async_16(stage + a_to[j], valid > 0 ? a_from[j] : static_cast<const T *>(args.a), valid);
                a_from[j] += 64;
            }
            k_left -= 64;
            next_in_run = last_in_run ? 0 : next_in_run + 1;
        }
        ++next_block;
        next_slot = next_slot + 1 == stages ? 0 : next_slot + 1;
        ptx::commit_copies();
    };
#pragma unroll
    for (int stage = 0; stage < stages - 1; ++stage)
        load_stage();

    // ---- Fragments --------------------------------------------------------------------------------------------------
    float sums[row_groups][token_tiles][4];
#pragma unroll
    for (int i = 0; i < row_groups; ++i)
#pragma unroll
        for (int n = 0; n < token_tiles; ++n)
#pragma unroll
            for (int e = 0; e < 4; ++e)
                sums[i][n][e] = 0.0f;
    uint4 words[row_groups];
    uint32_t b[2][token_tiles / 2][4];
    uint32_t w[2][4];
    ScaleTerms scales[row_groups];
    ZeroTerms zeros[row_groups];
    // One ldmatrix brings 16 tokens x 16 columns: lanes 0-7 tokens 0-7, first 8 columns; 8-15 the next 8; 16-31 tokens
    // 8-15.
    const uint32_t b_row = Shape::kCodes + (lane % 8 + lane / 16 * 8) * 128;
    const auto load_b = [&](int buffer, uint32_t stage, int step) {
        const uint32_t chunk = ((step * 2 + lane / 8 % 2) ^ lane % 8) * 16;
#pragma unroll
        for (int n = 0; n < token_tiles / 2; ++n)
            ptx::load_matrix_x4(b[buffer][n], stage + b_row + n * 2048 + chunk);
    };
    const auto load_words = [&](uint32_t stage) {
#pragma unroll
        for (int i = 0; i < row_groups; ++i)
            words[i] =
                *reinterpret_cast<const uint4 *>(shared + (stage - ring) + (warp * row_groups + i) * 512 + lane * 16);
    };
    const auto set_terms = [&](int i, const uint8_t *of_scales, const uint8_t *of_zeros) {
        zeros[i] = load_zeros<T>(of_zeros, g, format);
        scales[i] = load_scales<T>(of_scales, of_zeros, g, format);
    };
    const auto begin_group = [&](uint32_t stage, int group) {
        const uint8_t *meta = shared + (stage - ring) + Shape::kCodes + Shape::kActivations;
#pragma unroll
        for (int i = 0; i < row_groups; ++i) {
            const int in_column = (warp * row_groups + i) % 4 * 16;
            const int of_group = (warp * row_groups + i) / 4 * format.groups_in_run() + group;
            set_terms(i, meta + (of_group * 64 + in_column) * 2,
                      meta + Shape::kScales + (of_group * 64 + in_column) * format.zero_size());
        }
    };
    const auto convert = [&](int buffer, uint32_t word, int i) {
        to_integers(word, zeros[i], w[buffer], T{});
        if constexpr (weights != Weights::Offsets) {
            const auto multiply = [](uint32_t x, uint32_t y) { return as_bits(__hmul2(as_pair<T>(x), as_pair<T>(y))); };
            w[buffer][0] = multiply(w[buffer][0], scales[i].low);
            w[buffer][1] = multiply(w[buffer][1], scales[i].high);
            w[buffer][2] = multiply(w[buffer][2], scales[i].low);
            w[buffer][3] = multiply(w[buffer][3], scales[i].high);
        } else {
            scale_integers<T>(scales[i], w[buffer]);
        }
    };
    const auto word_of = [](const uint4 &four, int step) {
        return step == 0 ? four.x : step == 1 ? four.y : step == 2 ? four.z : four.w;
    };

    // ---- Multiplying ------------------------------------------------------------------------------------------------
    const int first_feature = first_column * 64 + warp * row_groups * 16;
    if (!format.grouped()) {
#pragma unroll
        for (int i = 0; i < row_groups; ++i) {
            const int64_t feature = min(first_feature + i * 16, (args.row_groups - 1) * 16);
            set_terms(i, args.column_scales + 2 * feature, args.column_zeros + format.zero_size() * feature);
        }
    }
    ptx::wait_copies<stages - 2>();
    __syncthreads();
    uint32_t stage = ring;
    int slot = 0;
    int in_run = 0; // block of the run that the coming fragments belong to
    load_words(stage);
    if (format.grouped())
        begin_group(stage, 0);
    load_b(0, stage, 0);
    convert(0, words[0].x, 0);
    for (int block = 0; block < blocks; ++block) {
#pragma unroll
        for (int step = 0; step < 4; ++step) {
            uint32_t next_stage = stage;
            uint32_t last_words[row_groups]; // of this stage, when words[] already holds the next
            if (step == 0)
                load_stage();
            if (step == 3) {
                ptx::wait_copies<stages - 2>();
                __syncthreads();
                slot = slot + 1 == stages ? 0 : slot + 1;
                next_stage = ring + slot * Shape::kStage;
#pragma unroll
                for (int i = 0; i < row_groups; ++i)
                    last_words[i] = words[i].w;
                load_words(next_stage);
            }
            load_b((step + 1) % 2, next_stage, (step + 1) % 4);
#pragma unroll
            for (int i = 0; i < row_groups; ++i) {
                const int index = step * row_groups + i;
                if (i + 1 < row_groups) {
                    convert((index + 1) % 2, step == 3 ? last_words[i + 1] : word_of(words[i + 1], step), i + 1);
                } else {
                    if (step == 3) {
                        in_run = in_run + 1 == format.blocks_in_run() ? 0 : in_run + 1;
                        if (format.grouped() && in_run == 0)
                            begin_group(next_stage, 0);
                    } else if (step == 1 && format.groups_in_run() == 2) {
                        begin_group(next_stage, 1);
                    }
                    convert((index + 1) % 2, word_of(words[0], (step + 1) % 4), 0);
                }
#pragma unroll
                for (int n = 0; n < token_tiles; ++n)
                    ptx::mma_16x8x16(sums[i][n], w[index % 2], b[step % 2][n / 2][n % 2 * 2],
                                     b[step % 2][n / 2][n % 2 * 2 + 1], T{});
            }
            stage = next_stage;
        }
    }
    ptx::wait_copies<0>();

    // ---- The sum over the splits of k -------------------------------------------------------------------------------
    if (args.k_splits > 1) {
        const int64_t tile = blockIdx.y * static_cast<int64_t>(gridDim.x) + blockIdx.x;
        const auto partial = [&](int split, int i, int n) {
            return reinterpret_cast<float4 *>(args.partials) +
                   (((tile * args.k_splits + split) * row_groups + i) * token_tiles + n) * Shape::kThreads +
                   threadIdx.x;
        };
#pragma unroll
        for (int i = 0; i < row_groups; ++i)
#pragma unroll
            for (int n = 0; n < token_tiles; ++n)
                __stcg(partial(blockIdx.z, i, n),
                       make_float4(sums[i][n][0], sums[i][n][1], sums[i][n][2], sums[i][n][3]));
        __threadfence();
        __syncthreads();
        uint32_t *last = reinterpret_cast<uint32_t *>(shared);
        if (threadIdx.x == 0)
            *last = atomicAdd(args.arrivals + tile, 1u) + 1 == static_cast<uint32_t>(args.k_splits);
        __syncthreads();
        if (*last == 0)
            return;
        __threadfence();
        if (threadIdx.x == 0)
            args.arrivals[tile] = 0;
#pragma unroll
        for (int i = 0; i < row_groups; ++i)
#pragma unroll
            for (int n = 0; n < token_tiles; ++n) {
                float4 sum = __ldcg(partial(0, i, n));
                for (int split = 1; split < args.k_splits; ++split) {
                    const float4 more = __ldcg(partial(split, i, n));
                    sum.x += more.x;
                    sum.y += more.y;
                    sum.z += more.z;
                    sum.w += more.w;
                }
                sums[i][n][0] = sum.x;
                sums[i][n][1] = sum.y;
                sums[i][n][2] = sum.z;
                sums[i][n][3] = sum.w;
            }
    }

    // ---- C: eight tokens at a time turned from features x tokens to rows of C ---------------------------------------
    __syncthreads();
    float *buffer = reinterpret_cast<float *>(shared) + warp * 8 * Shape::kStoreStride;
    constexpr int features = 16 * row_groups;
    const int pair = lane % (features / 2) * 2;
    const int64_t feature = first_feature + pair;
    const bool exists = feature < args.n;
    const float bias_first = exists ? bias_of(args, feature) : 0.0f;
    const float bias_second = feature + 1 < args.n ? bias_of(args, feature + 1) : 0.0f;
#pragma unroll
    for (int n = 0; n < token_tiles; ++n) {
#pragma unroll
        for (int i = 0; i < row_groups; ++i)
#pragma unroll
            for (int e = 0; e < 4; ++e)
                buffer[(2 * t + e % 2) * Shape::kStoreStride + 16 * i + g + e / 2 * 8] = sums[i][n][e];
        __syncwarp();
#pragma unroll
        for (int token = lane / (features / 2); token < 8; token += 32 / (features / 2)) {
            const int64_t row = first_token + 8 * n + token;
            const float2 value = *reinterpret_cast<const float2 *>(buffer + token * Shape::kStoreStride + pair);
            if (exists && row < args.m)
                store_pair(args, row, feature, value.x + bias_first, value.y + bias_second);
        }
        __syncwarp();
    }
}

template <typename T, Weights weights, int token_tiles, int stages>
Instance tile_instance(const char *name, int32_t number) {
    using Shape = TileShape<token_tiles, stages>;
    return {name,
            number,
            Family::Tile,
            kTypeOf<T>,
            weights,
            Shape::kTokens,
            Shape::kFeatures,
            stages,
            Shape::kThreads,
            Shape::kSharedSize,
            Shape::kPartialSize,
            reinterpret_cast<const void *>(&sm80_w4a16_tile<T, weights, token_tiles, stages>)};
}

} // namespace marlin::cuda
