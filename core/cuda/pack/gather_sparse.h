// 2:4 selection among gathered codes: four features of a strip at a time, whose rows stand in words of staged bytes.
#pragma once

#include "cuda/pack/gather_codes.h"
#include "cuda/pack/select_codes.h"
#include "cuda/pack/write_sparse.h"

namespace marlin::cuda {

// What selection must know of a feature of the strip in one group, a byte: the zero, and 128 where the scale is 0. The
// sixteen features of a group follow each other, the first ones of all pairs before the second ones.
class StripZeros {
public:
    MARLIN_HD explicit StripZeros(std::byte *memory) : memory_(reinterpret_cast<uint8_t *>(memory)) {}

    static int64_t size(const Geometry &g) { return g.groups() * kStripFeatures; }

    MARLIN_HD void put(int64_t group, int f, GroupParams params) const {
        memory_[group * kStripFeatures + f] =
            static_cast<uint8_t>((static_cast<uint32_t>(params.zero) & 31u) | (params.scale == 0.0f ? 128u : 0u));
    }
    // Of features f .. f + 3.
    MARLIN_HD uint32_t four(int64_t group, int f) const {
        return *reinterpret_cast<const uint32_t *>(memory_ + group * kStripFeatures + f);
    }

private:
    uint8_t *memory_;
};

// Returns whether codes have the order of magnitudes, as far as this thread saw.
template <Staged kind, typename Block>
MARLIN_HD bool stage_zeros(const Block &block, const PackTask &task, int64_t column, int strip,
                           const StripZeros &zeros) {
    bool ordered = !task.offsets && task.importance == nullptr;
    const auto items = static_cast<int>(task.geometry.groups()) * kStripFeatures;
    for (int i = block.thread(); i < items; i += Block::kThreads) {
        const int64_t group = task.order.source_group(i / kStripFeatures);
        const int f = i % kStripFeatures;
        const int64_t n = column * kFeatures + StripPairs<kind>::feature(strip, f / 4 % 2, f % 4) + f / 8 * 8;
        GroupParams params = {0.0f, 0.0f};
        if (group >= 0 && !task.offsets)
            params = {task.values.scale(group, n), task.values.zero(group, n)};
        ordered = ordered && orders_as_codes(params);
        zeros.put(i / kStripFeatures, f, params);
    }
    return ordered;
}

// A quad of four features of a strip, feature `n` of the matrix and others.
struct StripQuad {
    FourRows from;
    int64_t packed_group;
    int64_t n;
};

// Any quad.
template <Staged kind>
MARLIN_HD KeptCodes keep_by_values(const PackTask &task, const StripQuad &quad, const uint32_t (&codes)[4]) {
    const int64_t group = task.order.source_group(quad.packed_group);
    KeptCodes result = {};
    MARLIN_NO_UNROLL
    for (int f = 0; f < 4; ++f) {
        GroupParams params = {0.0f, task.no_zero()};
        if (group >= 0)
            params = {task.values.scale(group, quad.n + f * StripPairs<kind>::kStep),
                      task.values.zero(group, quad.n + f * StripPairs<kind>::kStep)};
        uint32_t code[4];
        float value[4];
        MARLIN_UNROLL
        for (int p = 0; p < 4; ++p) {
            const bool padding = quad.from.row[p] < 0;
            code[p] = padding ? padding_code(params.zero, task.grid()) : codes[p] >> (8 * f) & 15u;
            value[p] = padding ? 0.0f : source_value(float_of(code[p]), params.scale, params.zero, task.offsets);
        }
        const KeptPair kept = keep_of_quad(task, quad.from.row, value);
        const uint32_t all = code[0] | code[1] << 8 | code[2] << 16 | code[3] << 24;
        result.first |= (all >> (8 * kept.first) & 15u) << (8 * f);
        result.second |= (all >> (8 * kept.second) & 15u) << (8 * f);
        result.positions |= (kept.first + 4u * kept.second) << (8 * f);
    }
    return result;
}

// The same of codes that order as magnitudes, of rows that are all there. `zeros`: four of StripZeros.
MARLIN_HD inline KeptCodes keep_by_codes(const uint32_t (&codes)[4], uint32_t zeros) {
    return keep_bytes(codes, zeros & 0x1f1f1f1fu, ~sign_masks_of_bytes(zeros) & 0x7f7f7f7fu);
}

inline constexpr int kSparsePlaces = 4; // that share the vectors of positions

// What a strip of a column is packed with.
struct SparseStrip {
    StagedRows rows;
    StripZeros zeros;
    int64_t column;
    int strip;
    bool ordered; // by codes
};

// Codes and positions of places `item` and on of a strip, as many as `mine`. A place has quads j, j + 4, ... of 128
// rows of features f .. f + 3 and f + 8 .. f + 11; neighbours differ in j, and four of them belong to neighbouring
// lanes, or to one thread.
template <Staged kind, bool by_values, int mine>
MARLIN_HD void gather_sparse_places(const PackTask &task, const SparseStrip &from, int item, BodySum &sum) {
    constexpr int kSteps = 4;
    [[maybe_unused]] constexpr int kUnrolled = by_values ? 1 : 4; // rare, so small
    const Geometry &g = task.geometry;
    const int group_shift = groups_of(g, 0).row_shift;
    using Pairs = StripPairs<kind>;
    const int half = item / kSparsePlaces % 2;
    const int64_t n = from.column * kFeatures + Pairs::feature(from.strip, half, 0);
    const int tile = item / kSparsePlaces / 2;
    std::byte *const run = task.body + g.run_offset(from.column, tile);
    uint32_t positions[kSteps][2][mine];
    MARLIN_UNROLL_BY(kUnrolled)
    for (int place = 0; place < mine; ++place) {
        const int j = item % kSparsePlaces + place;
        Vector vectors[4];
        MARLIN_UNROLL_BY(kUnrolled)
        for (int step = 0; step < kSteps; ++step) {
            const int group = (tile * kRows + 32 * step) >> group_shift;
            uint32_t first[2];
            uint32_t second[2];
            MARLIN_UNROLL_BY(kUnrolled)
            for (int far = 0; far < 2; ++far) {
                const int row = tile * kRows + 32 * step + 16 * far + 4 * j;
                const FourRows quad = *reinterpret_cast<const FourRows *>(task.order.perm + row);
                uint32_t low[4];
                uint32_t high[4];
                MARLIN_UNROLL
                for (int p = 0; p < 4; ++p) {
                    const int some_row = by_values && quad.row[p] < 0 ? 0 : quad.row[p];
                    const uint32_t codes = from.rows.at(some_row)[half];
                    low[p] = codes & 0x0f0f0f0fu;
                    high[p] = codes >> 4 & 0x0f0f0f0fu;
                }
                KeptCodes kept_low;
                KeptCodes kept_high;
                if constexpr (by_values) {
                    kept_low = keep_by_values<kind>(task, {quad, group, n}, low);
                    kept_high = keep_by_values<kind>(task, {quad, group, n + 8}, high);
                } else {
                    kept_low = keep_by_codes(low, from.zeros.four(group, 4 * half));
                    kept_high = keep_by_codes(high, from.zeros.four(group, 4 * half + 8));
                }
                first[far] = kept_low.first | kept_high.first << 4;
                second[far] = kept_low.second | kept_high.second << 4;
                positions[step][far][place] = kept_low.positions | kept_high.positions << 4;
            }
            uint32_t words[4];
            transpose_bytes({first[0], first[1], second[0], second[1]}, words);
            MARLIN_UNROLL
            for (int f = 0; f < 4; ++f)
                vectors[f].word[step] = words[f];
        }
        MARLIN_UNROLL
        for (int f = 0; f < 4; ++f)
            sum.store(run + vector_of_pair(Pairs::feature(from.strip, half, f)) + j * 16, vectors[f]);
    }
    MARLIN_UNROLL
    for (int step = 0; step < kSteps; ++step) {
        MARLIN_UNROLL
        for (int far = 0; far < 2; ++far)
            transpose_bytes_of_lanes(positions[step][far]);
    }
    MARLIN_UNROLL
    for (int place = 0; place < mine; ++place) {
        const int f = Pairs::feature(from.strip, half, item % kSparsePlaces + place);
        MARLIN_UNROLL
        for (int far = 0; far < 2; ++far) {
            Vector vector;
            MARLIN_UNROLL
            for (int step = 0; step < kSteps; ++step)
                vector.word[step] = nibbles_apart(positions[step][far][place]);
            sum.store(run + metadata_offset(g) + vector_of_pair(f) / 2 + far * 16, vector);
        }
    }
}

// Codes and positions of one strip of a column, all packed rows. Rows and zeros are staged, and everybody has seen it.
template <Staged kind, typename Block>
MARLIN_HD void gather_sparse_strip(const Block &block, const PackTask &task, const SparseStrip &from, BodySum &sum) {
    constexpr int kMine = Block::kThreads < kSparsePlaces ? kSparsePlaces : 1;
    constexpr int kPlacesOfTile = 2 * kSparsePlaces;
    const auto tiles = static_cast<int>(task.geometry.shape.k_packed / kRows);
    const auto whole_tiles = static_cast<int>(task.first_padding / kRows);
    for (int item = block.thread() * kMine; item < tiles * kPlacesOfTile; item += Block::kThreads * kMine) {
        if (from.ordered && item / kPlacesOfTile < whole_tiles)
            gather_sparse_places<kind, false, kMine>(task, from, item, sum);
        else
            gather_sparse_places<kind, true, kMine>(task, from, item, sum);
    }
}

// Shared memory of a strip.
template <bool sparse>
struct StripMemory {
    StagedRows rows;
    StripZeros zeros;

