// Conversions between FP16, BF16 and FP32 in integer arithmetic: the same bits on every device and compiler.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "common/host_device.h"
#include "common/types.h"

namespace marlin {

MARLIN_HD constexpr float f16_to_f32(uint16_t h) {
#ifdef __CUDA_ARCH__
    // One instruction, and the same bits but for NaN.
    if (!std::is_constant_evaluated() && (h & 0x7fffu) <= 0x7c00u) {
        float value;
        asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(h));
        return value;
    }
#endif
    const uint32_t sign = static_cast<uint32_t>(h & 0x8000u) << 16;
    const uint32_t exponent = (h >> 10) & 0x1fu;
    const uint32_t mantissa = h & 0x3ffu;
    if (exponent == 0x1fu)
        return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
    if (exponent != 0)
        return std::bit_cast<float>(sign | ((exponent + 112u) << 23) | (mantissa << 13));
    // Subnormal halves are multiples of 2^-24, all exact in FP32.
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
}

// Round to nearest, ties to even; overflow gives infinity, NaN stays NaN (quiet).
MARLIN_HD constexpr uint16_t f32_to_f16(float value) {
#ifdef __CUDA_ARCH__
    if (!std::is_constant_evaluated() && value == value) {
        uint16_t half;
        asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(value));
        return half;
    }
#endif
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
    const uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u)
        return static_cast<uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x1ffu));
    if (magnitude >= 0x477ff000u) // 65520: halfway between the largest half and the next power of two
        return static_cast<uint16_t>(sign | 0x7c00u);
    if (magnitude < 0x33000001u) // at most 2^-25: rounds to zero
        return sign;
    uint32_t shift = 13;
    uint32_t mantissa = magnitude - (112u << 23); // rebiased: exponent and mantissa side by side
    if (magnitude < 0x38800000u) {                // below 2^-14: subnormal half
        shift = 126u - (magnitude >> 23);         // 14..24: mantissa bits that fall off
        mantissa = (magnitude & 0x7fffffu) | 0x800000u;
    }
    const uint32_t half_way = 1u << (shift - 1);
    const uint32_t rest = mantissa & ((1u << shift) - 1);
    uint32_t result = mantissa >> shift;
    if (rest > half_way || (rest == half_way && (result & 1u) != 0))
        ++result; // may carry into the exponent, which is the right answer
    return static_cast<uint16_t>(sign | result);
}

MARLIN_HD constexpr float bf16_to_f32(uint16_t b) {
    return std::bit_cast<float>(static_cast<uint32_t>(b) << 16);
}

MARLIN_HD constexpr uint16_t f32_to_bf16(float value) {
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return static_cast<uint16_t>((bits >> 16) | 0x0040u);
    return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

// A half of either kind by its type.
MARLIN_HD constexpr float half_to_f32(uint16_t bits, Type type) {
    return type == Type::BF16 ? bf16_to_f32(bits) : f16_to_f32(bits);
}
MARLIN_HD constexpr uint16_t f32_to_half(float value, Type type) {
    return type == Type::BF16 ? f32_to_bf16(value) : f32_to_f16(value);
}

} // namespace marlin
