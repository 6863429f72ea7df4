// Random 4-bit weights of any kind, as marlin_pack takes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/problem.h"
#include "marlin/marlin.h"

namespace marlin::bench {

// Owns what `input` points to. Codes are plain, one a byte; 2:4 weights are chosen from them by marlin_pack.
struct RandomWeights {
    explicit RandomWeights(const Problem &problem);
    RandomWeights(const RandomWeights &) = delete;
    RandomWeights &operator=(const RandomWeights &) = delete;

    std::vector<std::byte> codes;
    std::vector<float> scales;
    std::vector<std::byte> zeros;
    std::vector<int32_t> g_idx;
    marlin_pack_desc desc = {};
    marlin_pack_input input = {};

private:
    void describe(const Problem &problem);
};

void store_value(std::byte *at, Type type, float value);
std::vector<std::byte> normal_values(int64_t count, Type type, uint32_t seed);

} // namespace marlin::bench
