// Ranges of the groups of a tile, and the parameters that they give.
#pragma once

#include "cuda/pack/arithmetic.h"
#include "cuda/pack/task.h"
#include "cuda/pack/tile.h"

namespace marlin::cuda {

struct Range {
    float low;
    float high;

    MARLIN_HD static constexpr Range none() {
        return {std::bit_cast<float>(0x7f800000u), std::bit_cast<float>(0xff800000u)};
    }
    // NaN changes nothing.
    MARLIN_HD void add(float low_too, float high_too) {
        low = lesser(low, low_too);
        high = greater(high, high_too);
    }
};

// What one CTA fits: the groups of a tile, or one group that is longer than that.
struct FitPlace {
    int64_t column = 0;
    RowSpan rows = {0, 0}; // packed
    int64_t group = -1;    // the source group of all rows; -1: each group of the tile its own

    MARLIN_HD TileGroups groups(const PackTask &task) const {
        return group < 0 ? groups_of(task.geometry, rows.begin) : TileGroups{};
    }
    MARLIN_HD int64_t source_group(const PackTask &task, const TileGroups &of, int g) const {
        return group >= 0 ? group : task.order.source_group(of.first + g);
    }
};

// Min-max parameters of the groups and features of a tile, each by one thread. Stores them if `keep`; returns whether
// those that this thread saw are numbers.
template <bool keep, typename Block, typename RangeAt>
MARLIN_HD bool min_max_params(const Block &block, const PackTask &task, const FitPlace &fit, const TileGroups &groups,
                              RangeAt range_at) {
    const TilePlace place = place_of(task.geometry, fit.column, fit.rows.begin);
    bool good = true;
    for (int i = block.thread(); i < groups.count * kFeatures; i += Block::kThreads) {
        const int f = i % kFeatures;
        const int64_t group = fit.source_group(task, groups, i / kFeatures);
        if (group < 0 || f >= place.features)
            continue;
        const Range range = range_at(i / kFeatures, f);
        const GroupParams params = candidate_params(range.low, range.high, 0, task.rounding());
        good &= is_finite(params.scale) && is_finite(params.zero);
        if constexpr (keep)
            task.params.at(group, place.first_feature + f) = params;
    }
    return good;
}

} // namespace marlin::cuda
