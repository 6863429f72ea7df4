// C = A * dequantize(B) for many tokens: persistent CTAs, tiles of features x tokens, stripes of k (stripes.cuh).
//
// One CTA has k_groups groups of group_warps warps. All groups compute the same tile; group j takes the blocks of 64
// rows j, j + k_groups, ... of it, with a ring of stages and a barrier of its own, so groups drift apart and hide each
// other's latencies. Inside a group every warp has 16 * row_groups features and all tokens: a weight is converted once
// in the CTA, and a fragment of A is read by group_warps warps.
//
//     features ->  warp 0    warp 1        one stage of a group: 64 rows of the nibbles, their scales, 64 columns of A
//     group 0     block 0, 2, 4 ...
//     group 1     block 1, 3, 5 ...
//
// The fragments of the next step of 16 rows are loaded, and the weights of the next row group converted, while the MMAs
// of this one run. Weights are scaled in the type of A (one rounding): with many tokens that is cheaper than scaling
// sums. At the end of a segment the groups add up through the stage just consumed, every group for its share of the
// tile, while the copies for the next segment are under way.
//
// A tile that several CTAs share: each leaves its FP32 sums in the workspace and counts itself in; the last to arrive
// adds them up in the order of k and resets the counter. No CTA ever waits for another, so nothing can deadlock,
// whatever else runs on the GPU; and the order of the sum does not depend on who was last.
#pragma once

#include <climits>

#include "common/arith.h"
#include "cuda/kernel/args.h"
#include "cuda/kernel/convert_parts.cuh"
#include "cuda/kernel/epilogue.cuh"
#include "cuda/kernel/group_terms.cuh"
#include "cuda/kernel/instance.h"
#include "cuda/kernel/ptx.cuh"

