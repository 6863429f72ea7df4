// F16 and BF16 from their definition (sign, exponent, fraction), slow and apart from the library's own conversions.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace marlin::test {

struct HalfFormat {
    int fraction_bits;
    int smallest_exponent; // of normal numbers
    int largest_exponent;
};
inline constexpr HalfFormat kF16 = {10, -14, 15};
inline constexpr HalfFormat kBF16 = {7, -126, 127};

// Nearest value of the format, ties to even; finite values only.
inline uint16_t encode_half(double value, HalfFormat format) {
    const unsigned sign = std::signbit(value) ? 0x8000u : 0u;
    const double magnitude = std::fabs(value);
    if (magnitude == 0.0)
        return static_cast<uint16_t>(sign);
    const int exponent = std::max(std::ilogb(magnitude), format.smallest_exponent);
    // In units of the last place; a carry runs into the exponent by itself.
    const auto units = static_cast<unsigned>(std::nearbyint(std::ldexp(magnitude, format.fraction_bits - exponent)));
    const unsigned biased = static_cast<unsigned>(exponent - format.smallest_exponent) << format.fraction_bits;
    const unsigned infinity = static_cast<unsigned>(format.largest_exponent - format.smallest_exponent + 2)
                              << format.fraction_bits;
    return static_cast<uint16_t>(sign | std::min(biased + units, infinity));
}

inline double decode_half(uint16_t bits, HalfFormat format) {
    const int magnitude = bits & 0x7fff;
    const int exponent_field = magnitude >> format.fraction_bits;
    const int fraction = magnitude & ((1 << format.fraction_bits) - 1);
    const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
    if (exponent_field == format.largest_exponent - format.smallest_exponent + 2)
        return fraction == 0 ? sign * INFINITY : NAN;
    const int units = exponent_field == 0 ? fraction : fraction | 1 << format.fraction_bits;
    const int exponent = std::max(exponent_field, 1) - 1 + format.smallest_exponent;
    return sign * std::ldexp(units, exponent - format.fraction_bits);
}

} // namespace marlin::test
