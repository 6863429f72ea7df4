// Rounding without divisions against the formulas of core/quantize/rounding.h: the same bits.
#include <cmath>

#include "cuda/pack/arithmetic.h"
#include "support/catch.h"
#include "support/random.h"

namespace marlin::test {
namespace {

using Way = cuda::Rounder::Way;

uint32_t bits(float value) {
    return std::bit_cast<uint32_t>(value);
}

// Values around every place where the code of a group changes, and others.
int64_t differences(GroupParams params, Grid grid, Random &random) {
    const CodeGrid expected = code_grid(params, grid);
    const cuda::Rounder rounder(params, grid);
    int64_t different = 0;
    const auto compare = [&](float w) {
        const float code = code_of(w, expected);
        different += rounder.code<Way::Divide>(w) != static_cast<uint32_t>(code);
        const uint32_t value = bits(value_of(code, expected) + 0.0f);
        different += bits(rounder.nearest<Way::Divide>(w) + 0.0f) != value;
        if (rounder.divides())
            return;
        different += rounder.code<Way::Multiply>(w) != static_cast<uint32_t>(code);
        different += bits(rounder.nearest<Way::Multiply>(w) + 0.0f) != value;
        if (grid != Grid::Offset)
            different += bits(rounder.nearest<Way::Scale>(w) + 0.0f) != value;
    };
    for (int half_steps = -36; half_steps <= 36; ++half_steps) {
        float w = expected.offset + static_cast<float>(half_steps) * 0.5f * params.scale;
        for (int i = 0; i < 3; ++i)
            w = std::nextafter(w, -INFINITY);
        for (int i = 0; i < 7; ++i, w = std::nextafter(w, INFINITY))
            compare(w);
    }
    for (int i = 0; i < 20; ++i)
        compare(expected.offset + static_cast<float>(random.real(-20, 20)) * params.scale);
    compare(0.0f);
    compare(-0.0f);
    return different;
}

} // namespace

TEST_CASE("codes and values need no division for any scale that can be stored", "[pack]") {
    Random random(1);
    int64_t different = 0;
    for (const Type type : {Type::F16, Type::BF16})
        for (uint32_t half = 0; half < 0x8000; half += type == Type::F16 ? 1 : 3) {
            const float scale = half_to_f32(static_cast<uint16_t>(half), type);
            if (!std::isfinite(scale) || scale > 0x1p120f)
                continue;
            different += differences({scale, 8.0f}, Grid::Symmetric, random);
            different += differences({scale, static_cast<float>(random.between(0, 15))}, Grid::ZeroPoint, random);
            different += differences({scale, static_cast<float>(random.real(-9, 9)) * scale}, Grid::Offset, random);
        }
    CHECK(different == 0);
}

} // namespace marlin::test
