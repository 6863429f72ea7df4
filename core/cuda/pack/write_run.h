// Writing a tile of codes and its scales and zeros as the runs of packed bytes.
#pragma once

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

    MARLIN_HD TileRuns(const Geometry &g, Byte *body, const TilePlace &place)
        : first(body + g.run_offset(place.column, place.first_row / g.run_k)), run_size(g.run_size),
          count(place.rows / static_cast<int>(g.run_k)), vectors_of_codes(static_cast<int>(g.codes_size / 16)) {}
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
MARLIN_HD void write_codes(const Block &block, const Tile &tile, const TileRuns<std::byte> &runs) {
    constexpr OffsetMap map = codes_in<layout, typename Tile::Shape>(codes_map<layout>());
    constexpr uint32_t flip = code_xor(layout) * 0x11111111u;
    for (int i = block.thread(); i < runs.all_vectors(); i += Block::kThreads) {
        const uint8_t *const codes = tile.code + map.of(i * 32);
        Vector vector;
        MARLIN_UNROLL
        for (int w = 0; w < 4; ++w) {
            uint32_t word = 0;
            MARLIN_UNROLL
            for (int j = 0; j < 8; ++j) {
                const uint32_t code = codes[map.of(w * 8 + j)];
                word |= (is_sparse24(layout) ? code & 15u : code) << (4 * j);
            }
            vector.word[w] = word ^ flip;
        }
        store_vector(runs.codes(i), vector);
    }
}

template <Layout layout, typename Block, typename Tile>
MARLIN_HD void write_positions(const Block &block, const Tile &tile, std::byte *metadata) {
    constexpr OffsetMap map = codes_in<layout, typename Tile::Shape>(positions_map<layout>());
    for (int i = block.thread(); i < kPositionVectors; i += Block::kThreads) {
        const uint8_t *const codes = tile.code + map.of(i * kFieldsPerVector);
        Vector vector;
        MARLIN_UNROLL
        for (int w = 0; w < 4; ++w) {
            uint32_t word = 0;
            MARLIN_UNROLL
            for (int j = 0; j < 16; ++j)
                word |= (uint32_t{codes[map.of(w * 16 + j)]} >> 4) << (2 * j);
            vector.word[w] = word;
        }
        store_vector(metadata + i * 16, vector);
    }
}

// Numbers of 64 features by the stored type, one vector a step; `number(feature)` gives them.
template <typename Block, typename Number>
MARLIN_HD void write_numbers(const Block &block, std::byte *to, Type type, Number number) {
    const int size = static_cast<int>(size_of(type));
    const int each = 16 / size;
    for (int i = block.thread(); i < kFeatures / each; i += Block::kThreads) {
        Vector vector = {};
        for (int j = 0; j < each; ++j)
            vector.word[j * size / 4] |= stored_bits(number(i * each + j), type) << (j * size % 4 * 8);
        store_vector(to + i * 16, vector);
    }
}

// Scales and zeros of the groups of a tile, in its runs or apart.
template <typename Block>
MARLIN_HD void write_params(const Block &block, const PackTask &task, const TilePlace &place,
                            const TileParams &params) {
    const Geometry &g = task.geometry;
    if (g.groups_in_run == 0 && place.first_row > 0)
        return;
    const TileGroups groups = groups_of(g, place.first_row);
    const int stored = g.groups_in_run == 0 ? 1 : place.rows >> groups.row_shift;
    for (int i = 0; i < stored; ++i) {
        const GroupParams(&of)[kFeatures] = params.of[i];
        write_numbers(block, task.body + g.scale(groups.first + i, place.first_feature), g.shape.scale_type,
                      [&](int f) { return of[f].scale; });
        if (g.shape.zero_type != Type::None)
            write_numbers(block, task.body + g.zero(groups.first + i, place.first_feature), g.shape.zero_type,
                          [&](int f) { return of[f].zero; });
    }
}

template <Layout layout, typename Block, typename Tile>
MARLIN_HD void write_as(const Block &block, const PackTask &task, const TilePlace &place, const Tile &tile) {
    const TileRuns runs(task.geometry, task.body, place);
    write_codes<layout>(block, tile, runs);
    if constexpr (is_sparse24(layout))
        write_positions<layout>(block, tile, runs.first + metadata_offset(task.geometry));
}

// Everything that the tile brings to the packed bytes.
template <typename Block, typename Tile>
MARLIN_HD void write_tile(const Block &block, const PackTask &task, const TilePlace &place, const Tile &tile) {
    switch (task.geometry.shape.layout) {
    case Layout::Sparse24Draft:
        write_as<Layout::Sparse24Draft>(block, task, place, tile);
        break;
    case Layout::CpuDraft:
        write_as<Layout::CpuDraft>(block, task, place, tile);
        break;
    case Layout::CpuSparse24Draft:
        write_as<Layout::CpuSparse24Draft>(block, task, place, tile);
        break;
    default:
        write_as<Layout::DenseDraft>(block, task, place, tile);
    }
    write_params(block, task, place, tile.params);
}

} // namespace marlin::cuda
