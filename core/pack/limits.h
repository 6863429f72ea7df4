// What a number must be to be packed, and what a code stands for, one element at a time: for every device.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "quantize/rounding.h"

namespace marlin {

MARLIN_HD constexpr bool is_finite(float value) {
    return (std::bit_cast<uint32_t>(value) & 0x7f800000u) != 0x7f800000u;
}

MARLIN_HD inline float fused_multiply_add(float a, float b, float c) {
#ifdef __CUDA_ARCH__
    return __fmaf_rn(a, b, c);
#else
    return std::fma(a, b, c);
#endif
}

// A number, also when rounded to the type that it is stored in.
MARLIN_HD constexpr bool is_storable(float value, Type type) {
    return is_finite(value) && is_finite(store_float(value, type));
}

// zero_type None: the zero point must be 8, which nobody stores.
MARLIN_HD constexpr bool is_storable_zero(float zero, bool offset, Type zero_type) {
    if (offset)
        return is_storable(zero, zero_type);
    return zero <= 16.0f && (zero_type != Type::None || zero == 8.0f);
}

// (code - zero) * scale, or code * scale + offset, rounded once to FP32: for choosing and checking 2:4 rows only. It is
// 0 only if the real number is.
MARLIN_HD inline float source_value(float code, float scale, float zero, bool offset) {
    return offset ? fused_multiply_add(code, scale, zero) : (code - zero) * scale;
}

} // namespace marlin
