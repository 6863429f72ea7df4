// Writing a tile of codes and its scales and zeros as the runs of packed bytes.
#pragma once

#include "cuda/pack/body_sum.h"
#include "cuda/pack/code_tile.h"
#include "cuda/pack/field_map.h"
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

template <Layout layout, typename Block, typename Tile>
MARLIN_HD void write_codes(const Block &block, const Tile &tile, const TileRuns<std::byte> &runs, BodySum &sum) {
    constexpr OffsetMap map = codes_in<layout, typename Tile::Shape>(codes_map<layout>());
    constexpr uint32_t flip = code_xor(layout) * 0x11111111u;
    for (int i = block.thread(); i < runs.all_vectors(); i += Block::kThreads) {
        const uint8_t *const codes = tile.code + map.of(i * 32);
        Vector vector;
        MARLIN_UNROLL
        for (int w = 0; w < 4; ++w) {
            uint32_t word = 0; // sums become fused instructions where ors would not
            MARLIN_UNROLL
            for (int j = 0; j < 8; ++j) {
                word += uint32_t{codes[map.of(w * 8 + j)]} * (1u << (4 * j));
            }
            vector.word[w] = word ^ flip;
        }
        sum.store(runs.codes(i), vector);
    }
}

// The positions of both kept codes of a quad stand side by side in some layouts, and apart in others.
template <Layout layout, typename Block, typename Tile>
MARLIN_HD void write_positions(const Block &block, const Tile &tile, std::byte *metadata, BodySum &sum) {
    using Shape = typename Tile::Shape;
    constexpr FieldMap fields = positions_map<layout>();
    constexpr OffsetMap map =
        place(fields, [](int row, int feature) { return Shape::offset(row / 2 * 4, feature); }); // of quads
    constexpr bool kTogether = fields.row[0] == 1;
    for (int i = block.thread(); i < kPositionVectors; i += Block::kThreads) {
        const int first = i * kFieldsPerVector;
        const uint8_t *const quads = tile.code + Shape::offset(kRowOfPositions, 0) + map.of(first);
        const int slot = fields.row_of(first) % 2;
        Vector vector;
        MARLIN_UNROLL
        for (int w = 0; w < 4; ++w) {
            uint32_t word = 0;
            MARLIN_UNROLL
            for (int j = 0; j < 16; j += kTogether ? 2 : 1) {
                const uint32_t both = quads[map.of(w * 16 + j)];
                if constexpr (kTogether)
                    word += both * (1u << (2 * j));
                else
                    word += (both >> (2 * (slot + fields.row_of(w * 16 + j) % 2)) & 3u) << (2 * j);
            }
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
    write_codes<layout>(block, tile, runs, sum);
    if constexpr (is_sparse24(layout))
        write_positions<layout>(block, tile, runs.first + metadata_offset(task.geometry), sum);
}

// Everything that the tile brings to the packed bytes.
template <typename Block, typename Tile, typename ParamsAt>
MARLIN_HD void write_tile(const Block &block, const PackTask &task, const TilePlace &place, const Tile &tile,
                          BodySum &sum, ParamsAt params_at) {
    switch (task.geometry.shape.layout) {
    case Layout::Sparse24Draft:
        write_as<Layout::Sparse24Draft>(block, task, place, tile, sum);
        break;
    case Layout::CpuDraft:
        write_as<Layout::CpuDraft>(block, task, place, tile, sum);
        break;
    case Layout::CpuSparse24Draft:
        write_as<Layout::CpuSparse24Draft>(block, task, place, tile, sum);
        break;
    default:
        write_as<Layout::DenseDraft>(block, task, place, tile, sum);
    }
    write_params(block, task, place, params_at, sum);
}

} // namespace marlin::cuda
