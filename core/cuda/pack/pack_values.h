// One tile of a source of values whose scales and zeros are known: rounded and packed.
#pragma once

#include "cuda/pack/value_tile.h"
#include "cuda/pack/write_run.h"

namespace marlin::cuda {

template <bool along_k>
struct PackValuesMemory {
    ValueTile<along_k> values;
    CodeTile<along_k> codes;
};

template <typename Block, bool along_k>
MARLIN_HD void round_tile(const Block &block, const PackTask &task, const TilePlace &place,
                          PackValuesMemory<along_k> &memory) {
    const TileGroups groups = groups_of(task.geometry, place.first_row);
    const Grid grid = task.grid();
    for (int i = block.thread(); i < kQuads * kFeatures; i += Block::kThreads) {
        const int quad = i / kFeatures;
        const int f = i % kFeatures;
        const GroupParams params = memory.codes.params.of[4 * quad >> groups.row_shift][f];
        const CodeGrid code_grid_of_quad = code_grid(params, grid);
        float value[4];
        memory.values.read_quad(quad, f, value);
        int32_t row[4];
        uint32_t codes = 0;
        MARLIN_UNROLL
        for (int p = 0; p < 4; ++p) {
            row[p] = memory.values.source_row[4 * quad + p];
            const uint32_t code = row[p] < 0 || f >= place.features
                                      ? padding_code(params.zero, grid)
                                      : static_cast<uint32_t>(code_of(value[p], code_grid_of_quad));
            codes |= code << (8 * p);
        }
        if (task.geometry.sparse())
            keep_codes(memory.codes, quad, f, codes, keep_of_quad(task, row, value));
        else
            put_quad(memory.codes, quad, f, codes);
    }
}

template <bool along_k, typename Block>
MARLIN_HD void pack_values(const Block &block, const PackTask &task, const TilePlace &place,
                           PackValuesMemory<along_k> &memory) {
    read_values(block, task, place, memory.values);
    load_params(block, task, place, memory.codes.params,
                [&](int64_t group, int64_t n) { return task.params[group * task.geometry.n_packed() + n]; });
    block.sync();
    round_tile(block, task, place, memory);
    block.sync();
    write_tile(block, task, place, memory.codes);
}

} // namespace marlin::cuda
