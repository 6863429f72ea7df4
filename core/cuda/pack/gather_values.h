// Act-order for values in lines of a feature: a few features of all rows are brought to shared memory.
#pragma once

#include "cuda/pack/gather_codes.h"
#include "cuda/pack/stream_round.h"

namespace marlin::cuda {

// What a CTA has: pairs of features f and f + 8 of a strip, which share the bytes of the dense layout; two of halves (f
// and f + 1) where shared memory has room for them.
template <Type type, int pairs>
struct Bundle {
    static constexpr int kPairs = pairs;
    static constexpr int kFeatures = 2 * kPairs;
    static constexpr int kCount = cuda::kFeatures / kFeatures;           // of a column
    static constexpr int kWords = kPairs * 2 / WordValues<type>::kCount; // of a row: values of F32, pairs of halves
    static_assert(kWords == 1 || kWords == 2);

    MARLIN_HD static constexpr int first_feature(int bundle) {
        return bundle / (8 / kPairs) * kStripFeatures + bundle % (8 / kPairs) * kPairs;
    }
    // Feature i counted from the first: both of a pair, then those of the next.
    MARLIN_HD static constexpr int offset(int i) { return i / 2 + i % 2 * 8; }
};

template <typename Bundle>
struct BundleMemory {
    uint32_t *rows;    // [k][Bundle::kWords]
    Rounder *rounders; // [groups][Bundle::kFeatures] by rounder(), to round only

    MARLIN_HD BundleMemory(std::byte *memory, const PackTask &task)
        : rows(reinterpret_cast<uint32_t *>(memory)),
          rounders(reinterpret_cast<Rounder *>(memory + size_to_fit(task))) {}
    MARLIN_HD static int64_t size_to_fit(const PackTask &task) { return task.k * Bundle::kWords * 4; }
    static int64_t size_to_round(const PackTask &task) {
        return size_to_fit(task) + task.geometry.groups() * Bundle::kFeatures * static_cast<int64_t>(sizeof(Rounder));
    }
    // Lanes want that of one feature in groups that are one or two apart: on different banks.
    MARLIN_HD Rounder &rounder(int group, int i) const {
        return rounders[group * Bundle::kFeatures + (Bundle::kPairs == 2 ? i ^ (group & 2) : i)];
    }
    // Vectors that threads write together, the same rows of every four or eight, go to different banks.
    MARLIN_HD uint32_t *at(int row) const {
        return rows + (row ^ (row >> 3 & (Bundle::kWords == 1 ? 4 : 6))) * Bundle::kWords;
    }
};

// Which tasks these kernels are for; source groups are packed groups.
MARLIN_HD inline bool gathers_values(const PackTask &task) {
    const Layout layout = task.geometry.shape.layout;
    const bool selects = layout == Layout::Sparse24Draft && task.sparsity == Sparsity::Select24;
    return (layout == Layout::Dense || (selects && task.importance == nullptr)) && !task.in_order() && task.aligned &&
           task.src_order == Order::NxK && task.n % kFeatures == 0 && task.k % 8 == 0 &&
           task.geometry.groups_in_run > 0;
}

template <Type type, int pairs, typename Block>
MARLIN_HD void stage_bundle(const Block &block, const PackTask &task, int64_t n,
                            const BundleMemory<Bundle<type, pairs>> &memory) {
    using V = Values<type>;
    using B = Bundle<type, pairs>;
    constexpr int kBatch = 4 / pairs;
    constexpr int kRowsAtOnce = 4 / B::kWords; // of a vector
    Vector lines[kBatch][B::kFeatures] = {};
    const int64_t pitch = task.ld_src * V::kSize;
    const std::byte *const first = task.src + n * pitch;
    Batches<kBatch, Block::kThreads>::run(
        block.thread(), static_cast<int>(task.k / V::kEach),
        [&](int i, int item) {
            MARLIN_UNROLL
            for (int f = 0; f < B::kFeatures; ++f)
                lines[i][f] = load_vector(first + B::offset(f) * pitch + item * 16);
        },
        [&](int i, int item) {
            MARLIN_UNROLL
            for (int r = 0; r < V::kEach; r += kRowsAtOnce) {
                Vector rows;
                MARLIN_UNROLL
                for (int j = 0; j < 4; ++j) {
                    const int row = r + j / B::kWords;
                    const int word = j % B::kWords;
                    if constexpr (type == Type::F32)
                        rows.word[j] = lines[i][word].word[row];
                    else
                        rows.word[j] = permute_bytes(lines[i][word * 2].word[row / 2],
                                                     lines[i][word * 2 + 1].word[row / 2], row % 2 ? 0x7632 : 0x5410);
                }
                store_vector(reinterpret_cast<std::byte *>(memory.at(item * V::kEach + r)), rows);
            }
        });
}

// Ranges of the words of some rows.
template <Type type, int count>
struct BundleRange {
    using W = WordValues<type>;
    WordRange<type> words[count];

