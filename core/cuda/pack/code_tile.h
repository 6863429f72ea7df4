// A tile of codes in shared memory: what all sources share between reading and writing it.
#pragma once

#include "cuda/pack/block.h"
#include "cuda/pack/task.h"
#include "cuda/pack/tile.h"
#include "pack/limits.h"
#include "quantize/select24.h"

namespace marlin::cuda {

template <bool along_k>
struct CodeTile {
    using Shape = CodeShape<along_k>;
    static constexpr bool kAlongK = along_k;

    alignas(16) uint8_t code[Shape::kSize];

    MARLIN_HD uint8_t &at(int row, int feature) { return code[Shape::offset(row, feature)]; }
};

// Four rows of the source, read at once.
struct alignas(16) FourRows {
    int32_t row[4];
};

// source_row[r] for all rows of a tile.
template <typename Block>
MARLIN_HD void load_source_rows(const Block &block, const PackTask &task, const TilePlace &place,
                                int32_t (&source_row)[kRows]) {
    for (int r = block.thread(); r < kRows; r += Block::kThreads)
        source_row[r] = r < place.rows ? task.order.source_row(place.first_row + r) : -1;
}

// visit(g, f, params) for the groups and features of a tile, each by one thread. params_at(source group, feature of the
// matrix) has them; groups and features that are padding get 0 and no zero.
template <typename Block, typename ParamsAt, typename Visit>
MARLIN_HD void for_each_params(const Block &block, const PackTask &task, const TilePlace &place, ParamsAt params_at,
                               Visit visit) {
    const TileGroups groups = groups_of(task.geometry, place.first_row);
    MARLIN_UNROLL_BY(2)
    for (int i = block.thread(); i < groups.count * kFeatures; i += Block::kThreads) {
        const int f = i % kFeatures;
        const int64_t group = task.order.source_group(groups.first + i / kFeatures);
        const bool padding = group < 0 || f >= place.features;
        visit(i / kFeatures, f,
              padding ? GroupParams{0.0f, task.no_zero()} : params_at(group, place.first_feature + f));
    }
}

// The two of four values that stay. row < 0: a padding row, which counts as zero.
MARLIN_HD inline KeptPair keep_of_quad(const PackTask &task, const int32_t (&row)[4], const float (&value)[4]) {
    float magnitude[4];
    MARLIN_UNROLL
    for (int p = 0; p < 4; ++p) {
        const float absolute = std::bit_cast<float>(std::bit_cast<uint32_t>(value[p]) & 0x7fffffffu);
        if (row[p] < 0)
            magnitude[p] = 0.0f;
        else if (task.sparsity == Sparsity::Already24)
            magnitude[p] = value[p] != 0.0f ? 1.0f : 0.0f;
        else
            magnitude[p] = absolute * (task.importance == nullptr ? 1.0f : task.importance[row[p]]);
    }
    return keep_two(magnitude[0], magnitude[1], magnitude[2], magnitude[3]);
}

MARLIN_HD inline bool is_24(const int32_t (&row)[4], const float (&value)[4]) {
    int count = 0;
    MARLIN_UNROLL
    for (int p = 0; p < 4; ++p)
        count += row[p] >= 0 && value[p] != 0.0f ? 1 : 0;
    return count <= 2;
}

// Codes of the four rows of a quad, one a byte, the first lowest.
template <typename Tile>
MARLIN_HD uint32_t codes_of_quad(Tile &tile, int quad, int feature) {
    if constexpr (Tile::kAlongK)
        return *reinterpret_cast<const uint32_t *>(&tile.at(4 * quad, feature));
    uint32_t codes = 0;
    MARLIN_UNROLL
    for (int p = 0; p < 4; ++p)
        codes |= uint32_t{tile.at(4 * quad + p, feature)} << (8 * p);
    return codes;
}
template <typename Tile>
MARLIN_HD void put_quad(Tile &tile, int quad, int feature, uint32_t codes) {
    if constexpr (Tile::kAlongK) {
        *reinterpret_cast<uint32_t *>(&tile.at(4 * quad, feature)) = codes;
    } else {
        MARLIN_UNROLL
        for (int p = 0; p < 4; ++p)
            tile.at(4 * quad + p, feature) = static_cast<uint8_t>(codes >> (8 * p));
    }
}

// Compresses one quad in place.
template <typename Tile>
MARLIN_HD void keep_codes(Tile &tile, int quad, int feature, uint32_t codes, KeptPair kept) {
    tile.at(4 * quad, feature) = static_cast<uint8_t>(codes >> (8 * kept.first) & 15u);
    tile.at(4 * quad + 1, feature) = static_cast<uint8_t>(codes >> (8 * kept.second) & 15u);
    tile.at(4 * quad + kRowOfPositions, feature) = static_cast<uint8_t>(kept.first + 4 * kept.second);
}

} // namespace marlin::cuda
