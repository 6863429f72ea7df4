// 2:4 selection among gathered values: of a bundle's features at once, whose rows stand in words of shared memory.
#pragma once

#include "cuda/pack/gather_values.h"
#include "cuda/pack/write_sparse.h"

namespace marlin::cuda {

// The words of four packed rows, those of padding 0.
template <typename Bundle>
struct BundleQuad {
    FourRows from;
    RowWords<Bundle::kWords> rows[4];

    MARLIN_HD BundleQuad(const PackTask &task, const BundleMemory<Bundle> &memory, int64_t packed_row)
        : from(*reinterpret_cast<const FourRows *>(task.order.perm + packed_row)) {
        MARLIN_UNROLL
        for (int p = 0; p < 4; ++p) {
            rows[p] = words_of_row(memory, from.row[p] < 0 ? 0 : from.row[p]);
            MARLIN_UNROLL
            for (int w = 0; w < Bundle::kWords; ++w)
                rows[p].word[w] = from.row[p] < 0 ? 0 : rows[p].word[w];
        }
    }
    // Which rows stay, as masks of each value.
    template <Type type>
    MARLIN_HD void keep(int w, uint32_t (&masks)[4]) const {
        keep_words<type>({rows[0].word[w], rows[1].word[w], rows[2].word[w], rows[3].word[w]}, masks);
    }
};

// Ranges of what stays of quads.
template <Type type, typename Bundle>
struct KeptRange {
    BundleRange<type, Bundle::kWords> range;
    WordNumbers<type> numbers; // of what does not stay too

