// One tile of values whose scales and zeros are known, rounded on the way from the source to a tile of codes.
#pragma once

#include "cuda/pack/stream_ranges.h"
#include "cuda/pack/write_run.h"

namespace marlin::cuda {

// Rounder for many values one after the other: what is added to the bits of all.
struct CodeRounder {
    Rounder rounder;
    uint32_t correction;

    CodeRounder() = default;
    MARLIN_HD explicit CodeRounder(const Rounder &from)
        : rounder(from), correction(std::bit_cast<uint32_t>(from.base + Rounder::kRounded) -
                                    2 * std::bit_cast<uint32_t>(Rounder::kRounded)) {}
    template <Rounder::Way way>
    MARLIN_HD uint32_t bits(float value) const {
        return std::bit_cast<uint32_t>(rounder.round<way>(value));
    }
};

template <bool along_k>
struct RoundMemory {
    CodeTile<along_k> codes;
    alignas(16) Rounder rounders[kMaxGroups][kFeatures];

    // Where sources have rows, neighbouring lanes want every eighth or every fourth feature: on different banks.
    MARLIN_HD Rounder &rounder(int g, int f) { return rounders[g][along_k ? f : f ^ (f >> 3)]; }
};

// Eight or four codes, one a byte, that follow each other in a tile.
template <int count>
MARLIN_HD void put_codes(uint8_t *at, const uint32_t (&words)[count / 4]) {
    if constexpr (count == 8)
        *reinterpret_cast<uint64_t *>(at) = words[0] | uint64_t{words[1]} << 32;
    else
        *reinterpret_cast<uint32_t *>(at) = words[0];
}

// The kept codes of four rows of eight or four features, of codes[row][word] that are one a byte.
template <Type type, int batch, int words>
MARLIN_HD void keep_rows(const Vector *vectors, uint32_t (&codes)[batch][words], int first) {
    constexpr int kWordsOfFour = type == Type::F32 ? 4 : 2; // of values
    MARLIN_UNROLL
    for (int w = 0; w < words; ++w) {
        uint32_t keep[kWordsOfFour][4];
        MARLIN_UNROLL
        for (int v = 0; v < kWordsOfFour; ++v) {
            uint32_t row[4];
            MARLIN_UNROLL
            for (int p = 0; p < 4; ++p)
                row[p] = vectors[first + p].word[w * kWordsOfFour + v];
            keep_words<type>(row, keep[v]);
        }
        uint32_t masks[4];
        MARLIN_UNROLL
        for (int p = 0; p < 4; ++p) {
            if constexpr (type == Type::F32)
                masks[p] = permute_bytes(permute_bytes(keep[0][p], keep[1][p], 0x0040),
                                         permute_bytes(keep[2][p], keep[3][p], 0x0040), 0x5410);
            else
                masks[p] = permute_bytes(keep[0][p], keep[1][p], 0x6420);
        }
        const KeptCodes kept =
            choose_kept({codes[first][w], codes[first + 1][w], codes[first + 2][w], codes[first + 3][w]}, masks);
        codes[first][w] = kept.first;
        codes[first + 1][w] = kept.second;
        codes[first + kRowOfPositions][w] = kept.positions;
    }
}

// The kept codes of a vector along k, whose codes are one a byte, at `at`.
template <Type type>
MARLIN_HD void keep_line(const Vector &vector, const uint32_t (&codes)[Values<type>::kEach / 4], uint8_t *at) {
    uint32_t row[4];
    uint32_t keep[4];
    uint32_t code[4];
    quads_of_vector<type>(vector, row);
    keep_words<type>(row, keep);
    MARLIN_UNROLL
    for (uint32_t p = 0; p < 4; ++p) {
        const uint32_t last = codes[Values<type>::kEach / 4 - 1];
        code[p] = permute_bytes(codes[0], last, p * 0x11 + (p + 4) * 0x1100);
    }
    const KeptCodes kept = choose_kept(code, keep);
    const uint32_t both = permute_bytes(kept.first, kept.second, 0x6240);
    uint32_t words[Values<type>::kEach / 4];
    words[0] = permute_bytes(both, kept.positions, 0x4410);
    if constexpr (Values<type>::kEach == 8)
        words[1] = permute_bytes(both, kept.positions, 0x6632);
    put_codes<Values<type>::kEach>(at, words);
}

inline constexpr int kRowsOfRound = 4;

template <Rounder::Way way, Type type, bool along_k, bool sparse>
MARLIN_HD void round_item(const PackTask &task, const StreamItem<type, along_k, kRowsOfRound> &item, int row_shift,
                          RoundMemory<along_k> &memory) {
    using V = Values<type>;
    constexpr int kBatch = StreamShape<type, along_k, kRowsOfRound>::kBatch;
    constexpr int kWords = V::kEach / 4;
    const int group = item.row(0) >> row_shift;
    uint32_t words[kBatch][kWords] = {};
    if constexpr (along_k) {
        MARLIN_UNROLL
        for (int b = 0; b < kBatch; ++b) {
            const CodeRounder by(memory.rounder(group, item.feature + b * item.next_feature));
            // What sums of bits have beyond the codes cancels out against the corrections.
            MARLIN_UNROLL
            for (int w = 0; w < kWords; ++w)
                words[b][w] = by.correction * 0x01010101u;
            MARLIN_UNROLL
            for (int j = 0; j < V::kEach; ++j)
                words[b][j / 4] += by.bits<way>(V::of(item.vectors[b], j)) << (8 * (j % 4));
            uint8_t *const at = &memory.codes.at(item.row(0), item.feature + b * item.next_feature);
            if constexpr (sparse)
                keep_line<type>(item.vectors[b], words[b], at);
            else
                put_codes<V::kEach>(at, words[b]);
        }
    } else {
        uint32_t corrections[kWords] = {};
        MARLIN_UNROLL
        for (int j = 0; j < V::kEach; ++j) {
            const CodeRounder by(memory.rounder(group, item.feature + j));
            corrections[j / 4] += by.correction << (8 * (j % 4));
            MARLIN_UNROLL
            for (int b = 0; b < kBatch; ++b)
                words[b][j / 4] += by.bits<way>(V::of(item.vectors[b], j)) << (8 * (j % 4));
        }
        MARLIN_UNROLL
        for (int b = 0; b < kBatch; ++b) {
            MARLIN_UNROLL
            for (int w = 0; w < kWords; ++w)
                words[b][w] += corrections[w];
        }
        if (item.padding != 0) {
            const Grid grid = task.grid();
            [[maybe_unused]] constexpr int kUnrolled = type == Type::F32 ? 4 : 1; // rare, so small
            MARLIN_UNROLL
            for (int w = 0; w < kWords; ++w) {
                uint32_t codes = 0;
                MARLIN_UNROLL_BY(kUnrolled)
                for (int j = 0; j < 4; ++j) {
                    const GroupParams params = memory.rounder(group, item.feature + 4 * w + j).params(grid);
                    codes |= uint32_t{padding_code(params.zero, grid)} << (8 * j);
                }
                MARLIN_UNROLL
                for (int b = 0; b < kBatch; ++b)
                    if (item.is_padding(b))
                        words[b][w] = codes;
            }
        }
        MARLIN_UNROLL
        for (int b = 0; b < kBatch; ++b) {
            if (sparse && b % 4 == 0)
                keep_rows<type>(item.vectors, words, b);
            if (!sparse || b % 4 <= kRowOfPositions)
                put_codes<V::kEach>(&memory.codes.at(item.row(b), item.feature), words[b]);
        }
    }
}

// Like pack_values(), of a task that streams.
template <Type type, bool along_k, bool sparse, typename Block>
MARLIN_HD void stream_round(const Block &block, const PackTask &task, const TilePlace &place,
                            RoundMemory<along_k> &memory, BodySum &sum) {
    using Way = Rounder::Way;
    using Item = StreamItem<type, along_k, kRowsOfRound>;
    static_assert(Block::kThreads == 1 || Item::Shape::kItems % Block::kThreads == 0);
    const Grid grid = task.grid();
    const int row_shift = groups_of(task.geometry, place.first_row).row_shift;
    bool divides = false;
    // Under way while scales are read.
    Item item(block.thread());
    if (Block::kThreads > 1)
        item.load(task, place.column, place.first_row, place.rows);
    for_each_params(
        block, task, place, [&](int64_t group, int64_t n) { return task.params.at(group, n); },
        [&](int g, int f, GroupParams params) {
            const Rounder rounder(params, grid);
            divides |= rounder.divides();
            memory.rounder(g, f) = rounder;
        });
    divides = block.any(divides);
    for (int i = block.thread(); i < Item::Shape::kItems; i += Block::kThreads) {
        if (Block::kThreads == 1 || i >= Block::kThreads) {
            item = Item(i);
            item.load(task, place.column, place.first_row, place.rows);
        }
        if (divides)
            round_item<Way::Divide, type, along_k, sparse>(task, item, row_shift, memory);
        else if (grid == Grid::Offset)
            round_item<Way::Multiply, type, along_k, sparse>(task, item, row_shift, memory);
        else
            round_item<Way::Scale, type, along_k, sparse>(task, item, row_shift, memory);
    }
    block.sync();
    write_tile<sparse>(block, task, place, memory.codes, sum,
                       [&](int g, int f) { return memory.rounder(g, f).params(grid); });
}

// visit(a constant with the type of a source of values).
template <typename Visit>
auto with_value_type(Type type, Visit visit) {
    if (type == Type::F32)
        return visit(std::integral_constant<Type, Type::F32>());
    if (type == Type::BF16)
        return visit(std::integral_constant<Type, Type::BF16>());
    return visit(std::integral_constant<Type, Type::F16>());
}

// visit(type, whether along k, whether 2:4), all constants, for a task that streams.
template <typename Visit>
void with_stream(const PackTask &task, Visit visit) {
    with_value_type(task.src_type, [&](auto type) {
        const auto with_order = [&](auto sparse) {
            task.src_order == Order::NxK ? visit(type, std::true_type(), sparse)
                                         : visit(type, std::false_type(), sparse);
        };
        task.geometry.sparse() ? with_order(std::true_type()) : with_order(std::false_type());
    });
}

} // namespace marlin::cuda
