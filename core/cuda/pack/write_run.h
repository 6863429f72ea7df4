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
MARLIN_HD void write_codes(const Block &block, const Tile &tile, const TileRuns<std::byte> &runs) {
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
                const uint32_t code = codes[map.of(w * 8 + j)];
                word += (is_sparse24(layout) ? code & 15u : code) * (1u << (4 * j));
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
                word += (uint32_t{codes[map.of(w * 16 + j)]} >> 4) * (1u << (2 * j));
            vector.word[w] = word;
        }
        store_vector(metadata + i * 16, vector);
    }
}

MARLIN_HD inline void store_number(std::byte *at, float number, Type type) {
    const uint32_t bits = stored_bits(number, type);
    if (type == Type::F32)
        *reinterpret_cast<uint32_t *>(at) = bits;
    else if (type == Type::U8)
        *at = static_cast<std::byte>(bits);
    else
        *reinterpret_cast<uint16_t *>(at) = static_cast<uint16_t>(bits);
}

// Scales and zeros of the groups of a tile, in its runs or apart. params_at(group of the tile, feature) has them.
template <typename Block, typename ParamsAt>
MARLIN_HD void write_params(const Block &block, const PackTask &task, const TilePlace &place, ParamsAt params_at) {
    const Geometry &g = task.geometry;
    const bool apart = g.groups_in_run == 0;
    if (apart && place.first_row > 0)
        return;
    const TileRuns runs(g, task.body, place);
    const int groups_in_run = static_cast<int>(g.groups_in_run);
    const int scale_size = static_cast<int>(size_of(g.shape.scale_type));
    const int zero_size = static_cast<int>(size_of(g.shape.zero_type));
    for (int i = block.thread(); i < (apart ? 1 : runs.count * groups_in_run) * kFeatures; i += Block::kThreads) {
        const int f = i % kFeatures;
        const GroupParams of = params_at(i / kFeatures, f);
        std::byte *scales = task.body + g.scales_apart;
        std::byte *zeros = task.body + g.zeros_apart;
        int64_t index = place.first_feature + f;
        if (!apart) {
            const int run = i / kFeatures >= groups_in_run ? 1 : 0;
            scales = runs.first + run * runs.run_size + g.codes_size;
            zeros = scales + g.scales_size;
            index = i - run * groups_in_run * kFeatures;
        }
        store_number(scales + index * scale_size, of.scale, g.shape.scale_type);
        if (zero_size != 0)
            store_number(zeros + index * zero_size, of.zero, g.shape.zero_type);
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
template <typename Block, typename Tile, typename ParamsAt>
MARLIN_HD void write_tile(const Block &block, const PackTask &task, const TilePlace &place, const Tile &tile,
                          ParamsAt params_at) {
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
    write_params(block, task, place, params_at);
}

} // namespace marlin::cuda
