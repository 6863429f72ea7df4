// Packed weights for numerics tests, written through the layout functions alone: what packing does is tested elsewhere.
#pragma once

#include <cstdint>
#include <vector>

#include "common/problem.h"
#include "layout/header.h"

namespace marlin::test {

// How values are filled in.
enum class Fill { Random, Arange, OneHot, Extreme };
inline constexpr Fill kFills[] = {Fill::Random, Fill::Arange, Fill::OneHot, Fill::Extreme};

// A small generator with the same numbers on every platform (SplitMix64, Steele et al. 2014).
class Random {
public:
    explicit Random(uint64_t seed) : state_(seed) {}
    uint64_t next();
    int64_t below(int64_t end) { return static_cast<int64_t>(next() % static_cast<uint64_t>(end)); }
    float uniform(float low, float high);
    float normal(); // roughly: a sum of uniforms

private:
    uint64_t state_;
};

// Owns the bytes; `view` points into them.
struct Weights {
    std::vector<std::byte> storage;
    WeightsView view;
};

// Codes, scales, zero points and metadata for the problem in the given layout; with act_order a shuffled permutation
// with some padding rows. The same problem, layout family and fill give the same weights in every layout.
Weights make_weights(const Problem &problem, Layout layout, Fill fill, uint64_t seed);

void store_value(std::byte *at, Type type, float value);

} // namespace marlin::test
