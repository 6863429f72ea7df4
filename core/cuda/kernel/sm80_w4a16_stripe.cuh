// C = A * dequantize(B) for many tokens, B dense or 2:4 sparse along k: persistent CTAs, tiles of features x tokens,
// stripes of k (stripes.cuh).
//
// One CTA has k_groups groups of feature_warps * token_warps warps. All groups compute the same tile; group j takes the
// blocks j, j + k_groups, ... of it, with a ring of stages and a barrier of its own, so groups drift apart and hide
// each other's latencies. Inside a group every warp has 16 * row_groups features and 8 * token_tiles tokens.
//
//     features ->  warp 0    warp 1        one stage of a group: a block of nibbles, their scales, the columns of A
//     group 0     block 0, 2, 4 ...
//     group 1     block 1, 3, 5 ...        a block: 64 rows of nibbles; 2:4, the kept ones of 128
//
// The fragments of the next step (16 rows, 2:4: 32) are loaded, and the weights of the next row group converted, while
// the MMAs of this one run. Weights are scaled in the type of A (one rounding): with many tokens that is cheaper than
// scaling sums. At the end of a segment the groups add up through the stage just consumed, every group for its share of
// the tile, while the copies for the next segment are under way.
//
// 2:4: features are the M side of mma.sp, so it picks the activations that the kept weights want; what stands at pruned
// positions is never multiplied. Its metadata comes from two lanes of every four: those of even row groups from lanes
// 4g and 4g + 1, of odd ones from 4g + 2 and 4g + 3, so one 16-byte load of a lane serves four steps of two row groups.
//
// A tile that several CTAs share: each leaves its FP32 sums in the workspace and counts itself in; the last to arrive
// adds them up in the order of k and resets the counter. No CTA ever waits for another, so nothing can deadlock,
// whatever else runs on the GPU; and the order of the sum does not depend on who was last.
#pragma once

#include <climits>

#include "common/arith.h"
#include "cuda/kernel/args.h"
#include "cuda/kernel/begin.cuh"
#include "cuda/kernel/convert_parts.cuh"
#include "cuda/kernel/epilogue.cuh"
#include "cuda/kernel/group_terms.cuh"
#include "cuda/kernel/instance.h"
#include "cuda/kernel/ptx.cuh"

