// Scales and zeros of a source of values, group by group: the check of the values, their range, the search.
#pragma once

#include "cuda/pack/ranges.h"
#include "cuda/pack/value_tile.h"

namespace marlin::cuda {

// Rows of a group are cut into as many parts, candidates of the search into as many sets, so that 64 features keep
// kParts x 64 threads busy.
inline constexpr int kParts = 4;
inline constexpr int kCandidatesOfPart = kScaleCandidates / kParts;

// The best of a set of candidates. What compares with nothing never wins, as in a search one by one.
struct Best {
    float error;
    GroupParams params;

    MARLIN_HD constexpr void add(const Best &later) {
        if (later.error < error)
            *this = later;
    }
};

template <bool along_k>
struct FitMemory {
    ValueTile<along_k> tile; // what takes no part is NaN: padding, and what 2:4 does not keep
    Range range[kMaxGroups][kFeatures];
    union {
        Range part_range[kMaxGroups][kParts][kFeatures];
        Best best[kParts][kFeatures];
    };
};

inline constexpr float kNoPart = std::bit_cast<float>(0x7fc00000u);

template <typename Block, bool along_k>
MARLIN_HD void drop_padding(const Block &block, ValueTile<along_k> &tile) {
    for (int i = block.thread(); i < kRows * kFeatures; i += Block::kThreads)
        if (tile.source_row[i / kFeatures] < 0)
            tile.at(i / kFeatures, i % kFeatures) = kNoPart;
}

// Returns whether the rows follow the pattern where they should.
template <typename Block, bool along_k>
MARLIN_HD bool drop_unkept(const Block &block, const PackTask &task, ValueTile<along_k> &tile) {
    bool good = true;
    for (int i = block.thread(); i < kQuads * kFeatures; i += Block::kThreads) {
        const int quad = i / kFeatures;
        const int f = i % kFeatures;
        int32_t row[4];
        float value[4];
        tile.read_quad(quad, f, value);
        MARLIN_UNROLL
        for (int p = 0; p < 4; ++p)
            row[p] = tile.source_row[4 * quad + p];
        good &= task.sparsity != Sparsity::Already24 || is_24(row, value);
        const KeptPair kept = keep_of_quad(task, row, value);
        MARLIN_UNROLL
        for (int p = 0; p < 4; ++p)
            if (row[p] < 0 || (p != kept.first && p != kept.second))
                tile.at(4 * quad + p, f) = kNoPart;
    }
    return good;
}

// Brings rows from `first` on into the tile. Everybody must be done with what was there. Returns whether all that this
// thread saw can be packed.
template <typename Block, bool along_k>
MARLIN_HD bool load_rows(const Block &block, const PackTask &task, const FitPlace &fit, int64_t first,
                         ValueTile<along_k> &tile) {
    TilePlace place = place_of(task.geometry, fit.column, first);
    if (fit.rows.end - first < place.rows)
        place.rows = static_cast<int>(fit.rows.end - first);
    FiniteCheck check;
    read_values(block, task, place, check, tile);
    bool good = check.good();
    block.sync();
    if (task.geometry.sparse())
        good &= drop_unkept(block, task, tile);
    else if (place.rows < kRows || !is_whole(place, task.in_order(), task.k))
        drop_padding(block, tile);
    else
        return good;
    block.sync();
    return good;
}

// Adds the rows of the tile to the range of each of its groups.
template <typename Block, bool along_k>
MARLIN_HD void add_ranges(const Block &block, const TileGroups &groups, FitMemory<along_k> &memory) {
    const int quads_of_part = (1 << groups.row_shift) / 4 / kParts;
    for (int i = block.thread(); i < groups.count * kParts * kFeatures; i += Block::kThreads) {
        const int f = i % kFeatures;
        const int part = i / kFeatures % kParts;
        const int g = i / kFeatures / kParts;
        const int first = (g * kParts + part) * quads_of_part;
        Range range = Range::none();
        for (int quad = first; quad < first + quads_of_part; ++quad) {
            float value[4];
            memory.tile.read_quad(quad, f, value);
            MARLIN_UNROLL
            for (int p = 0; p < 4; ++p)
                range.add(value[p], value[p]);
        }
        memory.part_range[g][part][f] = range;
    }
    block.sync();
    for (int i = block.thread(); i < groups.count * kFeatures; i += Block::kThreads)
        for (int part = 0; part < kParts; ++part) {
            const Range range = memory.part_range[i / kFeatures][part][i % kFeatures];
            memory.range[i / kFeatures][i % kFeatures].add(range.low, range.high);
        }
    block.sync();
}

// One thread's set of candidates for one feature.
struct Search {
    Rounder rounder[kCandidatesOfPart];
    float error[kCandidatesOfPart];
    Rounder::Way way;

