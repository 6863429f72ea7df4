// Drawing codes, scales, zero points and group indices.
#include "random_weights.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "common/arith.h"
#include "common/half.h"

namespace marlin::bench {
namespace {

// Sixteen codes a draw: the largest layers of the grid have more than 10^9.
void fill_codes(std::vector<std::byte> &codes, Type type) {
    std::mt19937_64 random(3);
    constexpr uint64_t low = 0x0f0f0f0f0f0f0f0full;
    for (size_t i = 0; i < codes.size(); i += 16) {
        const uint64_t draw = random();
        uint64_t words[2] = {draw & low, (draw >> 4) & low};
        if (type == Type::S4)
            for (uint64_t &word : words) // sign extension: bit 3 of a byte copied to bits 4 to 7
                word |= (word & 0x0808080808080808ull) * 0x1e;
        std::memcpy(codes.data() + i, words, std::min(sizeof words, codes.size() - i));
    }
}

} // namespace

void store_value(std::byte *at, Type type, float value) {
    if (type == Type::F32) {
        std::memcpy(at, &value, sizeof value);
        return;
    }
    const uint16_t bits = f32_to_half(value, type);
    std::memcpy(at, &bits, sizeof bits);
}

std::vector<std::byte> normal_values(int64_t count, Type type, uint32_t seed) {
    std::vector<std::byte> values(static_cast<size_t>(count * size_of(type)));
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (int64_t i = 0; i < count; ++i)
        store_value(values.data() + i * size_of(type), type, normal(random));
    return values;
}

RandomWeights::RandomWeights(const Problem &problem) {
    const int64_t groups = problem.group_size == kGroupPerColumn ? 1 : div_up(problem.k, problem.group_size);
    const int64_t values = groups * problem.n;
    codes.resize(static_cast<size_t>(problem.k * problem.n));
    fill_codes(codes, problem.type);
    std::mt19937 random(4);
    scales.resize(static_cast<size_t>(values));
    for (float &scale : scales)
        scale = 0.005f + 0.01f * static_cast<float>(random() >> 8) * 0x1p-24f;
    if (problem.zero_type != Type::None)
        zeros.resize(static_cast<size_t>(values * size_of(problem.zero_type)));
    for (int64_t i = 0; i < values && !zeros.empty(); ++i) {
        std::byte *zero = zeros.data() + i * size_of(problem.zero_type);
        if (is_float(problem.zero_type))
            store_value(zero, problem.zero_type, -8.0f * scales[static_cast<size_t>(i)]);
        else
            *zero = static_cast<std::byte>(random() % 17);
    }
    if (problem.act_order) {
        const int64_t group_size = problem.group_size == kGroupPerColumn ? problem.k : problem.group_size;
        g_idx.resize(static_cast<size_t>(problem.k));
        for (int64_t i = 0; i < problem.k; ++i)
            g_idx[static_cast<size_t>(i)] = static_cast<int32_t>(i / group_size);
        std::shuffle(g_idx.begin(), g_idx.end(), random);
    }
    describe(problem);
}

void RandomWeights::describe(const Problem &problem) {
    desc.struct_size = sizeof desc;
    desc.src_type = static_cast<int32_t>(problem.type);
    desc.src_scale_type = MARLIN_TYPE_F32;
    desc.src_zero_type = static_cast<int32_t>(problem.zero_type);
    desc.scale_type = static_cast<int32_t>(problem.scale_type);
    desc.sparsity = problem.sparse ? MARLIN_SPARSITY_SELECT_24 : MARLIN_SPARSITY_DENSE;
    desc.flags = problem.act_order ? uint32_t{MARLIN_PACK_ACT_ORDER} : 0u;
    desc.k = problem.k;
    desc.n = problem.n;
    desc.group_size = problem.group_size;
    input.struct_size = sizeof input;
    input.memory = 1;
    input.src = codes.data();
    input.src_size = codes.size();
    input.scales = scales.data();
    input.scales_size = scales.size() * sizeof scales[0];
    input.zeros = zeros.empty() ? nullptr : zeros.data();
    input.zeros_size = zeros.size();
    input.g_idx = g_idx.empty() ? nullptr : g_idx.data();
    input.g_idx_size = g_idx.size() * sizeof(int32_t);
}

} // namespace marlin::bench
