// 2:4 selection among codes whose magnitudes order as |code - zero|: four rows of four features at a time.
#pragma once

#include "cuda/pack/code_tile.h"
#include "cuda/pack/select_lanes.h"
#include "cuda/pack/write_sparse.h"

namespace marlin::cuda {

// Of bytes up to 127.
MARLIN_HD inline uint32_t differences_of_bytes(uint32_t a, uint32_t b) {
#ifdef __CUDA_ARCH__
    return __vabsdiffu4(a, b);
#else
    uint32_t result = 0;
    for (int i = 0; i < 32; i += 8) {
        const uint32_t x = a >> i & 255u;
        const uint32_t y = b >> i & 255u;
        result |= (x > y ? x - y : y - x) << i;
    }
    return result;
#endif
}
// Each byte filled with its highest bit.
MARLIN_HD inline uint32_t sign_masks_of_bytes(uint32_t word) {
#ifdef __CUDA_ARCH__
    uint32_t result;
    asm("prmt.b32 %0, %1, 0, 0xba98;" : "=r"(result) : "r"(word));
    return result;
#else
    return (word >> 7 & 0x01010101u) * 255u;
#endif
}

// What selection must know of the groups and features of a tile.
struct Selection {
    alignas(16) uint8_t zero[kMaxGroups][kFeatures];
    alignas(16) uint8_t mask[kMaxGroups][kFeatures]; // of |code - zero|: nothing where the scale is 0

    MARLIN_HD void put(int g, int f, GroupParams params) {
        zero[g][f] = static_cast<uint8_t>(params.zero);
        mask[g][f] = params.scale == 0.0f ? 0 : 127;
    }
};

// Whether |(code - zero) * scale| has the order of |code - zero|: no product overflows or vanishes.
MARLIN_HD inline bool orders_as_codes(GroupParams params) {
    const float magnitude = params.scale < 0.0f ? -params.scale : params.scale;
    return params.scale == 0.0f || (magnitude > 0x1p-100f && magnitude < 0x1p100f);
}

// code[p]: row p of four features, whose selection starts at `zero` and `mask`. Of rows that are 2:4 already
// those that are not zero stay, whatever their order.
MARLIN_HD inline KeptCodes keep_bytes(const uint32_t (&code)[4], uint32_t zeros, uint32_t masks) {
    uint32_t magnitude[4];
    MARLIN_UNROLL
    for (int p = 0; p < 4; ++p)
        magnitude[p] = differences_of_bytes(code[p], zeros) & masks;
    uint32_t keep[4];
    keep_lanes(magnitude, 0x80808080u, sign_masks_of_bytes, keep);
    return choose_kept(code, keep);
}

// What stays of four rows of features f .. f + 3 of a tile without padding.
template <typename Tile>
MARLIN_HD KeptCodes select_quad(const Tile &tile, const TileGroups &groups, const Selection &selection, int quad,
                                int f) {
    const int g = 4 * quad >> groups.row_shift;
    uint32_t codes[4];
    rows_of_quad(tile, quad, f, codes);
    return keep_bytes(codes, *reinterpret_cast<const uint32_t *>(&selection.zero[g][f]),
                      *reinterpret_cast<const uint32_t *>(&selection.mask[g][f]));
}

// All quads of such a tile, in place.
template <typename Block, typename Tile>
MARLIN_HD void select_by_codes(const Block &block, Tile &tile, const TileGroups &groups, const Selection &selection) {
    constexpr int kFours = kFeatures / 4;
    static_assert(kQuads * kFours % Block::kThreads == 0);
    MARLIN_UNROLL
    for (int i = 0; i < kQuads * kFours / Block::kThreads; ++i) {
        // Lanes along what follows in memory.
        const int item = block.thread() + i * Block::kThreads;
        const int quad = Tile::kAlongK ? item % kQuads : item / kFours;
        const int f = (Tile::kAlongK ? item / kQuads : item % kFours) * 4;
        const KeptCodes kept = select_quad(tile, groups, selection, quad, f);
        const auto word_at = [&](int j) {
            return reinterpret_cast<uint32_t *>(Tile::kAlongK ? &tile.at(4 * quad, f + j) : &tile.at(4 * quad + j, f));
        };
        if constexpr (Tile::kAlongK) {
            uint32_t words[4];
            transpose_bytes({kept.first, kept.second, kept.positions, 0}, words);
            MARLIN_UNROLL
            for (int j = 0; j < 4; ++j)
                *word_at(j) = words[j];
        } else {
            *word_at(0) = kept.first;
            *word_at(1) = kept.second;
            *word_at(kRowOfPositions) = kept.positions;
        }
    }
}

} // namespace marlin::cuda
