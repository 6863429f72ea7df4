// The model of stripes, fitted to an H200 with groups of 128 (docs/kernel.md).
#include "cuda/stripe_model.h"

#include <algorithm>
#include <limits>

#include "common/arith.h"
#include "cuda/candidates.h"
#include "cuda/wgmma_model.h"

namespace marlin::cuda {
namespace {

// Microseconds, and bytes a microsecond.
constexpr double kFill = 1.5;          // until the first tile of a stripe flows
constexpr double kSegment = 0.8;       // the sum over the groups of warps and C, once more
constexpr double kExchange = 2.5;      // partial sums through L2 and a counter
constexpr double kPartialBytes = 8e4;  // read by the CTA that adds up
constexpr double kStripeBytes = 3.3e6; // weights alone, all SMs

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
        return is_sparse(instance) ? 470e6 : 355e6;
    case 64:
        return is_sparse(instance) ? 525e6 : 370e6;
    case 96:
        return 395e6;
    default:
        return is_sparse(instance) ? 600e6 : wide ? 435e6 : 405e6;
    }
}

// How much longer that takes where groups and zeros are known at run time only: measured with offsets and 64 tokens.
double of_format(const Instance &instance) {
    return instance.weights == Weights::General && !is_sparse(instance) ? 1.6 : 1.0;
}

// What of a cut does not depend on where it is made: many are weighed for every multiply.
struct Tiling {
    Tiling(const Instance &of, const Problem &p, const Geometry &geometry, const Limits &limits)
        : instance(of), sm_count(limits.sm_count), feature_tiles(div_up(p.n, of.features)),
          token_tiles(div_up(p.m, of.tokens)), tiles(feature_tiles * token_tiles),
          units(div_up(geometry.shape.k_packed / block_rows(of), of.k_groups)), activations(p.m * p.k * 2) {
        if (of.family == Family::Wgmma) {
            unit_time = wgmma_unit(of, token_tiles);
            return;
        }
        const auto rows = static_cast<double>(of.k_groups * block_rows(of));
        const double math = of_format(of) * 2.0 * of.features * of.tokens * rows / (sustained(of) / kModelSms);
        const double memory = of.features * rows * (is_sparse(of) ? 0.4 : 0.52) / (kStripeBytes / kModelSms);
        unit_time = std::max(math, memory);
    }

    int64_t partials_size(int64_t ctas) const { return 2 * ctas * instance.partial_size; }
    bool may_stripe(int64_t ctas, int64_t striped) const {
        return partials_size(ctas) <= kDefaultWorkspace - kGatherSize - kArrivalsSize &&
               striped * instance.beside <= kArrivals && striped * units < std::numeric_limits<int32_t>::max();
    }
    // `striped` tiles cut into stripes and the others whole.
    Cut cut(int64_t ctas, int64_t striped) const {
        Cut result;
        result.activations = activations;
        const int64_t whole = div_up(tiles - striped, ctas);
        const int64_t stripe = div_up(striped * units, ctas);
        result.units = whole * round_up(units, instance.turns) + round_up(stripe, instance.turns);
        result.striped = stripe;
        result.segments = whole;
        if (stripe > 0) {
            const bool even = striped * units % ctas == 0 && (units % stripe == 0 || stripe % units == 0);
            result.even = even;
            result.segments += div_up(stripe, units) + (even ? 0 : 1);
            result.sharers = std::min(div_up(units, stripe) + (even ? 0 : 1), ctas);
            result.parts = result.sharers == 1 ? 0 : even ? 1 : 2;
        }
        return result;
    }
    // Microseconds.
    double cost(int64_t ctas, int64_t striped, bool clustered = false) const {
        Cut c = cut(ctas, striped);
        c.clustered = clustered;
        const int64_t units_of_sm = c.units * div_up(ctas * instance.beside, sm_count);
        if (instance.family == Family::Wgmma)
            return wgmma_loop(instance, units_of_sm, unit_time, std::min(ctas * instance.beside, sm_count)) +
                   wgmma_cost(instance, c, unit_time);
        const double math = static_cast<double>(units_of_sm) * unit_time;
        double us = kModelLaunch + kFill + math + static_cast<double>(c.segments - 1) * kSegment;
        if (c.sharers > 1)
            us += kExchange + static_cast<double>((c.sharers - 1) * instance.partial_size) / kPartialBytes;
        return us;
    }

    const Instance &instance;
    int64_t sm_count;
    int64_t feature_tiles;
    int64_t token_tiles;
    int64_t tiles;
    int64_t units;       // of k in a tile
    int64_t activations; // bytes
    double unit_time;    // of a CTA alone on its SM
};

} // namespace

Launch best_stripes(const Instance &instance, const Problem &p, const Geometry &geometry, const Limits &limits,
                    bool whole_tiles) {
    const Tiling tiling(instance, p, geometry, limits);
    const int64_t tiles = tiling.tiles;
    if (tiles > std::numeric_limits<int32_t>::max())
        return {};
    const int64_t room = held_at_once(instance, limits);
    int64_t best_ctas = std::min(tiles, room);
    int64_t best_striped = 0;
    int32_t best_sharers = 1;
    double best_cost = tiling.cost(best_ctas, best_striped);
    const auto consider = [&](int64_t ctas, int64_t striped, int32_t sharers = 1) {
        if (whole_tiles || !tiling.may_stripe(ctas, striped))
            return;
        const double cost = tiling.cost(ctas, striped, sharers > 1);
        if (cost < best_cost) {
            best_ctas = ctas;
            best_striped = striped;
            best_sharers = sharers;
            best_cost = cost;
        }
    };
    if (tiles >= room) {
        if (tiles % room != 0)
            consider(room, tiles % room + room); // a whole wave with the rest: two or three CTAs share a tile
    } else {
        for (int64_t splits = 2; splits <= std::min(room / tiles, tiling.units); ++splits) {
            const bool clusters = splits <= instance.sharers && tiling.units % splits == 0;
            consider(tiles * splits, tiles, clusters ? static_cast<int32_t>(splits) : 1);
        }
        if (tiles * tiling.units > room)
            consider(room, tiles);
    }
    Launch launch;
    launch.instance = &instance;
    launch.grid[0] = best_ctas * instance.beside;
    launch.partition = Partition(tiling.feature_tiles, tiling.token_tiles, tiling.units, best_striped, best_ctas,
                                 instance.tokens > 128 ? 2 : 3);
    launch.sharers = best_sharers;
    launch.partials_size = best_striped > 0 && best_sharers == 1 ? tiling.partials_size(best_ctas) : 0;
    launch.cost = best_cost;
    return launch;
}

} // namespace marlin::cuda