    MARLIN_HD void add(const uint32_t (&row)[count]) {
        MARLIN_UNROLL
        for (int w = 0; w < count; ++w)
            words[w].add(row[w]);
    }
    // What `lanes` neighbouring lanes have.
    template <int lanes>
    MARLIN_HD void join() {
#ifdef __CUDA_ARCH__
#pragma unroll
        for (int distance = lanes / 2; distance > 0; distance /= 2) {
#pragma unroll
            for (int w = 0; w < count; ++w)
                words[w].join(__shfl_xor_sync(0xffffffffu, words[w].low, distance),
                              __shfl_xor_sync(0xffffffffu, words[w].high, distance));
        }
#endif
    }
    // Of value i of a row.
    MARLIN_HD Range of(int i) const {
        const bool last = i / W::kCount == count - 1; // of two at most
        return {W::of(last ? words[count - 1].low : words[0].low, i % W::kCount),
                W::of(last ? words[count - 1].high : words[0].high, i % W::kCount)};
    }
};

// The words of a row, read at once.
template <int count>
struct alignas(4 * count) RowWords {
    uint32_t word[count];
};
template <typename Bundle>
MARLIN_HD RowWords<Bundle::kWords> words_of_row(const BundleMemory<Bundle> &memory, int row) {
    return *reinterpret_cast<const RowWords<Bundle::kWords> *>(memory.at(row));
}

// The codes of 16 rows of a bundle, in one group or two: a vector for each pair of features.
template <Rounder::Way way, Type type, int pairs>
MARLIN_HD void round_gathered(const PackTask &task, int64_t block64, const GatheredRows &from,
                              const BundleMemory<Bundle<type, pairs>> &memory, Vector (&vectors)[pairs]) {
    using B = Bundle<type, pairs>;
    using W = WordValues<type>;
    const Grid grid = task.grid();
    const int group_shift = groups_of(task.geometry, 0).row_shift;
    MARLIN_UNROLL
    for (int step = 0; step < 4; ++step) {
        const auto group = static_cast<int>((block64 * 64 + 16 * step) >> group_shift);
        RowWords<B::kWords> rows[4];
        MARLIN_UNROLL
        for (int b = 0; b < 4; ++b)
            rows[b] = words_of_row(memory, from.some_row(step, b));
        uint32_t words[B::kPairs];
        MARLIN_UNROLL
        for (int pair = 0; pair < B::kPairs; ++pair) {
            const CodeRounder by[2] = {CodeRounder(memory.rounder(group, 2 * pair)),
                                       CodeRounder(memory.rounder(group, 2 * pair + 1))};
            // What sums of bits have beyond the codes cancels out against the corrections.
            uint32_t word = by[0].correction * 0x01010101u + by[1].correction * 0x10101010u;
            MARLIN_UNROLL
            for (int b = 0; b < 4; ++b) {
                MARLIN_UNROLL
                for (int which = 0; which < 2; ++which) {
                    const float value = type == Type::F32 ? W::of(rows[b].word[which % B::kWords], 0)
                                                          : W::of(rows[b].word[pair], which);
                    word += by[which].template bits<way>(value) << (8 * b + 4 * which);
                }
            }
            words[pair] = word;
        }
        if (from.padding) {
            MARLIN_UNROLL
            for (int pair = 0; pair < B::kPairs; ++pair) {
                const uint32_t code =
                    padding_code(memory.rounder(group, 2 * pair).params(grid).zero, grid) |
                    uint32_t{padding_code(memory.rounder(group, 2 * pair + 1).params(grid).zero, grid)} << 4;
                MARLIN_UNROLL
                for (int b = 0; b < 4; ++b)
                    if (from.row[step][b] < 0)
                        words[pair] = (words[pair] & ~(255u << (8 * b))) | code << (8 * b);
            }
        }
        MARLIN_UNROLL
        for (int pair = 0; pair < B::kPairs; ++pair)
            vectors[pair].word[step] = words[pair];
    }
}

} // namespace marlin::cuda