namespace marlin::cuda {

template <Weights weights, int token_tiles, int row_groups, int feature_warps, int token_warps, int k_groups,
          int stages>
struct StripeShape {
    static constexpr int kGroupWarps = feature_warps * token_warps;
    static constexpr int kGroupThreads = 32 * kGroupWarps;
    static constexpr int kThreads = kGroupThreads * k_groups;
    static constexpr int kFeatures = 16 * row_groups * feature_warps;
    static constexpr int kColumns = kFeatures / 64;
    static constexpr int kTokens = 8 * token_tiles * token_warps;
    static constexpr int kCodes = kColumns * 2048;
    static constexpr int kActivations = kTokens * 128;
    static constexpr int kGroups = weights == Weights::Group128 ? 1 : 2; // of scales in a block, at most
    static constexpr int kScales = kColumns * 128 * kGroups;
    static constexpr int kZeros = weights == Weights::Group128 ? 0 : kColumns * 256 * kGroups;
    static constexpr int kStage = kCodes + kActivations + kScales + kZeros;
    static constexpr int kRing = stages * kStage;
    static constexpr int kSharedSize = k_groups * kRing;
    static constexpr int kCtasPerSm = token_tiles <= 2 ? 2 : 1;
    static constexpr int kFragments = row_groups * token_tiles;
    static constexpr int kOwn = kFragments / k_groups; // fragments a warp keeps when the groups add up
    // Fragments that a group's stage takes of every warp at a time.
    static constexpr int kExchange = k_groups > 1 && kStage / (kGroupWarps * 512) < kOwn ? kOwn / 2 : kOwn;
    static constexpr int64_t kPartialSize = int64_t{4} * kFeatures * kTokens; // bytes of one CTA's sums
    static_assert(kFragments % k_groups == 0 && kOwn % kExchange == 0);
    static_assert(k_groups == 1 || kExchange * kGroupWarps * 512 <= kStage);
    static_assert(token_tiles < 16 || row_groups == 2);
    static_assert(kStage % 128 == 0 && kFeatures % 64 == 0);
};

template <typename T, Weights weights, int token_tiles, int row_groups, int feature_warps, int token_warps,
          int k_groups, int stages>
__global__ void __launch_bounds__(32 * feature_warps * token_warps * k_groups, token_tiles <= 2 ? 2 : 1)
    sm80_w4a16_stripe(const W4A16Args args) {
    using Shape = StripeShape<weights, token_tiles, row_groups, feature_warps, token_warps, k_groups, stages>;
    constexpr int threads = Shape::kGroupThreads;
    const Format<weights> format{args};
    extern __shared__ __align__(128) uint8_t shared[];
    // Everything that follows from the thread's index is computed again for every segment, from an index that the
    // compiler does not know to be the same: kept, it would be spilled in the loop over k.
    int of_cta;
    int lane;
    int k_group;
    int thread;        // of the group
    int warp;          // in features
    int first_of_warp; // token of the tile
    int g;
    int t;
    uint8_t *ring;
    const int run_shift = format.blocks_in_run() - 1; // runs have one or two blocks
    const int blocks = args.runs << run_shift;        // of 64 rows in a tile
    const auto group_barrier = [&] {
        if constexpr (k_groups == 1)
            __syncthreads();
        else
            ptx::barrier(1 + k_group, threads);
    };

    // ---- Loading: one block of 64 rows a stage ----------------------------------------------------------------------
    constexpr int column_threads = threads / Shape::kColumns; // that load one column of codes
    constexpr int code_copies = 128 / column_threads;
    constexpr int a_copies = Shape::kActivations / 16 / threads;
    constexpr int a_rows = threads / 8; // tokens of one copy of all threads
    static_assert(threads % Shape::kColumns == 0 && column_threads >= 32 && Shape::kActivations / 16 % threads == 0 &&
                  a_rows % 8 == 0);
    const int full_units = args.k / (64 * k_groups); // of a tile: whose blocks have all their columns of A
    int load_done = 0;                               // units, of all that the CTA has to load
    int load_event = 0;                              // where something rare happens: a new segment, a ragged unit
    int tokens_left = 0;                             // from this thread's first on; 0: nothing to load
    const uint8_t *codes_from = nullptr;             // this thread's first chunk of the block
    const uint8_t *a_from = nullptr;
    int in_run = 0; // bytes from the run's first block to this one, where that changes
    // A thread has chunks `chunk`, + column_threads ... of the codes of one column, and that chunk of its scales and
    // zeros.
    int column;
    int chunk;
    const int scale_chunks = 8 * format.groups_in_run();
    // Bytes from a block to its run's scales, and from there to the zeros; with several groups a thread's blocks are
    // all first or all second of their runs.
    int scales_behind = 0;
    const int zeros_behind = args.zeros_offset - format.scales_offset();
    const int zero_chunks = 4 * format.zero_size() * format.groups_in_run();
    enum : int { kCodes = 1, kScales = 2, kZeros = 4 };
    int wanted = 0; // of these
    // Looks up where loading is; returns the ragged block of this thread's group that is to be loaded, else -1.
    const auto find_place = [&] {
        const Segment segment = segment_at(args.partition, blockIdx.x, load_done);
        if (segment.end == 0) {
            wanted = 0;
            tokens_left = 0;
            load_event = INT_MAX;
            return -1;
        }
        const int feature_tile = args.partition.token_tiles.divide(segment.tile);
        const int first_token = (segment.tile - feature_tile * args.partition.token_tiles.value) * Shape::kTokens;
        const int first_column = feature_tile * Shape::kColumns;
        const int block = segment.begin * k_groups + k_group;
        wanted = first_column + column >= args.row_groups / 4
                     ? 0
                     : kCodes + (format.grouped() && chunk < scale_chunks ? kScales : 0) +
                           (format.grouped() && chunk < zero_chunks ? kZeros : 0);
        tokens_left = args.m - first_token - thread / 8;
        in_run = (block & run_shift) * 2048;
        codes_from = args.body + (first_column + column) * args.column_size + (block >> run_shift) * args.run_size +
                     in_run + chunk * 16;
        a_from = static_cast<const uint8_t *>(args.a) + ((first_token + thread / 8) * args.lda + block * 64) * 2 +
                 thread % 8 * 16;
        load_event = load_done + min(segment.end, max(full_units, segment.begin + 1)) - segment.begin;
        return segment.begin >= full_units ? block : -1;
    };
    uint32_t codes_to;
    uint32_t scales_to;
    uint32_t zeros_to;
    uint32_t a_to;
    const auto place_thread = [&] {
        of_cta = ptx::kept_thread_index();
        lane = of_cta % 32;
        k_group = of_cta / threads;
        thread = of_cta % threads;
        warp = thread / 32 % feature_warps;
        first_of_warp = thread / 32 / feature_warps * 8 * token_tiles;
        g = lane / 4;
        t = lane % 4;
        ring = shared + k_group * Shape::kRing;
        column = thread / column_threads;
        chunk = thread % column_threads;
        scales_behind = format.scales_offset() - (k_groups % 2 == 0 ? (k_group & run_shift) * 2048 : 0);
        const uint32_t to = ptx::shared_address(ring);
        codes_to = to + column * 2048 + chunk * 16;
        scales_to = to + Shape::kCodes + Shape::kActivations + (column * scale_chunks + chunk) * 16;
        zeros_to = to + Shape::kCodes + Shape::kActivations + Shape::kScales + (column * zero_chunks + chunk) * 16;
        // Chunk c of a token's 128 bytes stands at c ^ (token % 8): ldmatrix then meets no bank twice.
        a_to = to + Shape::kCodes + thread / 8 * 128 + ((thread % 8 ^ thread / 8 % 8) * 16);
    };
    // The last unit of a tile: columns of A beyond k read as zero, and where k_groups does not divide the blocks, the
    // missing ones are all zeros.
    const auto load_ragged = [&](int block, uint32_t load_at) {
        const int live = block < blocks ? 16 : 0;
        const uint8_t *from = live != 0 ? codes_from : args.body;
        if ((wanted & kCodes) != 0)
#pragma unroll 1
            for (int j = 0; j < code_copies; ++j)
                ptx::copy_async_16(codes_to + load_at + j * column_threads * 16,
                                   from + (live != 0 ? j * column_threads * 16 : 0), live);
        if ((wanted & kScales) != 0)
            ptx::copy_async_16(scales_to + load_at, from + (live != 0 ? format.scales_offset() - in_run : 0), live);
        if ((wanted & kZeros) != 0)
            ptx::copy_async_16(zeros_to + load_at, from + (live != 0 ? args.zeros_offset - in_run : 0), live);
        const int valid = max(0, min(16, (args.k - block * 64 - thread % 8 * 8) * 2));
#pragma unroll 1
        for (int j = 0; j < a_copies; ++j)
            if (j * a_rows < tokens_left)
                ptx::copy_async_16(a_to + load_at + j * a_rows * 128,
                                   valid > 0 ? a_from + j * args.a_step : static_cast<const uint8_t *>(args.a), valid);
    };
    // Everything that is rare, before a block. The same for all threads of the CTA.
    const auto prepare_stage = [&](uint32_t load_at) {
        if (load_done != load_event)
            return;
        const int ragged = find_place();
        if (ragged >= 0) {
            load_ragged(ragged, load_at);
            wanted = 0;
            tokens_left = 0;
        }
    };
    // A third of the stage. No branch: ptxas spreads these over the MMAs.
    const auto load_stage = [&](int part, uint32_t load_at) {
        if (part == 0) {
#pragma unroll
            for (int j = 0; j < code_copies; ++j)
                ptx::copy_async_16_if((wanted & kCodes) != 0, codes_to + load_at + j * column_threads * 16,
                                      codes_from + j * column_threads * 16);
            if (format.grouped()) {
                const int behind = k_groups % 2 == 0 ? 0 : in_run;
                ptx::copy_async_16_if((wanted & kScales) != 0, scales_to + load_at,
                                      codes_from + (scales_behind - behind));
                if (format.has_zeros())
                    ptx::copy_async_16_if((wanted & kZeros) != 0, zeros_to + load_at,
                                          codes_from + (scales_behind - behind + zeros_behind));
            }
        }
        const uint8_t *from = a_from;
#pragma unroll
        for (int j = 0; j < a_copies; ++j) {
            if (j / ((a_copies + 1) / 2) == part - 1)
                ptx::copy_async_16_if(j * a_rows < tokens_left, a_to + load_at + j * a_rows * 128, from);
            from += args.a_step;
        }
        if (part < 2)
            return;
        if constexpr (k_groups % 2 == 0) {
            codes_from += (k_groups >> run_shift) * args.run_size;
        } else {
            codes_from += in_run != run_shift * 2048 ? 2048 : args.run_size - in_run;
            in_run ^= run_shift * 2048;
        }
        a_from += k_groups * 128;
        ++load_done;
        ptx::commit_copies();
    };
    place_thread();
#pragma unroll 1
    for (int stage = 0; stage < stages - 1; ++stage) {
        prepare_stage(stage * Shape::kStage);
#pragma unroll
        for (int part = 0; part < 3; ++part)
            load_stage(part, stage * Shape::kStage);
    }

    // ---- Fragments --------------------------------------------------------------------------------------------------
    // With many tokens half of them at a time, or the fragments of A would take too many registers; the weights of a
    // step are then kept for both halves.
    constexpr int halves = token_tiles >= 16 ? 2 : 1;
    constexpr int half_tiles = token_tiles / halves;
    float sums[row_groups][token_tiles][4];
    // The words of all four steps of a block, or, with many warps and few registers each, of two.
    constexpr int word_steps = Shape::kThreads > 256 ? 2 : 4;
    uint32_t words[row_groups][word_steps];
    uint32_t b[2][half_tiles / 2][4];
    uint32_t w[2][halves == 2 ? row_groups : 1][4];
    ScaleTerms scales[row_groups];
    ZeroTerms zeros[row_groups];
    uint32_t at = 0; // the place in the ring of the stage that is read
    // One ldmatrix brings 16 tokens x 16 columns: lanes 0-7 tokens 0-7, first 8 columns; 8-15 the next 8; 16-31 tokens
    // 8-15.
    uint32_t b_row;
    uint32_t b_chunk;
    const auto place_fragments = [&] {
        b_row = ptx::shared_address(ring) + Shape::kCodes + (first_of_warp + lane % 8 + lane / 16 * 8) * 128;
        b_chunk = (lane / 8 % 2 ^ lane % 8) * 16;
    };
    const auto load_b = [&](int buffer, int step, int half) {
        const uint32_t from = b_row + at + (b_chunk ^ (step * 32));
#pragma unroll
        for (int n = 0; n < half_tiles / 2; ++n)
            ptx::load_matrix_x4(b[buffer][n], from + (half * half_tiles / 2 + n) * 2048);
    };
    const auto load_words = [&](int first_step) {
#pragma unroll
        for (int i = 0; i < row_groups; ++i) {
            const uint8_t *from = ring + at + (warp * row_groups + i) * 512 + lane * 16 + first_step * 4;
            if constexpr (word_steps == 4) {
                const uint4 all = *reinterpret_cast<const uint4 *>(from);
                words[i][0] = all.x;
                words[i][1] = all.y;
                words[i][2] = all.z;
                words[i][3] = all.w;
            } else {
                const uint2 two = *reinterpret_cast<const uint2 *>(from);
                words[i][0] = two.x;
                words[i][1] = two.y;
            }
        }
    };
    const auto set_terms = [&](int i, const uint8_t *of_scales, const uint8_t *of_zeros) {
        zeros[i] = load_zeros<T>(of_zeros, g, format);
        if constexpr (format.kFixed)
            scales[i].low = load_scale_pair(of_scales, g);
        else
            scales[i] = load_scales<T>(of_scales, of_zeros, g, format);
    };
    const auto begin_group = [&](int group) {
        const uint8_t *meta = ring + at + Shape::kCodes + Shape::kActivations;
#pragma unroll
        for (int i = 0; i < row_groups; ++i) {
            const int in_column = (warp * row_groups + i) % 4 * 16;
            const int of_group = (warp * row_groups + i) / 4 * format.groups_in_run() + group;
            set_terms(i, meta + (of_group * 64 + in_column) * 2,
                      meta + Shape::kScales + (of_group * 64 + in_column) * format.zero_size());
        }
    };
    using Conversion = ConversionInParts<T, format.kFixed ? Scaling::Pair : Scaling::Offsets>;
    const auto convert = [&](uint32_t(&to)[4], uint32_t word, int i) {
        Conversion conversion;
#pragma unroll
        for (int p = 0; p < Conversion::kParts; ++p)
            conversion.part(p, word, zeros[i], scales[i], to);
    };
    // The terms that the weights of a step need, once the stage of that step is the one at hand.
    const auto enter_step = [&](int step) {
        if (step == 0 && format.grouped())
            begin_group(0);
        else if (step == 2 && format.groups_in_run() == 2)
            begin_group(1);
    };

    // ---- Multiplying ------------------------------------------------------------------------------------------------
    ptx::wait_copies<stages - 2>();
    group_barrier();
    while (true) {
        // Loading is always so far ahead, over the end of the segments too.
        const Segment to_multiply = segment_at(args.partition, blockIdx.x, load_done - (stages - 1));
        if (to_multiply.end == 0)
            break;
        place_thread();
        load_event = load_done; // looks its place up
        place_fragments();
#pragma unroll
        for (int i = 0; i < row_groups; ++i)
#pragma unroll
            for (int n = 0; n < token_tiles; ++n)
#pragma unroll
                for (int e = 0; e < 4; ++e)
                    sums[i][n][e] = 0.0f;
        if (!format.grouped()) {
            const int first =
                args.partition.token_tiles.divide(to_multiply.tile) * Shape::kFeatures + warp * row_groups * 16;
#pragma unroll
            for (int i = 0; i < row_groups; ++i) {
                const int64_t feature = min(first + i * 16, (args.row_groups - 1) * 16);
                set_terms(i, args.column_scales + 2 * feature, args.column_zeros + format.zero_size() * feature);
            }
        }
        load_words(0);
        enter_step(0);
        load_b(0, 0, 0);
#pragma unroll
        for (int i = 0; i < (halves == 2 ? row_groups : 1); ++i)
            convert(w[0][i], words[i][0], i);
        for (int left = to_multiply.end - to_multiply.begin; left > 0; --left) {
            const uint32_t load_at = (at == 0 ? Shape::kRing : at) - Shape::kStage;
            prepare_stage(load_at);
#pragma unroll
            for (int step = 0; step < 4; ++step) {
                uint32_t last_words[row_groups]; // of this step, when words[] already holds the next
                if (step < 3)
                    load_stage(step, load_at);
#pragma unroll
                for (int half = 0; half < halves; ++half) {
                    const bool last_half = half + 1 == halves;
                    if (step == 3 && last_half) {
                        // All of this stage has been read: the next one.
                        ptx::wait_copies<stages - 2>();
                        group_barrier();
                        at = at + Shape::kStage == Shape::kRing ? 0 : at + Shape::kStage;
                    }
                    const bool new_words = step % word_steps + 1 == word_steps && last_half;
                    if (new_words) {
#pragma unroll
                        for (int i = 0; i < row_groups; ++i)
                            last_words[i] = words[i][word_steps - 1];
                        load_words((step + 1) % 4);
                    }
                    const int position = step * halves + half;
                    load_b((position + 1) % 2, (step + (last_half ? 1 : 0)) % 4, last_half ? 0 : half + 1);
                    // What is converted beside these MMAs: with halves the next step's weights, all of them in the last
                    // half of odd steps, which need new terms; else the next row group's.
#pragma unroll
                    for (int i = 0; i < row_groups; ++i) {
                        const int index = step * row_groups + i;
                        const bool next_step = halves == 2 || i + 1 == row_groups;
                        const int which = halves == 1 ? (i + 1) % row_groups : step % 2 == 1 ? i : half;
                        const bool converts = halves == 1 || (step % 2 == 1 ? last_half : i == 0);
                        if (next_step && (halves == 1 || (last_half && i == 0)))
                            enter_step((step + 1) % 4);
                        const uint32_t word = next_step   ? words[which][(step + 1) % word_steps]
                                              : new_words ? last_words[which]
                                                          : words[which][step % word_steps];
                        uint32_t(&from)[4] = halves == 2 ? w[step % 2][i] : w[index % 2][0];
                        uint32_t(&to)[4] = halves == 2 ? w[(step + 1) % 2][which] : w[(index + 1) % 2][0];
                        Conversion conversion;
#pragma unroll
                        for (int n = 0; n < half_tiles; ++n) {
                            ptx::mma_16x8x16(sums[i][half * half_tiles + n], from, b[position % 2][n / 2][n % 2 * 2],
                                             b[position % 2][n / 2][n % 2 * 2 + 1], T{});
                            constexpr int parts = Conversion::kParts;
#pragma unroll
                            for (int p = 0; p < parts; ++p)
                                if (converts && p >= n * parts / half_tiles && p < (n + 1) * parts / half_tiles)
                                    conversion.part(p, word, zeros[which], scales[which], to);
                        }
                    }
                }
            }
        }
        const Segment segment = to_multiply;
        const int feature_tile = args.partition.token_tiles.divide(segment.tile);
        const int first_token = (segment.tile - feature_tile * args.partition.token_tiles.value) * Shape::kTokens;
        const int first_feature = feature_tile * Shape::kFeatures + warp * row_groups * 16;

        // ---- The sum over the groups: fragment f of a warp goes to group f / kOwn
        // ------------------------------------
        const auto fragment = [&](int f) -> float(&)[4] { return sums[f % row_groups][f / row_groups]; };
        float kept[k_groups == 1 ? 1 : Shape::kOwn][4];
        const auto own = [&](int f) -> float(&)[4] {
            if constexpr (k_groups == 1)
                return fragment(f);
            else
                return kept[f];
        };
        if constexpr (k_groups > 1) {
            const uint32_t consumed = (at == 0 ? Shape::kRing : at) - Shape::kStage;
            const auto stage_of = [&](int group) {
                return reinterpret_cast<float4 *>(shared + group * Shape::kRing + consumed) + thread;
            };
#pragma unroll
            for (int q = 0; q < k_groups; ++q)
                if (q == k_group)
#pragma unroll
                    for (int f = 0; f < Shape::kOwn; ++f)
#pragma unroll
                        for (int e = 0; e < 4; ++e)
                            kept[f][e] = fragment(q * Shape::kOwn + f)[e];
#pragma unroll 1
            for (int round = 1; round < k_groups; ++round) {
                const int to = (k_group + round) % k_groups;
#pragma unroll
                for (int first = 0; first < Shape::kOwn; first += Shape::kExchange) {
                    __syncthreads();
#pragma unroll
                    for (int q = 0; q < k_groups; ++q)
                        if (q == to)
#pragma unroll
                            for (int f = 0; f < Shape::kExchange; ++f) {
                                const float(&x)[4] = fragment(q * Shape::kOwn + first + f);
                                stage_of(q)[f * threads] = make_float4(x[0], x[1], x[2], x[3]);
                            }
                    __syncthreads();
#pragma unroll
                    for (int f = 0; f < Shape::kExchange; ++f) {
                        const float4 more = stage_of(k_group)[f * threads];
                        kept[first + f][0] += more.x;
                        kept[first + f][1] += more.y;
                        kept[first + f][2] += more.z;
                        kept[first + f][3] += more.w;
                    }
                }
            }
            __syncthreads(); // the next copies go where these sums were
        }

        // ---- The sum over the CTAs of the tile ----------------------------------------------------------------------
        if (segment.end - segment.begin < args.partition.units.value) {
            const Partition &p = args.partition;
            const int striped_tile = segment.tile - (p.tiles - p.striped);
            const int first_unit = striped_tile * p.units.value;
            const int first_cta = p.owner(first_unit);
            const int sharers = p.owner(first_unit + p.units.value - 1) - first_cta + 1;
            const int mine = static_cast<int>(blockIdx.x) - first_cta;
            // A CTA begins at most one tile inside, and leaves at most one unfinished.
            const auto partial = [&](int sharer, int f) {
                const int64_t place = 2 * (first_cta + sharer) + (sharer == 0 ? 1 : 0);
                return reinterpret_cast<float4 *>(args.partials) + (place * Shape::kOwn + f) * Shape::kThreads + of_cta;
            };
            uint32_t *const arrivals = args.arrivals + striped_tile;
#pragma unroll
            for (int f = 0; f < Shape::kOwn; ++f)
                __stcg(partial(mine, f), make_float4(own(f)[0], own(f)[1], own(f)[2], own(f)[3]));
            __threadfence();
            __syncthreads();
            const bool last = of_cta == 0 && atomicAdd(arrivals, 1u) + 1 == static_cast<uint32_t>(sharers);
            if (__syncthreads_or(last ? 1 : 0) == 0)
                continue;
            __threadfence();
            if (of_cta == 0)
                *arrivals = 0;
            // Fragments under way at a time: a trip to L2 and back is what this costs.
            constexpr int some = Shape::kOwn < 8 ? Shape::kOwn : k_groups == 1 ? 4 : 8;
#pragma unroll
            for (int first = 0; first < Shape::kOwn; first += some) {
                float4 sum[some];
#pragma unroll
                for (int f = 0; f < some; ++f)
                    sum[f] = __ldcg(partial(0, first + f));
#pragma unroll 2
                for (int sharer = 1; sharer < sharers; ++sharer) {
                    float4 x[some];
#pragma unroll
                    for (int f = 0; f < some; ++f)
                        x[f] = __ldcg(partial(sharer, first + f));
#pragma unroll
                    for (int f = 0; f < some; ++f) {
                        sum[f].x += x[f].x;
                        sum[f].y += x[f].y;
                        sum[f].z += x[f].z;
                        sum[f].w += x[f].w;
                    }
                }
#pragma unroll
                for (int f = 0; f < some; ++f) {
                    own(first + f)[0] = sum[f].x;
                    own(first + f)[1] = sum[f].y;
                    own(first + f)[2] = sum[f].z;
                    own(first + f)[3] = sum[f].w;
                }
            }
        }

        // ---- C ------------------------------------------------------------------------------------------------------
        const auto token_of = [&](int f) {
            return first_token + first_of_warp + (k_group * Shape::kOwn + f) / row_groups * 8;
        };
        const auto feature_of = [&](int f) { return first_feature + (k_group * Shape::kOwn + f) % row_groups * 16; };
        if (args.bias != nullptr)
#pragma unroll
            for (int f = 0; f < Shape::kOwn; ++f)
                add_bias(args, feature_of(f), own(f), lane);
        if (args.store_features == 4)
#pragma unroll
            for (int f = 0; f < Shape::kOwn; ++f)
                store_fragment_wide(args, token_of(f), feature_of(f), own(f), lane);
        else
#pragma unroll
            for (int f = 0; f < Shape::kOwn; ++f)
                store_fragment(args, token_of(f), feature_of(f), own(f), lane);
    }
    ptx::wait_copies<0>();
}

template <typename T, Weights weights, int token_tiles, int row_groups, int feature_warps, int token_warps,
          int k_groups, int stages>
Instance stripe_instance(const char *name, int32_t number) {
    using Shape = StripeShape<weights, token_tiles, row_groups, feature_warps, token_warps, k_groups, stages>;
    return {name,
            number,
            Family::Stripe,
            kTypeOf<T>,
            weights,
            Shape::kTokens,
            Shape::kFeatures,
            k_groups,
            Shape::kCtasPerSm,
            stages,
            Shape::kThreads,
            Shape::kSharedSize,
            Shape::kPartialSize,
            reinterpret_cast<const void *>(
                &sm80_w4a16_stripe<T, weights, token_tiles, row_groups, feature_warps, token_warps, k_groups, stages>)};
}

} // namespace marlin::cuda
