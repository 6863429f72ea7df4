// The model of stripes, fitted to an H200 with groups of 128 (docs/kernel.md).
#include "cuda/stripe_model.h"

#include <algorithm>
#include <limits>

#include "common/arith.h"

namespace marlin::cuda {
namespace {

// Microseconds, and bytes a microsecond.
constexpr double kFill = 1.5;          // until the first tile of a stripe flows
constexpr double kSegment = 0.8;       // the sum over the groups of warps and C, once more
constexpr double kExchange = 2.5;      // partial sums through L2 and a counter
constexpr double kPartialBytes = 8e4;  // read by the CTA that adds up
constexpr double kStripeBytes = 3.3e6; // weights alone, all SMs

bool is_sparse(const Instance &instance) {
    return instance.family == Family::SparseStripe;
}

// Logical rows of a block.
int64_t block_rows(const Instance &instance) {
    return is_sparse(instance) ? 128 : 64;
}

// Operations a microsecond (times 1e6: TFLOP/s) of all SMs in the loop over k, measured at large k; 2:4 counts what
// dense weights would take.
double sustained(const Instance &instance) {
    const bool wide = instance.features >= 256;
    switch (instance.tokens) {
    case 16:
        return 200e6;
    case 32:
        return is_sparse(instance) ? (wide ? 385e6 : 370e6) : wide ? 305e6 : 290e6;
    case 48:
        return 335e6;
    case 64:
        return is_sparse(instance) ? 525e6 : 370e6;
    case 96:
        return 395e6;
    default:
        return is_sparse(instance) ? 600e6 : wide ? 435e6 : 395e6;
    }
}

int64_t units_of(const Instance &instance, const Geometry &geometry) {
    return div_up(geometry.shape.k_packed / block_rows(instance), instance.k_groups);
}

// Tiles over CTAs: `striped` of them cut into stripes.
Launch launch_of(const Instance &instance, const Problem &p, const Geometry &geometry, const Limits &limits,
                 int64_t ctas, int64_t striped) {
    Launch launch;
    launch.instance = &instance;
    const int64_t feature_tiles = div_up(p.n, instance.features);
    const int64_t token_tiles = div_up(p.m, instance.tokens);
    const int64_t units = units_of(instance, geometry);
    const int64_t tiles = feature_tiles * token_tiles;
    launch.grid[0] = ctas;
    launch.partition = Partition(feature_tiles, token_tiles, units, striped, ctas);
    launch.partials_size = striped > 0 ? 2 * ctas * instance.partial_size : 0;
    const double of_sm = static_cast<double>(div_up(ctas, limits.sm_count));
    const auto rows = static_cast<double>(instance.k_groups * block_rows(instance));
    const double math = 2.0 * instance.features * instance.tokens * rows / (sustained(instance) / kModelSms);
    const double memory = instance.features * rows * (is_sparse(instance) ? 0.4 : 0.52) / (kStripeBytes / kModelSms);
    const double unit = std::max(math, memory) * of_sm;
    const int64_t whole = div_up(tiles - striped, ctas);
    const int64_t stripe = div_up(striped * units, ctas);
    int64_t segments = whole;
    int64_t sharers = 1;
    if (stripe > 0) {
        const bool even = units % stripe == 0 || stripe % units == 0; // no stripe reaches into a second tile in vain
        segments += div_up(stripe, units) + (even ? 0 : 1);
        sharers = std::min(div_up(units, stripe) + (even ? 0 : 1), ctas);
    }
    launch.cost = kModelLaunch + kFill + static_cast<double>(whole * units + stripe) * unit +
                  static_cast<double>(segments - 1) * kSegment;
    if (sharers > 1)
        launch.cost += kExchange + static_cast<double>((sharers - 1) * instance.partial_size) / kPartialBytes;
    return launch;
}

bool allowed(const Launch &launch) {
    const Partition &p = launch.partition;
    return launch.partials_size <= kDefaultWorkspace - kGatherSize - kArrivalsSize && p.striped <= kArrivals &&
           static_cast<int64_t>(p.striped) * p.units.value < std::numeric_limits<int32_t>::max();
}

} // namespace

Launch best_stripes(const Instance &instance, const Problem &p, const Geometry &geometry, const Limits &limits) {
    const int64_t tiles = div_up(p.n, instance.features) * div_up(p.m, instance.tokens);
    if (tiles > std::numeric_limits<int32_t>::max())
        return {};
    const int64_t units = units_of(instance, geometry);
    const int64_t room = limits.sm_count * static_cast<int64_t>(instance.ctas_per_sm);
    Launch best = launch_of(instance, p, geometry, limits, std::min(tiles, room), 0);
    const auto consider = [&](int64_t ctas, int64_t striped) {
        const Launch other = launch_of(instance, p, geometry, limits, ctas, striped);
        if (allowed(other) && other.cost < best.cost)
            best = other;
    };
    if (tiles >= room) {
        if (tiles % room != 0)
            consider(room, tiles % room + room); // a whole wave with the rest: two or three CTAs share a tile
    } else {
        for (int64_t splits = 2; splits <= std::min(room / tiles, units); ++splits)
            consider(tiles * splits, tiles);
        if (tiles * units > room)
            consider(room, tiles);
    }
    return best;
}

} // namespace marlin::cuda
