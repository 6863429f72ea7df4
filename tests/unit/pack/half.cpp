// Half conversions: every half there and back, and single precision against the compiler's own rounding.
#include <cmath>
#include <cstring>
#include <random>

#include "common/half.h"
#include "support/catch.h"

namespace marlin::test {
namespace {

uint16_t compiler_f16(float value) {
    const auto half = static_cast<_Float16>(value);
    uint16_t bits = 0;
    std::memcpy(&bits, &half, sizeof bits);
    return bits;
}

float compiler_f32(uint16_t bits) {
    _Float16 half = 0;
    std::memcpy(&half, &bits, sizeof bits);
    return static_cast<float>(half);
}

// Round to nearest even by comparing with both neighbours in FP64.
uint16_t nearest_bf16(float value) {
    uint32_t word = 0;
    std::memcpy(&word, &value, sizeof word);
    const auto lower = static_cast<uint16_t>(word >> 16); // toward zero
    const auto widen = [](uint32_t bits) {
        const uint32_t wide = bits << 16;
        float single = 0;
        std::memcpy(&single, &wide, sizeof single);
        return static_cast<double>(single);
    };
    const auto upper = static_cast<uint16_t>(lower + 1);
    const double step = std::ldexp(1.0, std::max(std::ilogb(widen(lower)), -126) - 7);
    const double below = std::fabs(static_cast<double>(value)) - std::fabs(widen(lower));
    const double above = std::fabs(widen(lower)) + step - std::fabs(static_cast<double>(value));
    return below < above ? lower : above < below ? upper : lower % 2 == 0 ? lower : upper;
}

void expect_same(float value, int64_t &different) {
    const uint16_t f16 = f32_to_f16(value);
    if (std::isnan(value)) {
        different += (f16 & 0x7c00u) != 0x7c00u || (f16 & 0x3ffu) == 0;
        different += !std::isnan(bf16_to_f32(f32_to_bf16(value)));
        return;
    }
    different += f16 != compiler_f16(value);
    if (std::isfinite(value) && value != 0.0f)
        different += f32_to_bf16(value) != nearest_bf16(value);
}

} // namespace

TEST_CASE("every FP16 and BF16 number is exact in FP32 and comes back", "[half]") {
    int64_t different = 0;
    for (uint32_t bits = 0; bits < 0x10000u; ++bits) {
        const auto half = static_cast<uint16_t>(bits);
        const float wide = f16_to_f32(half);
        const float expected = compiler_f32(half);
        different += std::isnan(expected) ? !std::isnan(wide) : std::memcmp(&wide, &expected, 4) != 0;
        different += std::isnan(expected) ? 0 : f32_to_f16(wide) != half;
        const float brain = bf16_to_f32(half);
        different += std::isnan(brain) ? 0 : f32_to_bf16(brain) != half;
        different += std::isnan(brain) != ((half & 0x7f80u) == 0x7f80u && (half & 0x7fu) != 0);
    }
    CHECK(different == 0);
}

TEST_CASE("FP32 rounds to the nearest half, ties to even, for all upper bits and the ties around them", "[half]") {
    int64_t different = 0;
    for (uint32_t upper = 0; upper < 0x100000u; ++upper) // sign, exponent, 11 bits: every half and every tie
        for (const uint32_t lower : {0u, 1u, 0x7ffu, 0x800u, 0xfffu}) {
            const uint32_t bits = upper << 12 | lower;
            float value = 0;
            std::memcpy(&value, &bits, sizeof value);
            expect_same(value, different);
        }
    std::mt19937 rng(7);
    for (int i = 0; i < 2'000'000; ++i) {
        const auto bits = static_cast<uint32_t>(rng());
        float value = 0;
        std::memcpy(&value, &bits, sizeof value);
        expect_same(value, different);
    }
    CHECK(different == 0);
    CHECK(f32_to_bf16(3.4e38f) == 0x7f80u); // overflows by rounding
    CHECK(f32_to_bf16(-0.0f) == 0x8000u);
    CHECK(f32_to_f16(65519.9f) == 0x7bffu);
    CHECK(f32_to_f16(65520.0f) == 0x7c00u);
}

} // namespace marlin::test