namespace marlin::cuda {

template <bool sparse, Weights weights, int token_tiles, int row_groups, int feature_warps, int token_warps,
          int k_groups, int stages>
struct StripeShape {
    static constexpr int kGroupWarps = feature_warps * token_warps;
    static constexpr int kGroupThreads = 32 * kGroupWarps;
    static constexpr int kThreads = kGroupThreads * k_groups;
    static constexpr int kFeatures = 16 * row_groups * feature_warps;
    static constexpr int kColumns = kFeatures / 64;
    static constexpr int kTokens = 8 * token_tiles * token_warps;
    static constexpr int kHalves = sparse ? 2 : 1; // of 64 columns of A in a block
    static constexpr int kRows = 64 * kHalves;     // logical ones of a block
    static constexpr int kCodes = kColumns * 2048;
    static constexpr int kActivations = kTokens * 2 * kRows;
    static constexpr int kGroups = weights == Weights::Group128 ? 1 : 2 * kHalves; // of scales in a block, at most
    static constexpr int kScales = kColumns * 128 * kGroups;
    static constexpr int kZeros = weights == Weights::Group128 ? 0 : kColumns * 256 * kGroups;
    static constexpr int kMetadata = sparse ? kColumns * 1024 : 0;
    static constexpr int kStage = kCodes + kActivations + kScales + kZeros + kMetadata;
    static constexpr int kRing = stages * kStage;
    using Bias = TileBias<kFeatures, kThreads>;
    static constexpr int kSharedSize = k_groups * kRing + Bias::kSharedSize;
    static constexpr int kCtasPerSm = token_tiles <= 2 ? 2 : 1;
    static constexpr int kFragments = row_groups * token_tiles;
    static constexpr int kOwn = kFragments / k_groups; // fragments a warp keeps when the groups add up
    // Fragments of every warp that are added up at a time.
    static constexpr int kExchange = k_groups > 1 && (kStage / (kGroupWarps * 512) < kOwn || kOwn > 8) ? kOwn / 2
                                                                                                       : kOwn;
    static constexpr int64_t kPartialSize = int64_t{4} * kFeatures * kTokens; // bytes of one CTA's sums
    static_assert(kFragments % k_groups == 0 && kOwn % kExchange == 0);
    static_assert(k_groups == 1 || kExchange * kGroupWarps * 512 <= kStage);
    // The tokens of a step are taken in so many parts, or the fragments of A would take too many registers.
    static constexpr int kParts = (sparse ? 2 : 1) * row_groups * token_tiles >= 64 || token_tiles >= 16 ? 2 : 1;
    static_assert(kParts == 1 || row_groups % kParts == 0);
    static_assert(kStage % 128 == 0 && kFeatures % 64 == 0);
};

template <typename T, bool sparse, Weights weights, int token_tiles, int row_groups, int feature_warps, int token_warps,
          int k_groups, int stages>
__global__ void __launch_bounds__(32 * feature_warps * token_warps * k_groups, token_tiles <= 2 ? 2 : 1)
    sm80_w4a16_stripe(const W4A16Args args) {
    using Shape = StripeShape<sparse, weights, token_tiles, row_groups, feature_warps, token_warps, k_groups, stages>;
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
    const int run_shift = sparse ? 0 : format.blocks_in_run() - 1; // runs have one or two blocks
    const int blocks = args.runs << run_shift;                     // in a tile
    // Bytes from the start of a run to its scales; zeros and metadata follow.
    const int scales_offset = format.kFixed ? (sparse ? 2048 : 4096) : args.scales_offset;
    const int metadata_offset = format.kFixed ? 2048 + 128 : args.metadata_offset;
    const auto group_barrier = [&] {
        if constexpr (k_groups == 1)
            __syncthreads();
        else
            ptx::barrier(1 + k_group, threads);
    };

    // ---- Loading: one block of 64 rows a stage ----------------------------------------------------------------------
    constexpr int column_threads = threads / Shape::kColumns; // that load one column of codes
    constexpr int code_copies = 128 / column_threads;
    constexpr int a_copies = Shape::kTokens * 8 / threads; // for 64 columns
    constexpr int a_rows = threads / 8;                    // tokens of one copy of all threads
    static_assert(threads % Shape::kColumns == 0 && column_threads >= 32 && Shape::kTokens * 8 % threads == 0 &&
                  a_rows % 8 == 0);
    constexpr int metadata_copies = sparse ? div_up(64, column_threads) : 0;
    const int full_units = args.k / (Shape::kRows * k_groups); // of a tile: whose blocks have all their columns of A
    int load_done = 0;                                         // units, of all that the CTA has to load
    int load_event = 0;                  // where something rare happens: a new segment, a ragged unit
    int tokens_left = 0;                 // from this thread's first on; 0: nothing to load
    const uint8_t *codes_from = nullptr; // this thread's first chunk of the block
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
    const int zeros_behind = args.zeros_offset - scales_offset;
    const int zero_chunks = 4 * format.zero_size() * format.groups_in_run();
    enum : int { kCodes = 1, kScales = 2, kZeros = 4, kMetadata = 8 };
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
        const TilePlace place = args.partition.place(segment.tile);
        const int first_token = place.token * Shape::kTokens;
        const int first_column = place.feature * Shape::kColumns;
        const int block = segment.begin * k_groups + k_group;
        wanted = first_column + column >= args.row_groups / 4
                     ? 0
                     : kCodes + (format.grouped() && chunk < scale_chunks ? kScales : 0) +
                           (format.grouped() && chunk < zero_chunks ? kZeros : 0) + (chunk < 64 ? kMetadata : 0);
        tokens_left = args.m - first_token - thread / 8;
        in_run = (block & run_shift) * 2048;
        codes_from = args.body + (first_column + column) * args.column_size + (block >> run_shift) * args.run_size +
                     in_run + chunk * 16;
        a_from = static_cast<const uint8_t *>(args.a) +
                 ((first_token + thread / 8) * args.lda + block * Shape::kRows) * 2 + thread % 8 * 16;
        load_event = load_done + min(segment.end, max(full_units, segment.begin + 1)) - segment.begin;
        return segment.begin >= full_units ? block : -1;
    };
    uint32_t codes_to;
    uint32_t scales_to;
    uint32_t zeros_to;
    uint32_t metadata_to;
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
        scales_behind = scales_offset - (k_groups % 2 == 0 ? (k_group & run_shift) * 2048 : 0);
        const uint32_t to = ptx::shared_address(ring);
        codes_to = to + column * 2048 + chunk * 16;
        scales_to = to + Shape::kCodes + Shape::kActivations + (column * scale_chunks + chunk) * 16;
        zeros_to = to + Shape::kCodes + Shape::kActivations + Shape::kScales + (column * zero_chunks + chunk) * 16;
        // Chunk c of a row group's metadata stands at c ^ 4 where the row group is odd, for the same reason as below.
        metadata_to = to + Shape::kStage - Shape::kMetadata + column * 1024 + (chunk ^ (chunk / 16 % 2 * 4)) * 16;
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
            ptx::copy_async_16(scales_to + load_at, from + (live != 0 ? scales_offset - in_run : 0), live);
        if ((wanted & kZeros) != 0)
            ptx::copy_async_16(zeros_to + load_at, from + (live != 0 ? args.zeros_offset - in_run : 0), live);
        if constexpr (sparse) {
            if ((wanted & kMetadata) != 0)
                for (int j = 0; j < metadata_copies; ++j)
                    ptx::copy_async_16(metadata_to + load_at + j * column_threads * 16,
                                       from + (live != 0 ? metadata_offset + j * column_threads * 16 : 0), live);
        }
#pragma unroll 1
        for (int j = 0; j < a_copies * Shape::kHalves; ++j) {
            const int half = j / a_copies;
            const int row = j % a_copies;
            const int valid = max(0, min(16, (args.k - block * Shape::kRows - half * 64 - thread % 8 * 8) * 2));
            if (row * a_rows < tokens_left)
                ptx::copy_async_16(
                    a_to + load_at + half * Shape::kTokens * 128 + row * a_rows * 128,
                    valid > 0 ? a_from + row * args.a_step + half * 128 : static_cast<const uint8_t *>(args.a), valid);
        }
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
#pragma unroll
            for (int j = 0; j < metadata_copies; ++j)
                ptx::copy_async_16_if((wanted & kMetadata) != 0, metadata_to + load_at + j * column_threads * 16,
                                      codes_from + metadata_offset + j * column_threads * 16);
        }
        constexpr int copies = a_copies * Shape::kHalves;
        const uint8_t *from = a_from;
