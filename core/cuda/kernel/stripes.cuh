// The partition of a multiply over persistent CTAs: whole output tiles first come first, the rest cut into stripes.
//
// Tiles (features x tokens) are counted features first or last as the kernel likes; k of a tile is counted in units.
// While more tiles are left than CTAs, a CTA takes a whole one; the last `striped` tiles are laid end to end along k
// and dealt out in even stripes, so that no CTA idles (MARLIN's partition; "stream-K" of Osama et al. 2023).
//
//     tiles:   0    1    2    3  |  4        5        6          4 CTAs
//     CTA:     0    1    2    3  |  0 0 0|1 1 1|2 2 2|3 3 3      units of k ->
#pragma once

#include <cstdint>

#include "common/host_device.h"

namespace marlin::cuda {

// Division of 0 .. 2^31 - 1 by a number known on the host: a multiplication on the device (Granlund and Montgomery
// 1994).
struct Divisor {
    uint32_t magic = 1;
    int32_t shift = 0;
    int32_t value = 1;

    constexpr Divisor() = default;
    explicit constexpr Divisor(int32_t divisor) : value(divisor) {
        while ((int64_t{1} << shift) < divisor)
            ++shift;
        magic = static_cast<uint32_t>(
            (((uint64_t{1} << shift) - static_cast<uint64_t>(divisor)) << 32) / static_cast<uint64_t>(divisor) + 1);
    }
    MARLIN_HD constexpr int32_t divide(int32_t n) const {
        const auto x = static_cast<uint32_t>(n);
        return static_cast<int32_t>((static_cast<uint32_t>(static_cast<uint64_t>(x) * magic >> 32) + x) >> shift);
    }
};

// A tile's place among the tiles of features and of tokens.
struct TilePlace {
    int32_t feature = 0;
    int32_t token = 0;
};

struct Partition {
    int32_t tiles = 0;
    int32_t striped = 0; // tiles cut into stripes: the last ones; striped * units stays below 2^31
    int32_t ctas = 0;
    int32_t stripe = 0; // units of a CTA in the striped tiles;
    int32_t longer = 0; // the first CTAs have one more
    Divisor units;      // of k in a tile
    // Tiles are counted in groups of a few token tiles, tokens first, then features: what a wave of CTAs reads of A and
    // of W then is a near square, and stays in L2.
    int32_t group_shift = 3; // token tiles of a group, as a power of two
    Divisor of_group;        // tiles of a group of token tiles
    Divisor of_last;         // token tiles of the last group, where it has fewer
    int32_t groups = 0;      // whole ones
    Divisor of_stripe;       // stripe
    Divisor of_longer;       // stripe + 1

    constexpr Partition() = default;
    constexpr Partition(int64_t feature_tiles, int64_t token_tiles_, int64_t units_, int64_t striped_, int64_t ctas_,
                        int32_t group_shift_)
        : tiles(static_cast<int32_t>(feature_tiles * token_tiles_)), striped(static_cast<int32_t>(striped_)),
          ctas(static_cast<int32_t>(ctas_)), stripe(static_cast<int32_t>(striped_ * units_ / ctas_)),
          longer(static_cast<int32_t>(striped_ * units_ % ctas_)), units(static_cast<int32_t>(units_)),
          group_shift(group_shift_), of_group(static_cast<int32_t>(feature_tiles << group_shift)),
          of_last(static_cast<int32_t>(token_tiles_ % (1 << group_shift) != 0 ? token_tiles_ % (1 << group_shift) : 1)),
          groups(static_cast<int32_t>(token_tiles_ >> group_shift)), of_stripe(stripe > 0 ? stripe : 1),
          of_longer(stripe + 1) {}

    MARLIN_HD constexpr TilePlace place(int32_t tile) const {
        const int32_t group = of_group.divide(tile);
        const int32_t inside = tile - group * of_group.value;
        if (group < groups)
            return {inside >> group_shift, (group << group_shift) + (inside & ((1 << group_shift) - 1))};
        const int32_t feature = of_last.divide(inside);
        return {feature, (group << group_shift) + inside - feature * of_last.value};
    }

    // First unit of CTA `cta` in the striped tiles.
    MARLIN_HD constexpr int32_t stripe_begin(int32_t cta) const { return cta * stripe + (cta < longer ? cta : longer); }
    // The CTA whose stripe holds that unit.
    MARLIN_HD constexpr int32_t owner(int32_t unit) const {
        const int32_t of_the_longer = longer * (stripe + 1);
        return unit < of_the_longer ? of_longer.divide(unit) : longer + of_stripe.divide(unit - of_the_longer);
    }
};

// A CTA's share of one tile: units [begin, end) of it; none where the CTA has nothing left.
struct Segment {
    int32_t tile = 0;
    int32_t begin = 0;
    int32_t end = 0;
};

// What is left of a CTA's segment when it is through with `done` of all its units: first come those of its stripe, then
// its whole tiles. That one number is all that has to be kept between segments.
MARLIN_HD constexpr Segment segment_at(const Partition &p, int32_t cta, int32_t done) {
    const int32_t stripe = p.stripe_begin(cta);
    const int32_t left = p.stripe_begin(cta + 1) - stripe - done;
    const int32_t whole_tiles = p.tiles - p.striped;
    if (left > 0) {
        const int32_t tile = p.units.divide(stripe + done);
        const int32_t begin = stripe + done - tile * p.units.value;
        return {whole_tiles + tile, begin, left < p.units.value - begin ? begin + left : p.units.value};
    }
    const int32_t nth = p.units.divide(-left);
    const int32_t tile = cta + nth * p.ctas;
    return tile < whole_tiles ? Segment{tile, -left - nth * p.units.value, p.units.value} : Segment{};
}

} // namespace marlin::cuda