    MARLIN_HD void start(const Range &range, int first, RoundingTypes types) {
        MARLIN_UNROLL
        for (int c = 0; c < kCandidatesOfPart; ++c) {
            rounder[c] = Rounder(candidate_params(range.low, range.high, first + c, types), types.grid());
            error[c] = 0.0f;
        }
        bool divides = false;
        MARLIN_UNROLL
        for (int c = 0; c < kCandidatesOfPart; ++c)
            divides |= rounder[c].divides();
        way = divides                        ? Rounder::Way::Divide
              : types.grid() == Grid::Offset ? Rounder::Way::Multiply
                                             : Rounder::Way::Scale;
    }
    template <Rounder::Way known_way>
    MARLIN_HD void add(float value, float importance) {
        MARLIN_UNROLL
        for (int c = 0; c < kCandidatesOfPart; ++c) {
            const float e = value - rounder[c].nearest<known_way>(value);
            error[c] = error[c] + importance * (e * e);
        }
    }
    // `first`: candidate 0 is among them, and stays unless another is better.
    MARLIN_HD Best best(bool first, Grid grid) const {
        Best result = {std::bit_cast<float>(0x7f800000u), {0.0f, 0.0f}};
        MARLIN_UNROLL
        for (int c = 0; c < kCandidatesOfPart; ++c) {
            const Best one = {error[c], rounder[c].params(grid)};
            if (first && c == 0)
                result = one;
            else
                result.add(one);
        }
        return result;
    }
};

// The rows of some quads, in order.
template <Rounder::Way way, bool along_k>
MARLIN_HD void search_quads(const PackTask &task, const ValueTile<along_k> &tile, int first, int count, int f,
                            Search &search) {
    for (int quad = first; quad < first + count; ++quad) {
        float value[4];
        tile.read_quad(quad, f, value);
        MARLIN_UNROLL
        for (int p = 0; p < 4; ++p)
            if (value[p] == value[p])
                search.add<way>(value[p],
                                task.importance == nullptr ? 1.0f : task.importance[tile.source_row[4 * quad + p]]);
    }
}
template <bool along_k>
MARLIN_HD void search_quads(const PackTask &task, const ValueTile<along_k> &tile, int first, int count, int f,
                            Search &search) {
    using Way = Rounder::Way;
    if (search.way == Way::Scale)
        search_quads<Way::Scale>(task, tile, first, count, f, search);
    else if (search.way == Way::Multiply)
        search_quads<Way::Multiply>(task, tile, first, count, f, search);
    else
        search_quads<Way::Divide>(task, tile, first, count, f, search);
}

// Least squares of group g of the tile, or of all rows where they are one group; the result is in memory.best.
template <typename Block, bool along_k>
MARLIN_HD void search_group(const Block &block, const PackTask &task, const FitPlace &fit, const TileGroups &groups,
                            int g, FitMemory<along_k> &memory) {
    constexpr int kItems = kParts * kFeatures / Block::kThreads;
    static_assert(kParts * kFeatures % Block::kThreads == 0);
    const RoundingTypes types = task.rounding();
    const int quads = (1 << groups.row_shift) / 4;
    Search search[kItems];
    MARLIN_UNROLL
    for (int i = 0; i < kItems; ++i) {
        const int item = block.thread() + i * Block::kThreads;
        search[i].start(memory.range[g][item % kFeatures], item / kFeatures * kCandidatesOfPart, types);
    }
    for (int64_t first = fit.rows.begin; first < fit.rows.end; first += kRows) {
        if (fit.rows.end - fit.rows.begin > kRows) {
            block.sync();
            load_rows(block, task, fit, first, memory.tile);
        }
        MARLIN_UNROLL
        for (int i = 0; i < kItems; ++i)
            search_quads(task, memory.tile, g * quads, quads, (block.thread() + i * Block::kThreads) % kFeatures,
                         search[i]);
    }
    block.sync(); // part ranges and what the last group left are read
    MARLIN_UNROLL
    for (int i = 0; i < kItems; ++i) {
        const int item = block.thread() + i * Block::kThreads;
        memory.best[item / kFeatures][item % kFeatures] = search[i].best(item < kFeatures, types.grid());
    }
    block.sync();
}

// `search`: whether least squares is asked for.
template <bool along_k, bool search, typename Block>
MARLIN_HD void fit_params(const Block &block, const PackTask &task, const FitPlace &fit, FitMemory<along_k> &memory) {
    const TileGroups groups = fit.groups(task);
    bool good = true;
    for (int i = block.thread(); i < groups.count * kFeatures; i += Block::kThreads)
        memory.range[i / kFeatures][i % kFeatures] = Range::none();
    for (int64_t first = fit.rows.begin; first < fit.rows.end; first += kRows) {
        good &= load_rows(block, task, fit, first, memory.tile);
        add_ranges(block, groups, memory);
    }
    good &= min_max_params<!search>(block, task, fit, groups, [&](int g, int f) { return memory.range[g][f]; });
    if (!good)
        lower_to(task.failed_column, static_cast<uint64_t>(fit.column));
    const TilePlace place = place_of(task.geometry, fit.column, fit.rows.begin);
    for (int g = 0; search && g < groups.count; ++g) {
        search_group(block, task, fit, groups, g, memory);
        const int64_t group = fit.source_group(task, groups, g);
        for (int f = block.thread(); f < place.features; f += Block::kThreads) {
            Best best = memory.best[0][f];
            for (int part = 1; part < kParts; ++part)
                best.add(memory.best[part][f]);
            if (group >= 0)
                task.params.at(group, place.first_feature + f) = best.params;
        }
    }
}

} // namespace marlin::cuda