#pragma unroll
        for (int j = 0; j < copies; ++j) {
            if (j == a_copies)
                from = a_from + 128;
            if (j / ((copies + 1) / 2) == part - 1)
                ptx::copy_async_16_if(
                    j % a_copies * a_rows < tokens_left,
                    a_to + load_at + j / a_copies * Shape::kTokens * 128 + j % a_copies * a_rows * 128, from);
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
        a_from += k_groups * Shape::kRows * 2;
        ++load_done;
        ptx::commit_copies();
    };
    begin_after_previous(args);
    place_thread();
#pragma unroll 1
    for (int stage = 0; stage < stages - 1; ++stage) {
        prepare_stage(stage * Shape::kStage);
#pragma unroll
        for (int part = 0; part < 3; ++part)
            load_stage(part, stage * Shape::kStage);
    }

    // ---- Fragments --------------------------------------------------------------------------------------------------
    // Where a step takes its tokens in two parts, its weights are kept for both.
    constexpr int parts = Shape::kParts;
    constexpr int part_tiles = token_tiles / parts;
    constexpr int matrices = part_tiles * Shape::kHalves / 2; // of four
    float sums[row_groups][token_tiles][4];
    // The words of all four steps of a block, or, with many warps and few registers each, of two.
    constexpr int word_steps = Shape::kThreads > 256 ? 2 : 4;
    uint32_t words[row_groups][word_steps];
    uint32_t b[2][matrices][4];
    uint32_t w[2][parts == 2 ? row_groups : 1][4];
    constexpr int pairs = sparse ? (row_groups + 1) / 2 : 1;
    uint4 metadata[pairs]; // of two row groups: the odd one's in lanes 4g + 2 and 4g + 3
    ScaleTerms scales[row_groups];
    ZeroTerms zeros[row_groups];
    uint32_t at = 0; // the place in the ring of the stage that is read
    // One ldmatrix brings, dense, 16 tokens x 16 columns: lanes 0-7 tokens 0-7, first 8 columns; 8-15 the next 8; 16-31
    // tokens 8-15. 2:4, 8 tokens x 32 columns.
    uint32_t b_row;
    uint32_t b_chunk;
    const auto place_fragments = [&] {
        const int token = first_of_warp + lane % 8 + (sparse ? 0 : lane / 16 * 8);
        b_row = ptx::shared_address(ring) + Shape::kCodes + token * 128;
        b_chunk = ((sparse ? lane / 8 : lane / 8 % 2) ^ lane % 8) * 16;
    };
    const auto load_b = [&](int buffer, int step, int part) {
        const uint32_t from = sparse ? b_row + at + step / 2 * Shape::kTokens * 128 + (b_chunk ^ (step % 2 * 64))
                                     : b_row + at + (b_chunk ^ (step * 32));
#pragma unroll
        for (int n = 0; n < matrices; ++n)
            ptx::load_matrix_x4(b[buffer][n], from + (part * matrices + n) * (sparse ? 1024 : 2048));
    };
    const auto multiply = [&](float(&sum)[4], const uint32_t(&weights_of)[4], int buffer, int n, int i,
                              uint32_t positions) {
        if constexpr (!sparse)
            ptx::mma_16x8x16(sum, weights_of, b[buffer][n / 2][n % 2 * 2], b[buffer][n / 2][n % 2 * 2 + 1], T{});
        else if (i % 2 == 0)
            ptx::mma_sp_16x8x32<0>(sum, weights_of, b[buffer][n], sum, positions, T{});
        else
            ptx::mma_sp_16x8x32<1>(sum, weights_of, b[buffer][n], sum, positions, T{});
    };
    const auto load_metadata = [&] {
        if constexpr (sparse) {
#pragma unroll
            for (int p = 0; p < pairs; ++p) {
                const int of_tile = warp * row_groups + 2 * p + t / 2; // row group
                metadata[p] =
                    *reinterpret_cast<const uint4 *>(ring + at + Shape::kStage - Shape::kMetadata + of_tile * 256 +
                                                     ((2 * g + t % 2) ^ (of_tile % 2 * 4)) * 16);
            }
        }
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
        else if (step > 0 && step * format.groups_in_run() % 4 == 0 && format.groups_in_run() > 1)
            begin_group(step * format.groups_in_run() / 4);
    };

    // ---- Multiplying ------------------------------------------------------------------------------------------------
    ptx::wait_copies<stages - 2>();
    group_barrier();
    typename Shape::Bias bias{reinterpret_cast<float *>(shared + k_groups * Shape::kRing)};
    while (true) {
        // Loading is always so far ahead, over the end of the segments too.
        const Segment to_multiply = segment_at(args.partition, blockIdx.x, load_done - (stages - 1));
        if (to_multiply.end == 0)
            break;
        bias.read(args, int64_t{args.partition.place(to_multiply.tile).feature} * Shape::kFeatures);
        bias.begin_tile(args);
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
                args.partition.place(to_multiply.tile).feature * Shape::kFeatures + warp * row_groups * 16;
#pragma unroll
            for (int i = 0; i < row_groups; ++i) {
                const int64_t feature = min(first + i * 16, (args.row_groups - 1) * 16);
                set_terms(i, args.column_scales + 2 * feature, args.column_zeros + format.zero_size() * feature);
            }
        }
        load_words(0);
        enter_step(0);
        load_b(0, 0, 0);
        load_metadata();
