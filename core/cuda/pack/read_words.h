// Bringing codes out of packed words into a tile: whole vectors where they lie well, single nibbles elsewhere.
#pragma once

#include "cuda/pack/arithmetic.h"
#include "cuda/pack/code_tile.h"
#include "cuda/pack/formats.h"

namespace marlin::cuda {

// The nibbles of a vector as bytes: those of word w that have even numbers in byte[2 * w], the odd ones in
// byte[2 * w + 1].
struct NibbleBytes {
    uint32_t byte[8];

    MARLIN_HD explicit NibbleBytes(const Vector &vector) {
        MARLIN_UNROLL
        for (int w = 0; w < 4; ++w) {
            byte[2 * w] = vector.word[w] & 0x0f0f0f0fu;
            byte[2 * w + 1] = vector.word[w] >> 4 & 0x0f0f0f0fu;
        }
    }
    MARLIN_HD static constexpr int word_of(int nibble) { return nibble / 8 * 2 + nibble % 2; }
    MARLIN_HD static constexpr uint32_t place_of(int nibble) { return static_cast<uint32_t>(nibble % 8 / 2); }
    // Four nibbles side by side, the first lowest: one instruction where they stand in two words, else three.
    MARLIN_HD uint32_t four(int a, int b, int c, int d) const {
        const int first = word_of(a);
        const int second = word_of(b) != first ? word_of(b) : word_of(c) != first ? word_of(c) : word_of(d);
        const auto in_either = [&](int nibble) { return word_of(nibble) == first || word_of(nibble) == second; };
        const auto selector = [&](int nibble) { return place_of(nibble) + (word_of(nibble) == first ? 0 : 4); };
        if (in_either(c) && in_either(d))
            return permute_bytes(byte[first], byte[second],
                                 selector(a) | selector(b) << 4 | selector(c) << 8 | selector(d) << 12);
        const uint32_t low = permute_bytes(byte[word_of(a)], byte[word_of(b)], place_of(a) | (place_of(b) + 4) << 4);
        const uint32_t high = permute_bytes(byte[word_of(c)], byte[word_of(d)], place_of(c) | (place_of(d) + 4) << 4);
        return permute_bytes(low, high, 0x5410);
    }
};

// Writes the nibbles of a vector as bytes; `at` belongs to the first of them. Where two bits of the nibble's number
// move by one and two bytes, four bytes at a time.
template <typename Format, typename Shape>
MARLIN_HD void spread(const Vector &vector, uint8_t *at) {
    constexpr OffsetMap map = place(words_map<Format>(), Shape::offset);
    constexpr int one = map.bit_that_moves(1, 5);
    constexpr int two = map.bit_that_moves(2, 5);
    const NibbleBytes bytes(vector);
    if constexpr (one >= 0 && two >= 0) {
        constexpr int a = 1 << one;
        constexpr int b = 1 << two;
        MARLIN_UNROLL
        for (int j = 0; j < kNibblesPerVector; ++j)
            if ((j & (a | b)) == 0)
                *reinterpret_cast<uint32_t *>(at + map.of(j)) = bytes.four(j, j | a, j | b, j | a | b);
    } else {
        MARLIN_UNROLL
        for (int j = 0; j < kNibblesPerVector; ++j)
            at[map.of(j)] = static_cast<uint8_t>(bytes.byte[NibbleBytes::word_of(j)] >> (8 * NibbleBytes::place_of(j)));
    }
}

// All vectors of a tile, each to its place. Rows are in order, or vectors have a single row. `meanwhile` runs while
// they are under way.
template <typename Format, typename Block, typename Tile, typename Meanwhile>
MARLIN_HD void read_vectors(const Block &block, const PackTask &task, const TilePlace &to, Tile &tile,
                            Meanwhile meanwhile) {
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
    meanwhile();
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
    MARLIN_NO_UNROLL
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
    MARLIN_NO_UNROLL
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

    // Every nibble is a code.
    template <typename Block>
    MARLIN_HD static bool holds_codes(const Block &, const PackTask &, const TilePlace &) {
        return true;
    }

    template <typename Block, typename Tile, typename Meanwhile>
    MARLIN_HD static void read(const Block &block, const PackTask &task, const TilePlace &to, Tile &tile,
                               Meanwhile meanwhile) {
        if (task.aligned && to.features == kFeatures &&
            (is_whole(to, task.in_order(), task.k) || has_single_row_vectors<Format>()))
            return read_vectors<Format>(block, task, to, tile, meanwhile);
        meanwhile();
        if (task.aligned && to.features == kFeatures) {
            if constexpr (std::is_same_v<Format, GptqWords>)
                return read_gptq_rows(block, task, to, tile);
        }
        read_elements(block, task, to, tile, [&](int64_t k, int64_t n) {
            return static_cast<uint8_t>(read_nibble(task.src, Format::at(k, n, task.k, task.n)));
        });
    }
};

} // namespace marlin::cuda
