// What a number must be to be packed, and what a code stands for, one element at a time: for every device.
#pragma once

#include <bit>
#include <cstdint>

#include "quantize/rounding.h"

namespace marlin {

MARLIN_HD constexpr bool is_finite(float value) {
    return (std::bit_cast<uint32_t>(value) & 0x7f800000u) != 0x7f800000u;
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

// For choosing and checking 2:4 rows only: exact where it matters, (code - zero) * scale or code * scale + offset is 0
// only if the real number is. One rounding to FP32 of what double gives.
MARLIN_HD constexpr float source_value(unsigned code, float scale, float zero, bool offset) {
    const double base = offset ? 0.0 : zero;
    const double add = offset ? zero : 0.0;
    return static_cast<float>((code - base) * double{scale} + add);
}

} // namespace marlin
