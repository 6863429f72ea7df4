// One tile of a source of values whose scales and zeros are known: rounded and packed.
#pragma once

#include "cuda/pack/value_tile.h"
#include "cuda/pack/write_run.h"

namespace marlin::cuda {

template <bool along_k>
struct PackValuesMemory {
    ValueTile<along_k> values;
    CodeTile<along_k> codes;
    alignas(16) Rounder rounder[kMaxGroups][kFeatures];
};

// The codes of a quad, one a byte.
template <Rounder::Way way>
MARLIN_HD uint32_t round_quad(const Rounder &rounder, const float (&value)[4]) {
    uint32_t codes = 0;
    MARLIN_UNROLL
    for (int p = 0; p < 4; ++p)
        codes += rounder.code<way>(value[p]) << (8 * p);
    return codes;
}

// The quads of one feature in one group: `first`, then every `step`-th.
template <Rounder::Way way, bool along_k>
MARLIN_HD void round_quads(const PackTask &task, const TilePlace &place, const Rounder &rounder, int f, int first,
                           int end, int step, PackValuesMemory<along_k> &memory) {
    const bool whole = is_whole(place, task.in_order(), task.k);
    for (int quad = first; quad < end; quad += step) {
        float value[4];
        memory.values.read_quad(quad, f, value);
        uint32_t codes = round_quad<way>(rounder, value);
        if (whole && !task.geometry.sparse()) {
            put_quad(memory.codes, quad, f, codes);
            continue;
        }
        int32_t row[4];
        MARLIN_UNROLL
        for (int p = 0; p < 4; ++p) {
            row[p] = memory.values.source_row[4 * quad + p];
            if (row[p] < 0 || f >= place.features) {
                const uint32_t code = padding_code(rounder.params(task.grid()).zero, task.grid());
                codes = (codes & ~(255u << (8 * p))) | code << (8 * p);
            }
        }
        if (task.geometry.sparse())
            keep_codes(memory.codes, quad, f, codes, keep_of_quad(task, row, value));
        else
            put_quad(memory.codes, quad, f, codes);
    }
}

template <typename Block, bool along_k>
MARLIN_HD void round_tile(const Block &block, const PackTask &task, const TilePlace &place,
                          PackValuesMemory<along_k> &memory) {
    using Way = Rounder::Way;
    constexpr int kQuadsAtOnce = Block::kThreads < kFeatures ? 1 : Block::kThreads / kFeatures;
    const TileGroups groups = groups_of(task.geometry, place.first_row);
    const int quads = (1 << groups.row_shift) / 4;
    for (int f = block.thread() % kFeatures; f < kFeatures; f += Block::kThreads)
        for (int g = 0; g < groups.count; ++g) {
            const Rounder rounder = memory.rounder[g][f];
            const int first = g * quads + block.thread() / kFeatures;
            const int end = (g + 1) * quads;
            if (rounder.divides())
                round_quads<Way::Divide>(task, place, rounder, f, first, end, kQuadsAtOnce, memory);
            else
                round_quads<Way::Multiply>(task, place, rounder, f, first, end, kQuadsAtOnce, memory);
        }
}

template <bool along_k, typename Block>
MARLIN_HD void pack_values(const Block &block, const PackTask &task, const TilePlace &place,
                           PackValuesMemory<along_k> &memory, BodySum &sum) {
    FiniteCheck check; // done before
    read_values(block, task, place, check, memory.values);
    const Grid grid = task.grid();
    for_each_params(
        block, task, place, [&](int64_t group, int64_t n) { return task.params.at(group, n); },
        [&](int g, int f, GroupParams params) { memory.rounder[g][f] = Rounder(params, grid); });
    block.sync();
    round_tile(block, task, place, memory);
    block.sync();
    const auto params_at = [&](int g, int f) { return memory.rounder[g][f].params(grid); };
    task.geometry.sparse() ? write_tile<true>(block, task, place, memory.codes, sum, params_at)
                           : write_tile<false>(block, task, place, memory.codes, sum, params_at);
}

} // namespace marlin::cuda