#pragma unroll
        for (int i = 0; i < (parts == 2 ? row_groups : 1); ++i)
            convert(w[0][i], words[i][0], i);
        for (int left = to_multiply.end - to_multiply.begin; left > 0; --left) {
            const uint32_t load_at = (at == 0 ? Shape::kRing : at) - Shape::kStage;
            prepare_stage(load_at);
#pragma unroll
            for (int step = 0; step < 4; ++step) {
                // Of this step, when words[] and metadata[] already hold the next.
                uint32_t last_words[row_groups];
                uint32_t positions[pairs];
#pragma unroll
                for (int p = 0; p < pairs; ++p)
                    positions[p] = step == 0   ? metadata[p].x
                                   : step == 1 ? metadata[p].y
                                   : step == 2 ? metadata[p].z
                                               : metadata[p].w;
                if (step < 3)
                    load_stage(step, load_at);
#pragma unroll
                for (int part = 0; part < parts; ++part) {
                    const bool last_part = part + 1 == parts;
                    if (step == 3 && last_part) {
                        // All of this stage has been read: the next one.
                        ptx::wait_copies<stages - 2>();
                        group_barrier();
                        at = at + Shape::kStage == Shape::kRing ? 0 : at + Shape::kStage;
                        load_metadata();
                    }
                    const bool new_words = step % word_steps + 1 == word_steps && last_part;
                    if (new_words) {
#pragma unroll
                        for (int i = 0; i < row_groups; ++i)
                            last_words[i] = words[i][word_steps - 1];
                        load_words((step + 1) % 4);
                    }
                    const int position = step * parts + part;
                    load_b((position + 1) % 2, (step + (last_part ? 1 : 0)) % 4, last_part ? 0 : part + 1);
                    // What is converted beside these MMAs: in one part the next row group's weights; in two the next
                    // step's, half of them in each part, or all in the last one where they need new terms or words.
                    constexpr int half_groups = row_groups / 2;
                    const bool at_once = step == 3 || !format.kFixed;
#pragma unroll
                    for (int i = 0; i < row_groups; ++i) {
                        const int index = step * row_groups + i;
                        const bool next_step = parts == 2 || i + 1 == row_groups;
                        const int which = parts == 1 ? (i + 1) % row_groups : at_once ? i : part * half_groups + i;
                        const bool converts = parts == 1 || (at_once ? last_part : i < half_groups);
                        if (next_step && (parts == 1 || (last_part && i == 0)))
                            enter_step((step + 1) % 4);
                        const uint32_t word = !converts   ? 0
                                              : next_step ? words[which][(step + 1) % word_steps]
                                              : new_words ? last_words[which]
                                                          : words[which][step % word_steps];
                        uint32_t(&from)[4] = parts == 2 ? w[step % 2][i] : w[index % 2][0];
                        uint32_t(&to)[4] = parts == 2 ? w[(step + 1) % 2][converts ? which : 0] : w[(index + 1) % 2][0];
                        Conversion conversion;
#pragma unroll
                        for (int n = 0; n < part_tiles; ++n) {
                            multiply(sums[i][part * part_tiles + n], from, position % 2, n, i,
                                     positions[sparse ? i / 2 : 0]);
                            constexpr int all = Conversion::kParts;
#pragma unroll
                            for (int p = 0; p < all; ++p)
                                if (converts && p >= n * all / part_tiles && p < (n + 1) * all / part_tiles)
                                    conversion.part(p, word, zeros[which], scales[which], to);
                        }
                    }
                }
            }
        }
        const Segment segment = to_multiply;
        const TilePlace place = args.partition.place(segment.tile);
        const int first_token = place.token * Shape::kTokens;

        // ---- The sum over the groups --------------------------------------------------------------------------------
        // Fragment f of a warp goes to group f / kOwn, so many at a time as registers and the stage just consumed take.
        const auto fragment = [&](int f) -> float(&)[4] { return sums[f % row_groups][f / row_groups]; };
        const auto token_of = [&](int f) {
            return first_token + first_of_warp + (k_group * Shape::kOwn + f) / row_groups * 8;
        };
        const auto of_tile = [&](int f) { // feature
            return warp * row_groups * 16 + (k_group * Shape::kOwn + f) % row_groups * 16;
        };
        const auto feature_of = [&](int f) { return place.feature * Shape::kFeatures + of_tile(f); };
        const Partition &p = args.partition;
        const bool whole = segment.end - segment.begin == p.units.value;
        const int striped_tile = segment.tile - (p.tiles - p.striped);
        const int first_unit = whole ? 0 : striped_tile * p.units.value;
        const int first_cta = whole ? 0 : p.owner(first_unit);
        // A CTA begins at most one tile inside, and leaves at most one unfinished.
        const auto partial = [&](int cta, int f) {
            const int64_t place = 2 * cta + (cta == first_cta ? 1 : 0);
            return reinterpret_cast<float4 *>(args.partials) + (place * Shape::kOwn + f) * Shape::kThreads + of_cta;
        };
        // Some fragments from `first` on are done, or as far as this CTA takes them.
        const auto finish = [&](const auto &of, auto count, int first) {
            if (!whole) {
#pragma unroll
                for (int f = 0; f < count(); ++f)
                    __stcg(partial(static_cast<int>(blockIdx.x), first + f),
                           make_float4(of(f)[0], of(f)[1], of(f)[2], of(f)[3]));
            } else {
                if (args.bias != nullptr)
#pragma unroll
                    for (int f = 0; f < count(); ++f)
                        add_bias(bias, of_tile(first + f), of(f), lane);
                if (args.store_features == 4)
#pragma unroll
                    for (int f = 0; f < count(); ++f)
                        store_fragment_wide(args, token_of(first + f), feature_of(first + f), of(f), lane);
                else
#pragma unroll
                    for (int f = 0; f < count(); ++f)
                        store_fragment(args, token_of(first + f), feature_of(first + f), of(f), lane);
            }
        };
        if constexpr (k_groups == 1) {
            finish(
                fragment, [] { return Shape::kOwn; }, 0);
        } else {
            constexpr int some = Shape::kExchange;
            const uint32_t consumed = (at == 0 ? Shape::kRing : at) - Shape::kStage;
            const auto stage_of = [&](int group) {
                return reinterpret_cast<float4 *>(shared + group * Shape::kRing + consumed) + thread;
            };
#pragma unroll
            for (int first = 0; first < Shape::kOwn; first += some) {
                float kept[some][4];
#pragma unroll
                for (int q = 0; q < k_groups; ++q)
                    if (q == k_group)
#pragma unroll
                        for (int f = 0; f < some; ++f)
#pragma unroll
                            for (int e = 0; e < 4; ++e)
                                kept[f][e] = fragment(q * Shape::kOwn + first + f)[e];
#pragma unroll 1
                for (int round = 1; round < k_groups; ++round) {
                    const int to = (k_group + round) % k_groups;
                    __syncthreads();
#pragma unroll
                    for (int q = 0; q < k_groups; ++q)
                        if (q == to)
#pragma unroll
                            for (int f = 0; f < some; ++f) {
                                const float(&x)[4] = fragment(q * Shape::kOwn + first + f);
                                stage_of(q)[f * threads] = make_float4(x[0], x[1], x[2], x[3]);
                            }
                    __syncthreads();
#pragma unroll
                    for (int f = 0; f < some; ++f) {
                        const float4 more = stage_of(k_group)[f * threads];
                        kept[f][0] += more.x;
                        kept[f][1] += more.y;
                        kept[f][2] += more.z;
                        kept[f][3] += more.w;
                    }
                }
                finish([&](int f) -> float(&)[4] { return kept[f]; }, [] { return some; }, first);
            }
            __syncthreads(); // the next copies go where these sums were
        }
        if (whole)
            continue;

        // ---- The sum over the CTAs of the tile ----------------------------------------------------------------------
        const int last_cta = p.owner(first_unit + p.units.value - 1);
        uint32_t *const arrivals = args.arrivals + striped_tile;
        __threadfence();
        __syncthreads();
        const bool last = of_cta == 0 && atomicAdd(arrivals, 1u) == static_cast<uint32_t>(last_cta - first_cta);
        if (__syncthreads_or(last ? 1 : 0) == 0)
            continue;
        __threadfence();
        if (of_cta == 0)
            *arrivals = 0;
        constexpr int some = Shape::kOwn < 8 ? Shape::kOwn : Shape::kOwn % 8 == 0 ? 8 : 6;
        static_assert(Shape::kOwn % some == 0);
