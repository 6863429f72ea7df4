// Bringing codes out of packed words into a tile: whole vectors where they lie well, single nibbles elsewhere.
#pragma once

#include "cuda/pack/code_tile.h"
#include "cuda/pack/formats.h"

namespace marlin::cuda {

MARLIN_HD inline unsigned nibble_of(const Vector &vector, int nibble) {
    return vector.word[nibble / 8] >> (nibble % 8 * 4) & 15u;
}

// Writes the nibbles of a vector as bytes; `at` belongs to the first of them. Where two bits of the nibble's number
// move by one and two bytes, four bytes at a time.
template <typename Format, typename Shape>
MARLIN_HD void spread(const Vector &vector, uint8_t *at) {
    constexpr OffsetMap map = place(words_map<Format>(), Shape::offset);
    constexpr int one = map.bit_that_moves(1, 5);
    constexpr int two = map.bit_that_moves(2, 5);
    if constexpr (one >= 0 && two >= 0) {
        constexpr int mask = 1 << one | 1 << two;
        MARLIN_UNROLL
        for (int j = 0; j < kNibblesPerVector; ++j)
            if ((j & mask) == 0)
                *reinterpret_cast<uint32_t *>(at + map.of(j)) =
                    nibble_of(vector, j) | nibble_of(vector, j | 1 << one) << 8 |
                    nibble_of(vector, j | 1 << two) << 16 | nibble_of(vector, j | mask) << 24;
    } else {
        MARLIN_UNROLL
        for (int j = 0; j < kNibblesPerVector; ++j)
            at[map.of(j)] = static_cast<uint8_t>(nibble_of(vector, j));
    }
}

// All vectors of a tile, each to its place. Rows are in order, or vectors have a single row.
template <typename Format, typename Block, typename Tile>
MARLIN_HD void read_vectors(const Block &block, const PackTask &task, const TilePlace &to, Tile &tile) {
    constexpr FieldMap map = words_map<Format>();
    constexpr int kEach = kWordVectors / Block::kThreads;
    static_assert(kWordVectors % Block::kThreads == 0);
    Vector vectors[kEach];
    MARLIN_UNROLL
    for (int i = 0; i < kEach; ++i) {
        const int first = (block.thread() + i * Block::kThreads) * kNibblesPerVector;
        const int r = map.row_of(first);
        const int64_t k = r < to.rows ? task.order.source_row(to.first_row + r) : -1;
        vectors[i] = {}; // padding has its codes later
        if (k >= 0)
            vectors[i] = load_vector(task.src +
                                     Format::at(k, to.first_feature + map.feature_of(first), task.k, task.n).word * 4);
    }
    MARLIN_UNROLL
    for (int i = 0; i < kEach; ++i) {
        const int first = (block.thread() + i * Block::kThreads) * kNibblesPerVector;
        spread<Format, typename Tile::Shape>(vectors[i],
                                             tile.code + Tile::Shape::offset(map.row_of(first), map.feature_of(first)));
    }
}

// GPTQ words in any order of rows: of eight rows that a word holds, one is wanted.
template <typename Block, typename Tile>
MARLIN_HD void read_gptq_rows(const Block &block, const PackTask &task, const TilePlace &to, Tile &tile) {
    constexpr int kVectorsOfRow = kFeatures / 4;
    constexpr int kBatch = 4;
    for (int begin = 0; begin < kRows * kVectorsOfRow; begin += kBatch * Block::kThreads) {
        Vector vectors[kBatch];
        int shift[kBatch];
        MARLIN_UNROLL
        for (int i = 0; i < kBatch; ++i) {
            const int item = begin + i * Block::kThreads + block.thread();
            const int r = item / kVectorsOfRow;
            const int64_t k = r < to.rows ? task.order.source_row(to.first_row + r) : -1;
            vectors[i] = {};
            shift[i] = 0;
            if (k >= 0) {
                const NibbleAt at = gptq_weight_at(k, to.first_feature + item % kVectorsOfRow * 4, task.n);
                vectors[i] = load_vector(task.src + at.word * 4);
                shift[i] = at.shift;
            }
        }
        MARLIN_UNROLL
        for (int i = 0; i < kBatch; ++i) {
            const int item = begin + i * Block::kThreads + block.thread();
            uint32_t codes = 0;
            MARLIN_UNROLL
            for (int f = 0; f < 4; ++f)
                codes |= (vectors[i].word[f] >> shift[i] & 15u) << (8 * f);
            *reinterpret_cast<uint32_t *>(&tile.at(item / kVectorsOfRow, item % kVectorsOfRow * 4)) = codes;
        }
    }
}

// Any tile, element by element. code_at(k, n) of the source.
template <typename Block, typename Tile, typename CodeAt>
MARLIN_HD void read_elements(const Block &block, const PackTask &task, const TilePlace &to, Tile &tile,
                             CodeAt code_at) {
    for (int i = block.thread(); i < kRows * kFeatures; i += Block::kThreads) {
        const int r = Tile::kAlongK ? i % kRows : i / kFeatures;
        const int f = Tile::kAlongK ? i / kRows : i % kFeatures;
        const int64_t k = r < to.rows ? task.order.source_row(to.first_row + r) : -1;
        if (k >= 0 && f < to.features)
            tile.at(r, f) = code_at(k, to.first_feature + f);
    }
}

template <typename Format>
struct WordsReader {
    static constexpr bool kAlongK = Format::kAlongK;

    template <typename Block, typename Tile>
    MARLIN_HD static void read(const Block &block, const PackTask &task, const TilePlace &to, Tile &tile) {
        const bool in_order = task.order.perm == nullptr && to.first_row + kRows <= task.k;
        if (task.aligned && to.features == kFeatures) {
            if (in_order || has_single_row_vectors<Format>())
                return read_vectors<Format>(block, task, to, tile);
            if constexpr (std::is_same_v<Format, GptqWords>)
                return read_gptq_rows(block, task, to, tile);
        }
        read_elements(block, task, to, tile, [&](int64_t k, int64_t n) {
            return static_cast<uint8_t>(read_nibble(task.src, Format::at(k, n, task.k, task.n)));
        });
    }
};

} // namespace marlin::cuda
