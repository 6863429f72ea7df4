// The arithmetic of rounding a group of values to 4-bit codes, step by step, so that every device gives the same bits.
#pragma once

#include <cstdint>

#include "common/half.h"
#include "common/host_device.h"
#include "common/types.h"

namespace marlin {

// All of it is FP32, rounded to nearest even after each operation written here, in the order written: no contraction
// into FMA, IEEE division, subnormals kept (CUDA: -fmad=false -prec-div=true -ftz=false for these files).
//
// A code u is 0..15 and stands for (u - base) * scale + offset:
//   S4               base 8, offset 0
//   U4, U8 zero      base = zero point, offset 0
//   U4, float offset base 0
//
// Min-max scale of a group whose smallest and largest value are low and high, 0 instead of -0; `i` is the candidate, 0
// for min-max:
//   S4:      absmax = max(-low, high) * ((64 - i) / 64);      scale = store(absmax / 7)
//   U8 zero: lo = min(low, 0) * f, hi = max(high, 0) * f, f = (64 - i) / 64;
//            scale = store((hi - lo) / 15);                   zero = clamp(rint(-lo / scale), 0, 15)
//   offset:  d = (high - low) * (i / 128), lo = low + d, hi = high - d;
//            scale = store((hi - lo) / 15);                   offset = lo rounded to the stored offset type
// store() rounds to the stored scale type; a positive scale that would become 0 becomes the smallest subnormal, so that
// scale 0 means: all values of the group are equal (to 0, or to the offset).
//
// Code of w: clamp(rint((w - offset) / scale), -base, 15 - base) + base, and base where scale is 0; ties to even.
//
// Least squares: of the candidates i = 0 .. 31 the one with the smallest sum over the group's rows, in packed order
// from 0, of importance * (e * e), e = w - ((u - base) * scale + offset); ties go to the smallest i.
inline constexpr int kScaleCandidates = 32;

// Which of the three grids above.
enum class Grid { Symmetric, ZeroPoint, Offset };

MARLIN_HD constexpr Grid grid_of(Type zero_type) {
    return zero_type == Type::None ? Grid::Symmetric : zero_type == Type::U8 ? Grid::ZeroPoint : Grid::Offset;
}

// What is stored for a group: `zero` is the zero point, the offset, or 8 where neither is stored.
struct GroupParams {
    float scale;
    float zero;
};

struct RoundingTypes {
    Type scale_type;
    Type zero_type;
    constexpr Grid grid() const { return grid_of(zero_type); }
};

// rint() for |x| < 2^22 in two additions, without touching the rounding mode.
MARLIN_HD constexpr float round_to_integer(float x) {
    constexpr float magic = 0x1.8p23f;
    return (x + magic) - magic;
}

MARLIN_HD constexpr float clamp_to(float x, float low, float high) {
    const float at_least = x < low ? low : x;
    return at_least > high ? high : at_least;
}

MARLIN_HD constexpr float store_scale(float scale, Type scale_type) {
    const uint16_t bits = f32_to_half(scale, scale_type);
    return half_to_f32(bits == 0 && scale > 0.0f ? uint16_t{1} : bits, scale_type);
}

// Rounded to a stored offset type; overflow gives infinity.
MARLIN_HD constexpr float store_float(float value, Type type) {
    return type == Type::F32 ? value : half_to_f32(f32_to_half(value, type), type);
}

MARLIN_HD constexpr GroupParams candidate_params(float low, float high, int candidate, RoundingTypes types) {
    const float shrink = static_cast<float>(64 - candidate) / 64.0f;
    // -0 becomes 0: which of several zeros is the smallest or largest makes no difference.
    low = low + 0.0f;
    high = high + 0.0f;
    if (types.grid() == Grid::Symmetric) {
        const float absmax = (-low > high ? -low : high) * shrink;
        return {store_scale(absmax / 7.0f, types.scale_type), 8.0f};
    }
    if (types.grid() == Grid::ZeroPoint) {
        const float lo = (low < 0.0f ? low : 0.0f) * shrink;
        const float hi = (high > 0.0f ? high : 0.0f) * shrink;
        const float scale = store_scale((hi - lo) / 15.0f, types.scale_type);
        // + 0.0f turns the -0 of an all-positive group into 0.
        return {scale, scale == 0.0f ? 0.0f : round_to_integer(clamp_to(-lo / scale, 0.0f, 15.0f)) + 0.0f};
    }
    const float d = (high - low) * (static_cast<float>(candidate) / 128.0f);
    const float lo = low + d;
    const float hi = high - d;
    return {store_scale((hi - lo) / 15.0f, types.scale_type), store_float(lo, types.zero_type)};
}

// GroupParams as the inner loops want them. An infinite divisor makes every code of a scale-0 group its base.
struct CodeGrid {
    float scale;
    float divisor;
    float base;
    float offset;
};

MARLIN_HD constexpr CodeGrid code_grid(GroupParams params, Grid grid) {
    const float divisor = params.scale == 0.0f ? std::bit_cast<float>(0x7f800000u) : params.scale;
    return {params.scale, divisor, grid == Grid::Offset ? 0.0f : params.zero,
            grid == Grid::Offset ? params.zero : 0.0f};
}

// Both in floating point; the code is an exact integer 0..15.
MARLIN_HD constexpr float code_of(float w, const CodeGrid &g) {
    const float steps = (w - g.offset) / g.divisor;
    return round_to_integer(clamp_to(steps, -g.base, 15.0f - g.base)) + g.base;
}
MARLIN_HD constexpr float value_of(float code, const CodeGrid &g) {
    return (code - g.base) * g.scale + g.offset;
}

// The code of padding: value zero where the grid has it (rows of A beyond k are zero, so it only must be finite).
MARLIN_HD constexpr uint8_t padding_code(float zero, Grid grid) {
    if (grid == Grid::Symmetric)
        return 8;
    if (grid == Grid::Offset)
        return 0;
    return static_cast<uint8_t>(zero < 15.0f ? zero : 15.0f);
}

} // namespace marlin