#pragma unroll 1
        for (int first = 0; first < Shape::kOwn; first += some) {
            float4 sum[some];
            add_parts<2>(sum, first_cta, last_cta, [&](int cta, int f) { return partial(cta, first + f); });
#pragma unroll
            for (int f = 0; f < some; ++f) {
                float done[4] = {sum[f].x, sum[f].y, sum[f].z, sum[f].w};
                if (args.bias != nullptr)
                    add_bias(bias, of_tile(first + f), done, lane);
                if (args.store_features == 4)
                    store_fragment_wide(args, token_of(first + f), feature_of(first + f), done, lane);
                else
                    store_fragment(args, token_of(first + f), feature_of(first + f), done, lane);
            }
        }
    }
    ptx::wait_copies<0>();
}

template <typename T, bool sparse, Weights weights, int token_tiles, int row_groups, int feature_warps, int token_warps,
          int k_groups, int stages>
Instance stripe_instance_of(const char *name, int32_t number) {
    using Shape = StripeShape<sparse, weights, token_tiles, row_groups, feature_warps, token_warps, k_groups, stages>;
    return {name,
            number,
            sparse ? Family::SparseStripe : Family::Stripe,
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
            reinterpret_cast<const void *>(&sm80_w4a16_stripe<T, sparse, weights, token_tiles, row_groups,
                                                              feature_warps, token_warps, k_groups, stages>)};
}

template <typename T, Weights weights, int... shape>
Instance stripe_instance(const char *name, int32_t number) {
    return stripe_instance_of<T, false, weights, shape...>(name, number);
}
template <typename T, Weights weights, int... shape>
Instance sp_stripe_instance(const char *name, int32_t number) {
    return stripe_instance_of<T, true, weights, shape...>(name, number);
}

} // namespace marlin::cuda
