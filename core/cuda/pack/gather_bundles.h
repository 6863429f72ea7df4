// A bundle of features from the source to parameters, and to packed bytes.
#pragma once

#include "cuda/pack/gather_sparse_values.h"

namespace marlin::cuda {

// Checks and fits one bundle of features: a few lanes a group.
template <bool sparse, Type type, int pairs, typename Block>
MARLIN_HD void fit_bundle(const Block &block, const PackTask &task, int64_t column, int bundle,
                          const BundleMemory<Bundle<type, pairs>> &memory) {
    using B = Bundle<type, pairs>;
    constexpr int kLanes = Block::kThreads < 4 ? 1 : 4;
    constexpr int kRowsOfLane = 4; // at a time
    const Geometry &g = task.geometry;
    const int64_t n = column * kFeatures + B::first_feature(bundle);
    stage_bundle<type, pairs>(block, task, n, memory);
    block.sync();
    const int lane = block.thread() % kLanes;
    const int64_t groups = g.groups();
    bool good = true;
    for (int64_t begin = 0; begin < groups; begin += Block::kThreads / kLanes) {
        const int64_t packed_group = begin + block.thread() / kLanes;
        const int64_t group = packed_group < groups ? task.order.source_group(packed_group) : -1;
        KeptRange<type, B> kept; // of all, where weights are dense
        BundleRange<type, B::kWords> &range = kept.range;
        if (group >= 0) {
            const int64_t first = packed_group * g.shape.group_size;
            for (int i = lane * kRowsOfLane; i < g.shape.group_size; i += kLanes * kRowsOfLane) {
                if constexpr (sparse) {
                    kept.add(BundleQuad<B>(task, memory, first + i));
                } else {
                    const FourRows four = *reinterpret_cast<const FourRows *>(task.order.perm + first + i);
                    MARLIN_UNROLL
                    for (int r = 0; r < kRowsOfLane; ++r)
                        if (four.row[r] >= 0)
                            range.add(words_of_row(memory, four.row[r]).word);
                }
            }
        }
        good &= kept.numbers.good();
        range.template join<kLanes>();
        for (int i = lane; i < B::kFeatures && group >= 0; i += kLanes) {
            const Range of = range.of(i);
            const GroupParams params = candidate_params(of.low, of.high, 0, task.rounding());
            good &= is_finite(of.low) && is_finite(of.high) && is_finite(params.scale) && is_finite(params.zero);
            task.params.at(group, n + B::offset(i)) = params;
        }
    }
    if (!good)
        lower_to(task.failed_column, static_cast<uint64_t>(column));
}

// Codes of a bundle of dense weights.
template <Rounder::Way way, Type type, int pairs, typename Block>
MARLIN_HD void round_dense_bundle(const Block &block, const PackTask &task, int64_t column, int feature,
                                  const BundleMemory<Bundle<type, pairs>> &memory, BodySum &sum) {
    for (int64_t item = block.thread(); item < task.geometry.shape.k_packed / 64 * 4; item += Block::kThreads) {
        const int j = static_cast<int>(item % 4);
        const GatheredRows from(task, item / 4, j);
        Vector vectors[pairs];
        round_gathered<way, type>(task, item / 4, from, memory, vectors);
        MARLIN_UNROLL
        for (int pair = 0; pair < pairs; ++pair)
            sum.store(gathered_vector(task, column, item / 4, feature + pair, j), vectors[pair]);
    }
}

// Rounds and packs one bundle of features, scales and zeros left out.
template <bool sparse, Type type, int pairs, typename Block>
MARLIN_HD void round_bundle(const Block &block, const PackTask &task, int64_t column, int bundle,
                            const BundleMemory<Bundle<type, pairs>> &memory, BodySum &sum) {
    using Way = Rounder::Way;
    using B = Bundle<type, pairs>;
    const Geometry &g = task.geometry;
    const Grid grid = task.grid();
    const int feature = B::first_feature(bundle);
    const int64_t n = column * kFeatures + feature;
    stage_bundle<type, pairs>(block, task, n, memory);
    bool divides = false;
    // Threads take neighbouring groups.
    const auto groups = static_cast<int>(g.groups());
    constexpr int kBatch = 2;
    GroupParams params[kBatch] = {};
    Batches<kBatch, Block::kThreads>::run(
        block.thread(), groups * B::kFeatures,
        [&](int i, int item) {
            const int64_t group = task.order.source_group(item % groups);
            params[i] =
                group < 0 ? GroupParams{0.0f, task.no_zero()} : task.params.at(group, n + B::offset(item / groups));
        },
        [&](int i, int item) {
            const Rounder rounder(params[i], grid);
            divides |= rounder.divides();
            memory.rounder(item % groups, item / groups) = rounder;
        });
    divides = block.any(divides);
    const auto round = [&](auto way) {
        if constexpr (sparse)
            round_sparse_bundle<way.value, type>(block, task, column, feature, memory, sum);
        else
            round_dense_bundle<way.value, type>(block, task, column, feature, memory, sum);
    };
    if (divides)
        round(std::integral_constant<Way, Way::Divide>());
    else if (grid == Grid::Offset)
        round(std::integral_constant<Way, Way::Multiply>());
    else
        round(std::integral_constant<Way, Way::Scale>());
}

} // namespace marlin::cuda
