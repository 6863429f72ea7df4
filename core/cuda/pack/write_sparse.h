// Writing the codes and positions of a tile in the 2:4 layout for NVIDIA GPUs, chosen on the way.
#pragma once

#include "cuda/pack/body_sum.h"
#include "cuda/pack/code_tile.h"
#include "cuda/pack/lanes.h"
#include "cuda/pack/select_lanes.h"
#include "layout/element.h"

namespace marlin::cuda {

// Low nibbles of four bytes, then their high ones.
MARLIN_HD inline uint32_t nibbles_apart(uint32_t bytes) {
    const uint32_t low = bytes & 0x0f0f0f0fu;
    const uint32_t high = bytes >> 4 & 0x0f0f0f0fu;
    return permute_bytes(low | low >> 4, high | high >> 4, 0x6420);
}

// The codes of four rows and four features, one a byte: a word for each row.
template <typename Tile>
MARLIN_HD void rows_of_quad(const Tile &tile, int quad, int f, uint32_t (&rows)[4]) {
    const uint8_t *const at = tile.code + Tile::Shape::offset(4 * quad, f);
    MARLIN_UNROLL
    for (int j = 0; j < 4; ++j)
        rows[j] = *reinterpret_cast<const uint32_t *>(
            at + j * (Tile::kAlongK ? Tile::Shape::kFeatureStride : Tile::Shape::kRowStride));
    if constexpr (Tile::kAlongK)
        transpose_bytes({rows[0], rows[1], rows[2], rows[3]}, rows);
}
// What a tile has that is compressed in place.
template <typename Tile>
MARLIN_HD KeptCodes kept_of_quad(const Tile &tile, int quad, int f) {
    uint32_t rows[4];
    rows_of_quad(tile, quad, f, rows);
    return {rows[0], rows[1], rows[kRowOfPositions]};
}

// Of a tile's 128 parts of that layout, one for a lane: rows 32 step + 4 j and on and those 16 further, of features f
// .. f + 3 and f + 8 .. f + 11.
struct SparsePart {
    int j;
    int step;
    int half; // f is strip * 16 + half * 4
    int strip;

    static constexpr int kCount = kRows * kFeatures / 64;
    static constexpr int kNextStep = 4; // lanes

    // What differs in a warp is on different banks.
    template <bool along_k>
    MARLIN_HD static SparsePart of(int number) {
        const int j = number % 4;
        const int step = number / kNextStep % 4;
        return along_k ? SparsePart{j, step, number / 32 % 2, number / 64 + number / 16 % 2 * 2}
                       : SparsePart{j, step, number / 16 % 2, number / 32};
    }
};

// keep(quad, f) has what stays of four rows of features f .. f + 3.
template <bool along_k, typename Block, typename Keep>
MARLIN_HD void write_sparse(const Block &block, std::byte *codes_to, std::byte *positions_to, BodySum &sum, Keep keep) {
    constexpr int kMine = kLanesOfThread<Block>;
    constexpr int kNextStep = SparsePart::kNextStep;
    for (int item = block.thread() * kMine; item < SparsePart::kCount; item += Block::kThreads * kMine) {
        // One word of each of four vectors of codes; then of one all four.
        uint32_t codes[kMine][4];
        uint32_t positions[2][kMine];
        MARLIN_UNROLL
        for (int m = 0; m < kMine; ++m) {
            const SparsePart part = SparsePart::of<along_k>(item + m);
            const int f = part.strip * 16 + part.half * 4;
            uint32_t first[2];
            uint32_t second[2];
            MARLIN_UNROLL
            for (int far = 0; far < 2; ++far) {
                const int quad = 8 * part.step + 4 * far + part.j;
                const KeptCodes low = keep(quad, f);
                const KeptCodes high = keep(quad, f + 8);
                first[far] = low.first + high.first * 16;
                second[far] = low.second + high.second * 16;
                positions[far][m] = low.positions + high.positions * 16;
            }
            transpose_bytes({first[0], first[1], second[0], second[1]}, codes[m]);
        }
        transpose_words_of_lanes<kNextStep, 2 * kNextStep>(codes, item);
        // Of feature j, this step and the next or the one before.
        uint32_t other[kMine];
        MARLIN_UNROLL
        for (int far = 0; far < 2; ++far) {
            transpose_bytes_of_lanes(positions[far]);
            MARLIN_UNROLL
            for (int m = 0; m < kMine; ++m)
                positions[far][m] = nibbles_apart(positions[far][m]);
        }
        MARLIN_UNROLL
        for (int m = 0; m < kMine; ++m)
            other[m] = ((item + m) & kNextStep) != 0 ? positions[0][m] : positions[1][m];
        swap_lanes(other, kNextStep);
        MARLIN_UNROLL
        for (int m = 0; m < kMine; ++m) {
            const SparsePart part = SparsePart::of<along_k>(item + m);
            const int f = 4 * part.half + part.step;
            sum.store(codes_to + part.strip * 512 + (4 * f + part.j) * 16,
                      Vector{{codes[m][0], codes[m][1], codes[m][2], codes[m][3]}});
            const int far = part.step % 2;
            const uint32_t low = far == 0 ? positions[0][m] : other[m];
            const uint32_t high = far == 0 ? other[m] : positions[1][m];
            sum.store(positions_to + (16 * part.strip + 2 * (4 * part.half + part.j) + far) * 16 + part.step / 2 * 8,
                      low | uint64_t{high} << 32);
        }
    }
}
static_assert(code_at(Layout::Sparse24Draft, 16 + 2 + 1, 16 + 3).byte == 512 + (4 * 3 + 1) * 16 + 4 + 2 &&
              code_at(Layout::Sparse24Draft, 8, 8).byte == 1 && code_at(Layout::Sparse24Draft, 8, 8).shift == 4);
static_assert(metadata_at(Layout::Sparse24Draft, 8 + 4 + 1, 0, 16 + 3).byte == (16 + 2 * 3 + 1) * 16 + 4 &&
              metadata_at(Layout::Sparse24Draft, 1, 1, 8).byte == 2 &&
              metadata_at(Layout::Sparse24Draft, 1, 1, 8).shift == 6);

} // namespace marlin::cuda
