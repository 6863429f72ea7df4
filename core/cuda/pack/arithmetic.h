// Steps of core/quantize/rounding.h and core/common/half.h in fewer instructions of a GPU, to the same bits.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "pack/limits.h"
#include "quantize/rounding.h"

namespace marlin::cuda {

// The smaller and the larger of two numbers; of a number and a NaN, the number. Of -0 and 0 either.
MARLIN_HD inline float lesser(float a, float b) {
#ifdef __CUDA_ARCH__
    return fminf(a, b);
#else
    return std::fmin(a, b);
#endif
}
MARLIN_HD inline float greater(float a, float b) {
#ifdef __CUDA_ARCH__
    return fmaxf(a, b);
#else
    return std::fmax(a, b);
#endif
}

// half_to_f32, but any NaN of a NaN.
MARLIN_HD inline float widen(uint16_t bits, Type type) {
#ifdef __CUDA_ARCH__
    if (type == Type::F16) {
        float value;
        asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
        return value;
    }
#endif
    return half_to_f32(bits, type);
}
// f32_to_half of two numbers or infinities, the first in the low bits.
MARLIN_HD inline uint32_t narrow(float first, float second, Type type) {
#ifdef __CUDA_ARCH__
    uint32_t bits;
    if (type == Type::BF16)
        asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(second), "f"(first));
    else
        asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(second), "f"(first));
    return bits;
#else
    return f32_to_half(first, type) | uint32_t{f32_to_half(second, type)} << 16;
#endif
}

// An integer from 0 to 2^22 as a float.
MARLIN_HD constexpr float float_of(uint32_t integer) {
    return std::bit_cast<float>(0x4b000000u | integer) - 0x1p23f;
}

// Bytes 0..7 of (low, high) by the four selectors of a 16-bit number, the lowest first.
MARLIN_HD inline uint32_t permute_bytes(uint32_t low, uint32_t high, uint32_t selectors) {
#ifdef __CUDA_ARCH__
    return __byte_perm(low, high, selectors);
#else
    const uint64_t bytes = low | uint64_t{high} << 32;
    uint32_t result = 0;
    for (int i = 0; i < 4; ++i)
        result |= static_cast<uint32_t>(bytes >> (8 * (selectors >> (4 * i) & 7u)) & 255u) << (8 * i);
    return result;
#endif
}

// Rows of bytes become columns of bytes.
MARLIN_HD inline void transpose_bytes(const uint32_t (&row)[4], uint32_t (&column)[4]) {
    const uint32_t low01 = permute_bytes(row[0], row[1], 0x5140);
    const uint32_t high01 = permute_bytes(row[0], row[1], 0x7362);
    const uint32_t low23 = permute_bytes(row[2], row[3], 0x5140);
    const uint32_t high23 = permute_bytes(row[2], row[3], 0x7362);
    column[0] = permute_bytes(low01, low23, 0x5410);
    column[1] = permute_bytes(low01, low23, 0x7632);
    column[2] = permute_bytes(high01, high23, 0x5410);
    column[3] = permute_bytes(high01, high23, 0x7632);
}

// code_of and value_of for many values of one group. The quotient x / s needs no division: q = x * (1 / s) is off by
// two units in the last place at most, and one step of Newton, q + (x - q * s) / s with a fused product, leaves an
// error of 2^-23 units. Quotients by a scale of 11 bits or fewer (F16 or BF16) are further than 2^-12 units from where
// rounding changes, so the result is the rounded quotient. Scales that could underflow on the way are divided by.
struct Rounder {
    float scale;      // 0: every value is the base
    float reciprocal; // 0 where scale is 0, or where it must be divided by
    float base;
    float offset;

    Rounder() = default;
    MARLIN_HD constexpr Rounder(GroupParams params, Grid grid) {
        const CodeGrid code = code_grid(params, grid);
        const float magnitude = code.scale < 0.0f ? -code.scale : code.scale;
        scale = code.scale;
        reciprocal = magnitude > 0x1p-100f && magnitude < 0x1p100f ? 1.0f / code.scale : 0.0f;
        base = code.base;
        offset = code.offset;
    }
    MARLIN_HD constexpr bool divides() const { return reciprocal == 0.0f && scale != 0.0f; }
    MARLIN_HD constexpr GroupParams params(Grid grid) const { return {scale, grid == Grid::Offset ? offset : base}; }

    // How steps are found: some scales need Divide; Scale is for grids without offsets.
    enum class Way { Multiply, Scale, Divide };

    template <Way way>
    MARLIN_HD float steps(float w) const {
        const float x = way == Way::Scale ? w : w - offset;
        if constexpr (way == Way::Divide) {
            if (divides())
                return x / scale;
        }
        const float q = x * reciprocal;
        return fused_multiply_add(fused_multiply_add(-q, scale, x), reciprocal, q);
    }
    // The nearest step of the grid plus kRounded: the bits count steps, up from those of kRounded.
    static constexpr float kRounded = 0x1.8p23f;
    template <Way way>
    MARLIN_HD float round(float w) const {
        return lesser(greater(steps<way>(w), -base), 15.0f - base) + kRounded;
    }

    template <Way way>
    MARLIN_HD uint32_t code(float w) const {
        return std::bit_cast<uint32_t>(round<way>(w)) + std::bit_cast<uint32_t>(base + kRounded) -
               2 * std::bit_cast<uint32_t>(kRounded);
    }
    // The value of w's code, or -0 for its 0.
    template <Way way>
    MARLIN_HD float nearest(float w) const {
        const float value = (round<way>(w) - kRounded) * scale;
        return way == Way::Scale ? value : value + offset;
    }
};

} // namespace marlin::cuda
