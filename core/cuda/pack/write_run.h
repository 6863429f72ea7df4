// Writing a tile of codes and its scales and zeros as the runs of packed bytes.
#pragma once

#include "cuda/pack/body_sum.h"
#include "cuda/pack/code_tile.h"
#include "cuda/pack/field_map.h"
#include "cuda/pack/lanes.h"
#include "cuda/pack/write_sparse.h"
#include "layout/element.h"

namespace marlin::cuda {

inline constexpr int kFieldsPerVector = 64; // of metadata
inline constexpr int kPositionVectors = kRows / 2 * kFeatures / kFieldsPerVector;

// Nibbles of the codes of a tile in the order of its runs; rows are stored ones.
template <Layout layout>
constexpr FieldMap codes_map() {
    return invert(is_sparse24(layout) ? kRows / 2 : kRows, kFeatures, [](int row, int feature) {
        const BitsAt at = code_at(layout, row, feature);
        return at.byte * 2 + at.shift / 4;
    });
}
// Fields of two bits.
template <Layout layout>
constexpr FieldMap positions_map() {
    return invert(kRows / 2, kFeatures, [](int row, int feature) {
        const BitsAt at = metadata_at(layout, row / 2, row % 2, feature);
        return at.byte * 4 + at.shift / 2;
    });
}
// Where in a tile of codes they stand.
template <Layout layout, typename Shape>
constexpr OffsetMap codes_in(const FieldMap &map) {
    return place(
        map, [](int row, int feature) { return Shape::offset(is_sparse24(layout) ? row_of_kept(row) : row, feature); });
}

// The runs of a tile: one, or two of 64 rows. Byte is std::byte or const std::byte.
template <typename Byte>
struct TileRuns {
    Byte *first = nullptr;
    int64_t run_size = 0;
    int count = 1;
    int vectors_of_codes = 0; // of one run

