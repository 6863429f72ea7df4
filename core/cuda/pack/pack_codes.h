// One tile of a source of codes: checked, or packed.
#pragma once

#include "cuda/pack/read_codes.h"
#include "cuda/pack/write_run.h"

namespace marlin::cuda {

struct Quad {
    int32_t row[4]; // source rows
    uint32_t codes; // one a byte
    float value[4];
};

template <bool along_k>
MARLIN_HD Quad read_quad(const PackTask &task, const TilePlace &place, CodeTile<along_k> &tile, int quad, int feature) {
    const TileGroups groups = groups_of(task.geometry, place.first_row);
    const GroupParams params = tile.params.of[4 * quad >> groups.row_shift][feature];
    Quad result;
    result.codes = codes_of_quad(tile, quad, feature);
    MARLIN_UNROLL
    for (int p = 0; p < 4; ++p) {
        result.row[p] = tile.source_row[4 * quad + p];
        const bool padding = result.row[p] < 0 || feature >= place.features;
        result.value[p] =
            padding ? 0.0f : source_value(result.codes >> (8 * p) & 255u, params.scale, params.zero, task.offsets);
    }
    return result;
}

// Codes and, where the source claims it, the 2:4 pattern. Scales and zeros are another kernel's.
template <typename Block, bool along_k>
MARLIN_HD bool is_good(const Block &block, const PackTask &task, const TilePlace &place, CodeTile<along_k> &tile) {
    bool good = true;
    for (int i = block.thread(); i < kQuads * kFeatures; i += Block::kThreads) {
        if (task.sparsity != Sparsity::Already24) {
            good = good && (codes_of_quad(tile, i / kFeatures, i % kFeatures) & 0xf0f0f0f0u) == 0;
            continue;
        }
        const Quad quad = read_quad(task, place, tile, i / kFeatures, i % kFeatures);
        good = good && (quad.codes & 0xf0f0f0f0u) == 0 && is_24(quad.row, quad.value);
    }
    return good;
}

template <typename Block, bool along_k>
MARLIN_HD void select_codes(const Block &block, const PackTask &task, const TilePlace &place, CodeTile<along_k> &tile) {
    for (int i = block.thread(); i < kQuads * kFeatures; i += Block::kThreads) {
        const Quad quad = read_quad(task, place, tile, i / kFeatures, i % kFeatures);
        keep_codes(tile, i / kFeatures, i % kFeatures, quad.codes, keep_of_quad(task, quad.row, quad.value));
    }
}

enum class PackStep { Check, Write };

template <typename Reader, typename Block>
MARLIN_HD void pack_codes(const Block &block, const PackTask &task, PackStep step, const TilePlace &place,
                          CodeTile<Reader::kAlongK> &tile) {
    Reader::read(block, task, place, tile);
    load_source_rows(block, task, place, tile);
    load_params(block, task, place, tile.params, [&](int64_t group, int64_t n) {
        return GroupParams{task.values.scale(group, n), task.values.zero(group, n)};
    });
    block.sync();
    pad_codes(block, task, place, tile);
    block.sync();
    if (step == PackStep::Check) {
        if (!is_good(block, task, place, tile))
            lower_to(task.failed_column, place.column);
        return;
    }
    if (task.geometry.sparse()) {
        select_codes(block, task, place, tile);
        block.sync();
    }
    write_tile(block, task, place, tile);
}

// Scales and zeros of a source of codes, in the order in which scales stand there.
MARLIN_HD inline void check_group_values(const PackTask &task, int64_t groups, int64_t first, int64_t step) {
    const PackedShape &shape = task.geometry.shape;
    const bool n_first = task.values.n_first();
    for (int64_t i = first; i < groups * task.n; i += step) {
        const int64_t group = n_first ? i % groups : i / task.n;
        const int64_t n = n_first ? i / groups : i % task.n;
        if (!is_storable(task.values.scale(group, n), shape.scale_type) ||
            !is_storable_zero(task.values.zero(group, n), task.offsets, shape.zero_type))
            lower_to(task.failed_column, n / kFeatures);
    }
}

} // namespace marlin::cuda
