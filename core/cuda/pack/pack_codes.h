// One tile of a source of codes: checked, or packed.
#pragma once

#include "cuda/pack/read_codes.h"
#include "cuda/pack/select_codes.h"
#include "cuda/pack/write_run.h"

namespace marlin::cuda {

template <bool along_k>
struct PackCodesMemory {
    CodeTile<along_k> tile;
    alignas(16) int32_t source_row[kRows];
    alignas(16) GroupParams params[kMaxGroups][kFeatures];
    Selection selection;
};

// The codes of padding rows and features.
template <typename Block, bool along_k>
MARLIN_HD void pad_codes(const Block &block, const PackTask &task, const TilePlace &place,
                         PackCodesMemory<along_k> &memory) {
    const TileGroups groups = groups_of(task.geometry, place.first_row);
    const Grid grid = task.grid();
    MARLIN_NO_UNROLL
    for (int r = block.thread(); r < kRows; r += Block::kThreads)
        MARLIN_NO_UNROLL
    for (int f = memory.source_row[r] < 0 ? 0 : place.features; f < kFeatures; ++f)
        memory.tile.at(r, f) = padding_code(memory.params[r >> groups.row_shift][f].zero, grid);
}

struct Quad {
    int32_t row[4]; // source rows
    uint32_t codes; // one a byte
    float value[4];
};

template <bool along_k>
MARLIN_HD Quad read_quad(const PackTask &task, const TilePlace &place, PackCodesMemory<along_k> &memory, int quad,
                         int feature) {
    const TileGroups groups = groups_of(task.geometry, place.first_row);
    const GroupParams params = memory.params[4 * quad >> groups.row_shift][feature];
    Quad result;
    result.codes = codes_of_quad(memory.tile, quad, feature);
    MARLIN_UNROLL
    for (int p = 0; p < 4; ++p) {
        result.row[p] = memory.source_row[4 * quad + p];
        const bool padding = result.row[p] < 0 || feature >= place.features;
        result.value[p] =
            padding ? 0.0f
                    : source_value(float_of(result.codes >> (8 * p) & 255u), params.scale, params.zero, task.offsets);
    }
    return result;
}

// Codes, and the 2:4 pattern that the source claims. Scales and zeros are another kernel's.
template <typename Block, bool along_k>
MARLIN_HD bool is_good(const Block &block, const PackTask &task, const TilePlace &place,
                       PackCodesMemory<along_k> &memory) {
    bool good = true;
    MARLIN_NO_UNROLL
    for (int i = block.thread(); i < kQuads * kFeatures; i += Block::kThreads) {
        const Quad quad = read_quad(task, place, memory, i / kFeatures, i % kFeatures);
        good &= (quad.codes & 0xf0f0f0f0u) == 0 && is_24(quad.row, quad.value);
    }
    return good;
}

// Whether select_quad() gives what keep_of_quad() would; everybody is here. `ordered`: what this thread has put into
// memory.params is.
template <typename Block, bool along_k>
MARLIN_HD bool are_ordered(const Block &block, const PackTask &task, const TilePlace &place,
                           const PackCodesMemory<along_k> &memory, bool ordered) {
    ordered = ordered && !task.offsets && task.importance == nullptr && place.features == kFeatures;
    for (int r = block.thread(); r < kRows; r += Block::kThreads)
        ordered = ordered && memory.source_row[r] >= 0;
    return !block.any(!ordered);
}

// 2:4 codes, positions, scales and zeros of a tile.
template <typename Block, bool along_k>
MARLIN_HD void write_selected(const Block &block, const PackTask &task, const TilePlace &place,
                              PackCodesMemory<along_k> &memory, bool all_ordered, BodySum &sum) {
    const TileGroups groups = groups_of(task.geometry, place.first_row);
    const auto params_at = [&](int g, int f) { return memory.params[g][f]; };
    if (all_ordered && task.geometry.shape.layout == Layout::Sparse24Draft) {
        const TileRuns runs(task.geometry, task.body, place);
        std::byte *const positions = runs.first + metadata_offset(task.geometry);
        write_sparse<along_k>(block, runs.first, positions, sum, [&](int quad, int f) {
            return select_quad(memory.tile, groups, memory.selection, quad, f);
        });
        return write_params(block, task, place, params_at, sum);
    }
    if (all_ordered) {
        select_by_codes(block, memory.tile, groups, memory.selection);
    } else {
        MARLIN_NO_UNROLL
        for (int i = block.thread(); i < kQuads * kFeatures; i += Block::kThreads) {
            const Quad quad = read_quad(task, place, memory, i / kFeatures, i % kFeatures);
            keep_codes(memory.tile, i / kFeatures, i % kFeatures, quad.codes, keep_of_quad(task, quad.row, quad.value));
        }
    }
    block.sync();
    write_tile<true>(block, task, place, memory.tile, sum, params_at);
}

enum class PackStep { Check, Write };

template <typename Reader, bool sparse, typename Block>
MARLIN_HD void pack_codes(const Block &block, const PackTask &task, PackStep step, const TilePlace &place,
                          PackCodesMemory<Reader::kAlongK> &memory, BodySum &sum) {
    if (step == PackStep::Check && task.sparsity != Sparsity::Already24) {
        if (!Reader::holds_codes(block, task, place))
            lower_to(task.failed_column, static_cast<uint64_t>(place.column));
        return;
    }
    bool ordered = true; // as selection may want them
    Reader::read(block, task, place, memory.tile, [&] {
        load_source_rows(block, task, place, memory.source_row);
        for_each_params(
            block, task, place,
            [&](int64_t group, int64_t n) {
                return GroupParams{task.values.scale(group, n), task.values.zero(group, n)};
            },
            [&](int g, int f, GroupParams params) {
                memory.params[g][f] = params;
                if (sparse && !task.offsets) {
                    ordered = ordered && orders_as_codes(params);
                    memory.selection.put(g, f, params);
                }
            });
    });
    bool all_ordered = false;
    if constexpr (sparse)
        all_ordered = are_ordered(block, task, place, memory, ordered);
    else
        block.sync();
    if (!is_whole(place, task.in_order(), task.k)) {
        pad_codes(block, task, place, memory);
        block.sync();
    }
    if (step == PackStep::Check) {
        if (!is_good(block, task, place, memory))
            lower_to(task.failed_column, static_cast<uint64_t>(place.column));
        return;
    }
    if constexpr (sparse)
        write_selected(block, task, place, memory, all_ordered, sum);
    else
        write_tile<false>(block, task, place, memory.tile, sum, [&](int g, int f) { return memory.params[g][f]; });
}

// Scale and zero of one group of one column of the matrix.
MARLIN_HD inline void check_group_value(const PackTask &task, int64_t group, int64_t n) {
    const PackedShape &shape = task.geometry.shape;
    if (!is_storable(task.values.scale(group, n), shape.scale_type) ||
        !is_storable_zero(task.values.zero(group, n), task.offsets, shape.zero_type))
        lower_to(task.failed_column, static_cast<uint64_t>(n / kFeatures));
}

} // namespace marlin::cuda