    MARLIN_HD TileRuns(const Geometry &g, Byte *body, const TilePlace &place) {
        const int shift = g.run_k == 64 ? 6 : 7;
        first = body + g.run_offset(place.column, place.first_row >> shift);
        run_size = g.run_size;
        count = place.rows >> shift;
        vectors_of_codes = static_cast<int>(g.codes_size / 16);
    }
    // Vector `i` of the codes of all runs.
    MARLIN_HD Byte *codes(int i) const {
        const int run = i >= vectors_of_codes ? 1 : 0;
        return first + run * run_size + (i - run * vectors_of_codes) * 16;
    }
    MARLIN_HD int all_vectors() const { return count * vectors_of_codes; }
};
MARLIN_HD constexpr int64_t metadata_offset(const Geometry &g) {
    return g.codes_size + g.scales_size + g.zeros_size;
}

// Four bytes of a tile, each with a nibble.
MARLIN_HD inline uint32_t four_nibbles(const uint8_t *at) {
    return *reinterpret_cast<const uint32_t *>(at);
}

// `number` with a 0 put in at bit `bit`.
MARLIN_HD constexpr int make_room(int number, int bit) {
    return (number >> bit << (bit + 1)) | (number & ((1 << bit) - 1));
}

// How vectors of 32 nibbles are gathered out of a tile that has one a byte, where `map` is. `one` and `two` are the
// bits of a nibble's number that move by so many bytes.
template <int one, int two>
struct Gathering {
    // Neighbouring features belong to different vectors, and those to different lanes of a warp: four vectors at once.
    static constexpr bool kFour = one >= 5 && two >= 5 && one < 10 && two < 10;
    // Neighbouring rows belong to bytes 0 and 2 of a word, the next two to another vector, or to none.
    static constexpr bool kRows = one == 2 && (two >= 5 || two < 0);
    static constexpr bool kTwo = kRows && two >= 5;
};

// vector_at(i): where vector i goes, of `count`. `flip` is what all nibbles are changed by.
template <typename Map, typename Block, typename VectorAt>
MARLIN_HD void write_nibbles(const Block &block, const uint8_t *tile, int count, uint32_t flip, VectorAt vector_at,
                             BodySum &sum) {
    constexpr OffsetMap map = Map::value;
    constexpr int one = map.bit_that_moves(1, kMaxFieldBits);
    constexpr int two = map.bit_that_moves(2, kMaxFieldBits);
    using Way = Gathering<one, two>;
    // Both nibbles of the bytes that start with nibble `j`, of four rows or features.
    const auto pairs = [&](const uint8_t *from, int j) {
        return four_nibbles(from + map.of(j)) + four_nibbles(from + map.of(j + 1)) * 16;
    };
    if constexpr (Way::kFour) {
        // A lane has one word of four vectors, then all words of one.
        constexpr int kMine = kLanesOfThread<Block>;
        constexpr int kOne = 1 << (one - 5);
        constexpr int kTwo = 1 << (two - 5);
        MARLIN_NO_UNROLL
        for (int item = block.thread() * kMine; item < count; item += Block::kThreads * kMine) {
            uint32_t words[kMine][4];
            MARLIN_UNROLL
            for (int m = 0; m < kMine; ++m) {
                const int i = item + m;
                const int w = ((i & kOne) != 0 ? 1 : 0) + ((i & kTwo) != 0 ? 2 : 0);
                const uint8_t *const from = tile + map.of((i & ~(kOne | kTwo)) * 32) + map.of(w * 8);
                transpose_bytes({pairs(from, 0), pairs(from, 2), pairs(from, 4), pairs(from, 6)}, words[m]);
            }
            transpose_words_of_lanes<kOne, kTwo>(words, item);
            MARLIN_UNROLL
            for (int m = 0; m < kMine; ++m)
                sum.store(vector_at(item + m),
                          Vector{{words[m][0] ^ flip, words[m][1] ^ flip, words[m][2] ^ flip, words[m][3] ^ flip}});
        }
    } else if constexpr (Way::kRows) {
        for (int item = block.thread(); item < count / (Way::kTwo ? 2 : 1); item += Block::kThreads) {
            const int i = Way::kTwo ? make_room(item, two - 5) : item;
            const uint8_t *const from = tile + map.of(i * 32);
            Vector first;
            Vector second;
            MARLIN_UNROLL
            for (int w = 0; w < 4; ++w) {
                const uint32_t even = pairs(from, w * 8);
                const uint32_t odd = pairs(from, w * 8 + 2);
                first.word[w] = permute_bytes(even, odd, 0x5140) ^ flip;
                second.word[w] = permute_bytes(even, odd, 0x7362) ^ flip;
            }
            sum.store(vector_at(i), first);
            if constexpr (Way::kTwo)
                sum.store(vector_at(i + (1 << (two - 5))), second);
        }
    } else {
        for (int i = block.thread(); i < count; i += Block::kThreads) {
            const uint8_t *const from = tile + map.of(i * 32);
            Vector vector;
            MARLIN_UNROLL
            for (int w = 0; w < 4; ++w) {
                uint32_t word = 0; // sums become fused instructions where ors would not
                MARLIN_UNROLL
                for (int j = 0; j < 8; ++j)
                    word += uint32_t{from[map.of(w * 8 + j)]} * (1u << (4 * j));
                vector.word[w] = word ^ flip;
            }
            sum.store(vector_at(i), vector);
        }
    }
}

template <Layout layout, typename Shape>
struct CodesMap {
    static constexpr OffsetMap value = codes_in<layout, Shape>(codes_map<layout>());
};
template <Layout layout, typename Block, typename Tile>
MARLIN_HD void write_codes(const Block &block, const Tile &tile, const TileRuns<std::byte> &runs, BodySum &sum) {
    write_nibbles<CodesMap<layout, typename Tile::Shape>>(
        block, tile.code, runs.all_vectors(), code_xor(layout) * 0x11111111u, [&](int i) { return runs.codes(i); },
        sum);
}

// Where the positions of both kept codes of a quad stand in a tile: in a nibble, if the layout has them together.
template <Layout layout, typename Shape>
struct PositionsMap {
    static constexpr FieldMap fields = positions_map<layout>();
    static constexpr bool kTogether = fields.row[0] == 1;
    // By field, of two bits.
    static constexpr OffsetMap of_fields =
        place(fields, [](int row, int feature) { return Shape::offset(row / 2 * 4, feature); });
    static constexpr OffsetMap value = of_fields.without_first_bit(); // by nibble
};

// The positions of both kept codes of a quad stand side by side in some layouts, and apart in others.
template <Layout layout, typename Block, typename Tile>
MARLIN_HD void write_positions(const Block &block, const Tile &tile, std::byte *metadata, BodySum &sum) {
    using Map = PositionsMap<layout, typename Tile::Shape>;
    const uint8_t *const positions = tile.code + Tile::Shape::offset(kRowOfPositions, 0);
    if constexpr (Map::kTogether)
        return write_nibbles<Map>(
            block, positions, kPositionVectors, 0, [&](int i) { return metadata + i * 16; }, sum);
    constexpr FieldMap fields = Map::fields;
    constexpr OffsetMap map = Map::of_fields;
    for (int i = block.thread(); i < kPositionVectors; i += Block::kThreads) {
        const int first = i * kFieldsPerVector;
        const uint8_t *const quads = positions + map.of(first);
        const int slot = fields.row_of(first) % 2;
        Vector vector;
        MARLIN_UNROLL
        for (int w = 0; w < 4; ++w) {
            uint32_t word = 0;
            MARLIN_UNROLL
            for (int j = 0; j < 16; ++j)
                word += (uint32_t{quads[map.of(w * 16 + j)]} >> (2 * (slot + fields.row_of(w * 16 + j) % 2)) & 3u)
                        << (2 * j);
            vector.word[w] = word;
        }
        sum.store(metadata + i * 16, vector);
    }
}

// Eight bytes of numbers of features f and on, in one group. number_at(feature) has them.
template <int each, typename NumberAt>
MARLIN_HD uint64_t word_of_numbers(int f, Type type, NumberAt number_at) {
    if constexpr (each == 4) {
        const uint32_t low = narrow(number_at(f), number_at(f + 1), type);
        return low | uint64_t{narrow(number_at(f + 2), number_at(f + 3), type)} << 32;
    }
    uint64_t word = 0;
    MARLIN_UNROLL
    for (int j = 0; j < each; ++j) {
        const float number = number_at(f + j);
        word |= uint64_t{each == 8 ? static_cast<uint8_t>(number) : std::bit_cast<uint32_t>(number)} << (64 / each * j);
    }
    return word;
}

// Numbers of one kind of the groups of a tile, eight bytes at a time. number_at(group of the tile, feature) has them.
template <int each, typename Block, typename NumberAt>
MARLIN_HD void write_words_of_numbers(const Block &block, std::byte *to, int64_t run_size, int groups_in_run, int runs,
                                      Type type, BodySum &sum, NumberAt number_at) {
    constexpr int kWords = kFeatures / each; // of a group
    const int words_of_run = groups_in_run * kWords;
    MARLIN_NO_UNROLL
    for (int i = block.thread(); i < runs * words_of_run; i += Block::kThreads) {
        const int run = i >= words_of_run ? 1 : 0;
        sum.store(to + run * run_size + (i - run * words_of_run) * 8,
                  word_of_numbers<each>(i % kWords * each, type, [&](int f) { return number_at(i / kWords, f); }));
    }
}
template <typename Block, typename NumberAt>
MARLIN_HD void write_numbers(const Block &block, std::byte *to, int64_t run_size, int groups_in_run, int runs,
                             Type type, BodySum &sum, NumberAt number_at) {
    if (type == Type::F16 || type == Type::BF16)
        write_words_of_numbers<4>(block, to, run_size, groups_in_run, runs, type, sum, number_at);
    else if (type == Type::U8)
        write_words_of_numbers<8>(block, to, run_size, groups_in_run, runs, type, sum, number_at);
    else
        write_words_of_numbers<2>(block, to, run_size, groups_in_run, runs, type, sum, number_at);
}

// Scales and zeros of the groups of a tile, in its runs or apart. params_at(group of the tile, feature) has them.
template <typename Block, typename ParamsAt>
MARLIN_HD void write_params(const Block &block, const PackTask &task, const TilePlace &place, ParamsAt params_at,
                            BodySum &sum) {
    const Geometry &g = task.geometry;
    const bool apart = g.groups_in_run == 0;
    if (apart && place.first_row > 0)
        return;
    const TileRuns runs(g, task.body, place);
    std::byte *scales = runs.first + g.codes_size;
    std::byte *zeros = scales + g.scales_size;
    if (apart) {
        scales = task.body + g.scales_apart + place.first_feature * size_of(g.shape.scale_type);
        zeros = task.body + g.zeros_apart + place.first_feature * size_of(g.shape.zero_type);
    }
    const int groups = apart ? 1 : static_cast<int>(g.groups_in_run);
    const int count = apart ? 1 : runs.count;
    write_numbers(block, scales, runs.run_size, groups, count, g.shape.scale_type, sum,
                  [&](int group, int f) { return params_at(group, f).scale; });
    if (g.shape.zero_type != Type::None)
        write_numbers(block, zeros, runs.run_size, groups, count, g.shape.zero_type, sum,
                      [&](int group, int f) { return params_at(group, f).zero; });
}

template <Layout layout, typename Block, typename Tile>
MARLIN_HD void write_as(const Block &block, const PackTask &task, const TilePlace &place, const Tile &tile,
                        BodySum &sum) {
    const TileRuns runs(task.geometry, task.body, place);
    std::byte *const positions = runs.first + metadata_offset(task.geometry);
    if constexpr (layout == Layout::Sparse24Draft) {
        write_sparse<Tile::kAlongK>(block, runs.first, positions, sum,
                                    [&](int quad, int f) { return kept_of_quad(tile, quad, f); });
    } else {
        write_codes<layout>(block, tile, runs, sum);
        if constexpr (is_sparse24(layout))
            write_positions<layout>(block, tile, positions, sum);
    }
}

// Everything that the tile of 2:4 weights, or of dense ones, brings to the packed bytes.
template <bool sparse, typename Block, typename Tile, typename ParamsAt>
MARLIN_HD void write_tile(const Block &block, const PackTask &task, const TilePlace &place, const Tile &tile,
                          BodySum &sum, ParamsAt params_at) {
    const bool for_cpu =
        task.geometry.shape.layout == Layout::CpuDraft || task.geometry.shape.layout == Layout::CpuSparse24Draft;
    if (for_cpu)
        write_as<sparse ? Layout::CpuSparse24Draft : Layout::CpuDraft>(block, task, place, tile, sum);
    else
        write_as<sparse ? Layout::Sparse24Draft : Layout::Dense>(block, task, place, tile, sum);
    write_params(block, task, place, params_at, sum);
}

} // namespace marlin::cuda