    MARLIN_HD StripMemory(std::byte *memory, const PackTask &task, int gap_shift)
        : rows(memory, gap_shift), zeros(memory + StagedRows::size(task.k, gap_shift)) {}
    static int64_t size(const PackTask &task, int gap_shift) {
        return StagedRows::size(task.k, gap_shift) + (sparse ? StripZeros::size(task.geometry) : 0);
    }
};

// One strip from the source to the packed bytes.
template <Staged kind, bool sparse, typename Block>
MARLIN_HD void pack_strip(const Block &block, const PackTask &task, int64_t column, int strip,
                          const StripMemory<sparse> &memory, BodySum &sum) {
    write_column_params<kStrips>(task, column, strip, block.thread(), Block::kThreads, sum);
    if constexpr (sparse) {
        const bool ordered = stage_zeros<kind>(block, task, column, strip, memory.zeros);
        stage_strip<kind>(block, task, column, strip, memory.rows);
        const bool all_ordered = !block.any(!ordered);
        gather_sparse_strip<kind>(block, task, {memory.rows, memory.zeros, column, strip, all_ordered}, sum);
    } else {
        stage_strip<kind>(block, task, column, strip, memory.rows);
        block.sync();
        gather_strip<kind>(block, task, column, strip, memory.rows, sum);
    }
}

} // namespace marlin::cuda