    MARLIN_HD void add(const BundleQuad<Bundle> &quad) {
        MARLIN_UNROLL
        for (int w = 0; w < Bundle::kWords; ++w) {
            uint32_t masks[4];
            quad.template keep<type>(w, masks);
            MARLIN_UNROLL
            for (int p = 0; p < 4; ++p) {
                numbers.add(quad.rows[p].word[w]);
                range.words[w].add(quad.rows[p].word[w], quad.from.row[p] < 0 ? 0u : masks[p]);
            }
        }
    }
};

// The kept codes of a quad. A byte has feature i of the bundle, in the order of Bundle::offset().
template <Rounder::Way way, Type type, int pairs>
MARLIN_HD KeptCodes keep_gathered(const BundleQuad<Bundle<type, pairs>> &quad, const CodeRounder (&by)[2 * pairs],
                                  Grid grid) {
    using B = Bundle<type, pairs>;
    using W = WordValues<type>;
    uint32_t keep[B::kWords][4];
    MARLIN_UNROLL
    for (int w = 0; w < B::kWords; ++w)
        quad.template keep<type>(w, keep[w]);
    // What sums of bits have beyond the codes cancels out against the corrections.
    uint32_t corrections = 0;
    MARLIN_UNROLL
    for (int i = 0; i < B::kFeatures; ++i)
        corrections += by[i].correction << (8 * i);
    uint32_t codes[4];
    uint32_t masks[4];
    MARLIN_UNROLL
    for (int p = 0; p < 4; ++p) {
        codes[p] = corrections;
        MARLIN_UNROLL
        for (int i = 0; i < B::kFeatures; ++i)
            codes[p] += by[i].template bits<way>(W::of(quad.rows[p].word[i / W::kCount], i % W::kCount)) << (8 * i);
        const uint32_t last = keep[B::kWords - 1][p];
        masks[p] = permute_bytes(keep[0][p], last, type == Type::F32 ? 0x0040 : 0x6420);
        if (quad.from.row[p] < 0) {
            codes[p] = 0;
            MARLIN_UNROLL
            for (int i = 0; i < B::kFeatures; ++i)
                codes[p] |= uint32_t{padding_code(by[i].rounder.params(grid).zero, grid)} << (8 * i);
        }
    }
    return choose_kept(codes, masks);
}

// Codes of both features of each pair in bytes 0 and 2.
MARLIN_HD constexpr uint32_t join_pairs(uint32_t codes) {
    return codes | codes >> 4;
}

// Codes and positions of a bundle in tiles of 128 packed rows. A lane has quads j, j + 4, ... of a tile; four of them
// exchange positions.
template <Rounder::Way way, Type type, int pairs, typename Block>
MARLIN_HD void round_sparse_bundle(const Block &block, const PackTask &task, int64_t column, int feature,
                                   const BundleMemory<Bundle<type, pairs>> &memory, BodySum &sum) {
    using B = Bundle<type, pairs>;
    constexpr int kLanes = 4;
    constexpr bool kWarps = Block::kThreads >= 32;
    constexpr int kMine = kWarps ? 1 : kLanes;
    const Geometry &g = task.geometry;
    const Grid grid = task.grid();
    const int group_shift = groups_of(g, 0).row_shift;
    const auto items = static_cast<int>(g.shape.k_packed / kRows) * kLanes;
    const int end = kWarps ? (items + 31) / 32 * 32 : items; // warps exchange as a whole
    MARLIN_NO_UNROLL
    for (int item = block.thread() * kMine; item < end; item += Block::kThreads * kMine) {
        const bool there = item < items;
        const int tile = (there ? item : items - 1) / kLanes;
        std::byte *const run = task.body + g.run_offset(column, tile);
        uint32_t positions[kMine][4] = {}; // a byte for each step, of (pair, far)
        MARLIN_UNROLL
        for (int m = 0; m < kMine; ++m) {
            const int j = (item + m) % kLanes;
            Vector vectors[pairs];
            MARLIN_UNROLL
            for (int step = 0; step < 4; ++step) {
                const int row = tile * kRows + 32 * step + 4 * j;
                CodeRounder by[B::kFeatures];
                MARLIN_UNROLL
                for (int i = 0; i < B::kFeatures; ++i)
                    by[i] = CodeRounder(memory.rounder(row >> group_shift, i));
                KeptCodes kept[2];
                MARLIN_UNROLL
                for (int far = 0; far < 2; ++far)
                    kept[far] = keep_gathered<way, type, pairs>(BundleQuad<B>(task, memory, row + 16 * far), by, grid);
                const uint32_t first = permute_bytes(join_pairs(kept[0].first), join_pairs(kept[1].first), 0x6240);
                const uint32_t second = permute_bytes(join_pairs(kept[0].second), join_pairs(kept[1].second), 0x6240);
                const uint32_t both =
                    permute_bytes(join_pairs(kept[0].positions), join_pairs(kept[1].positions), 0x6240);
                MARLIN_UNROLL
                for (int pair = 0; pair < pairs; ++pair)
                    vectors[pair].word[step] = permute_bytes(first, second, pair == 0 ? 0x5410 : 0x7632);
                MARLIN_UNROLL
                for (int v = 0; v < 2 * pairs; ++v)
                    positions[m][v] |= (both >> (8 * v) & 255u) << (8 * step);
            }
            MARLIN_UNROLL
            for (int pair = 0; pair < pairs; ++pair)
                if (there)
                    sum.store(run + vector_of_pair(feature + pair) + j * 16, vectors[pair]);
        }
        MARLIN_UNROLL
        for (int v = 0; v < 2 * pairs; ++v) {
            uint32_t words[kMine];
            MARLIN_UNROLL
            for (int m = 0; m < kMine; ++m)
                words[m] = positions[m][v];
            transpose_bytes_of_lanes(words);
            MARLIN_UNROLL
            for (int m = 0; m < kMine; ++m)
                positions[m][v] = nibbles_apart(words[m]);
        }
        transpose_words_of_lanes<1, 2>(positions, item);
        MARLIN_UNROLL
        for (int m = 0; m < kMine; ++m) {
            const int v = (item + m) % kLanes;
            if (there && v < 2 * pairs)
                sum.store(run + metadata_offset(g) + vector_of_pair(feature) / 2 + v * 16,
                          Vector{{positions[m][0], positions[m][1], positions[m][2], positions[m][3]}});
        }
    }
}

} // namespace marlin::cuda
