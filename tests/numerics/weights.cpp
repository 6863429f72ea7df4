// Filling packed weights position by position.
#include "numerics/weights.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "common/half.h"
#include "layout/element.h"

namespace marlin::test {
namespace {

void set_bits(std::byte *body, BitsAt at, unsigned mask, unsigned value) {
    const unsigned old = std::to_integer<unsigned>(body[at.byte]);
    body[at.byte] = static_cast<std::byte>((old & ~(mask << at.shift)) | (value << at.shift));
}

unsigned code_for(Fill fill, Random &random, int64_t k, int64_t n) {
    if (fill == Fill::Arange)
        return static_cast<unsigned>((k * 5 + n * 3) % 16);
    return static_cast<unsigned>(random.below(16));
}

float scale_for(Fill fill, Random &random, int64_t group, int64_t n) {
    switch (fill) {
    case Fill::Arange:
        return 0.25f + static_cast<float>((group + n) % 7) * 0.125f;
    case Fill::Extreme: // down to subnormal halves
        return random.uniform(0.5f, 1.0f) * (random.below(2) != 0 ? 0x1p-20f : 0x1p-2f);
    default:
        return random.uniform(0.01f, 0.05f);
    }
}

float zero_for(Type type, Random &random, float scale) {
    return type == Type::U8 ? static_cast<float>(random.below(17)) : scale * random.uniform(-16.0f, 2.0f);
}

// Every row of the source somewhere, padding rows in between.
std::vector<int32_t> make_perm(int64_t k, int64_t k_packed, Random &random) {
    std::vector<int32_t> perm(static_cast<size_t>(k_packed), -1);
    std::iota(perm.begin(), perm.begin() + k, 0);
    for (size_t i = perm.size() - 1; i > 0; --i)
        std::swap(perm[i], perm[static_cast<size_t>(random.below(static_cast<int64_t>(i) + 1))]);
    return perm;
}

void write_codes(std::byte *body, const Geometry &g, Fill fill, Random &random) {
    const unsigned flip = code_xor(g.shape.layout);
    static constexpr unsigned pairs[6][2] = {{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}};
    for (int64_t n = 0; n < g.n_packed(); ++n) {
        for (int64_t k = 0; !g.sparse() && k < g.shape.k_packed; ++k)
            set_bits(body, g.code(k, n), 15u, code_for(fill, random, k, n) ^ flip);
        for (int64_t quad = 0; g.sparse() && quad < g.shape.k_packed / 4; ++quad) {
            const auto &pair = pairs[random.below(6)];
            for (int slot = 0; slot < 2; ++slot) {
                set_bits(body, g.kept_code(quad, slot, n), 15u, code_for(fill, random, 2 * quad + slot, n) ^ flip);
                set_bits(body, g.metadata(quad, slot, n), 3u, pair[slot]);
            }
        }
    }
}

} // namespace

uint64_t Random::next() {
    state_ += 0x9e3779b97f4a7c15ull;
    uint64_t x = state_;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

float Random::uniform(float low, float high) {
    return low + (high - low) * (static_cast<float>(next() >> 40) * 0x1p-24f);
}

float Random::normal() {
    float sum = 0.0f;
    for (int i = 0; i < 6; ++i)
        sum += uniform(-1.0f, 1.0f);
    return sum * 0.7071f;
}

void store_value(std::byte *at, Type type, float value) {
    if (type == Type::F32) {
        std::memcpy(at, &value, sizeof value);
    } else if (type == Type::U8) {
        *at = static_cast<std::byte>(static_cast<int>(value));
    } else {
        const uint16_t bits = f32_to_half(value, type);
        std::memcpy(at, &bits, sizeof bits);
    }
}

Weights make_weights(const Problem &problem, Layout layout, Fill fill, uint64_t seed) {
    PackedShape shape;
    shape.layout = layout;
    shape.type = problem.type;
    shape.scale_type = problem.scale_type;
    shape.zero_type = problem.zero_type;
    shape.n = problem.n;
    shape.group_size = problem.group_size;
    shape.has_perm = problem.act_order;
    const int64_t run_k = run_rows(layout, problem.group_size);
    // Act-order pads inside: one more run than needed, so that some rows are padding.
    shape.k_packed = round_up(problem.k, run_k) + (problem.act_order ? run_k : 0);

    Weights weights;
    WeightsView &view = weights.view;
    view.geometry = make_geometry(shape);
    view.k = problem.k;
    view.n = problem.n;
    const Geometry &g = view.geometry;
    weights.storage.resize(static_cast<size_t>(g.body_size));
    std::byte *body = weights.storage.data();
    view.body = body;

    Random random(seed);
    write_codes(body, g, fill, random);
    for (int64_t group = 0; group < g.groups(); ++group)
        for (int64_t n = 0; n < g.n_packed(); ++n) {
            const float scale = scale_for(fill, random, group, n);
            store_value(body + g.scale(group, n), shape.scale_type, scale);
            if (shape.zero_type != Type::None)
                store_value(body + g.zero(group, n), shape.zero_type, zero_for(shape.zero_type, random, scale));
        }
    if (problem.act_order) {
        const std::vector<int32_t> perm = make_perm(problem.k, shape.k_packed, random);
        std::memcpy(body + g.perm_offset, perm.data(), perm.size() * sizeof perm[0]);
        view.perm = reinterpret_cast<const int32_t *>(body + g.perm_offset);
    }
    return weights;
}

} // namespace marlin::test
