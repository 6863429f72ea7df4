// From a 32-bit word of eight stored codes to the A fragment of one m16n8k16: conversion, zero points, scaling.
//
// Register r of the fragment holds two neighbours in k of feature g (r = 0, 2) or g + 8 (r = 1, 3), g = lane / 4; the
// layout put their nibbles 16 bits apart at bit 4 r (core/layout/positions.h). ORing a nibble into the mantissa of a
// power of two makes an integer of it: 0x6400 is 1024 in FP16 (a nibble four bits up counts sixteenfold and one
// multiply-add repairs it), 0x4300 is 128 in BF16, whose seven bits have no room for that. What is subtracted is
// 1024 + zero point, so zero points cost nothing. All of this is exact.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#include "cuda/kernel/ptx.cuh"

namespace marlin::cuda {

template <typename T>
struct Pair;
template <>
struct Pair<__half> {
    using type = __half2;
};
template <>
struct Pair<__nv_bfloat16> {
    using type = __nv_bfloat162;
};

template <typename T>
__device__ __forceinline__ typename Pair<T>::type as_pair(uint32_t bits) {
    return *reinterpret_cast<typename Pair<T>::type *>(&bits);
}
template <typename P>
__device__ __forceinline__ uint32_t as_bits(P pair) {
    return *reinterpret_cast<uint32_t *>(&pair);
}

__device__ __forceinline__ uint32_t splat(float value, __half) {
    return as_bits(__float2half2_rn(value));
}
__device__ __forceinline__ uint32_t splat(float value, __nv_bfloat16) {
    return as_bits(__float2bfloat162_rn(value));
}

// a * b + c on both halves, one rounding each.
template <typename T>
__device__ __forceinline__ uint32_t fma_pair(uint32_t a, uint32_t b, uint32_t c) {
    return as_bits(__hfma2(as_pair<T>(a), as_pair<T>(b), as_pair<T>(c)));
}

template <typename T>
__device__ __forceinline__ uint32_t add_pair(uint32_t a, uint32_t b) {
    return as_bits(__hadd2(as_pair<T>(a), as_pair<T>(b)));
}

// What is added to the converted nibbles of a row group: minus zero point, for features g and g + 8.
struct ZeroTerms {
    uint32_t low;
    uint32_t high;
};
// A zero point 0..16 goes into the mantissa as the codes do: no conversion.
__device__ __forceinline__ ZeroTerms zero_terms(uint32_t low, uint32_t high, __half) {
    return {(0xe400u + low) * 0x10001u, (0xd400u + (high << 4)) * 0x10001u}; // -(1024 + low), -(64 + high)
}
__device__ __forceinline__ ZeroTerms zero_terms(uint32_t low, uint32_t high, __nv_bfloat16) {
    return {(0xc300u + low) * 0x10001u, (0xc300u + high) * 0x10001u}; // -(128 + zero)
}

// Both in one register, low and high, one copy each.
__device__ __forceinline__ uint32_t paired_zero_terms(uint32_t low, uint32_t high, __half) {
    return 0xd400e400u + low + (high << 20);
}
__device__ __forceinline__ uint32_t paired_zero_terms(uint32_t low, uint32_t high, __nv_bfloat16) {
    return 0xc300c300u + low + (high << 16);
}

// What nibbles are put into: a number whose mantissa counts them as integers where they stand, lower and upper ones of
// a byte.
struct Mantissas {
    uint32_t low;
    uint32_t high;
};
__device__ __forceinline__ constexpr Mantissas mantissas(__half) {
    return {0x64006400, 0x54005400}; // 1024 and 64
}
__device__ __forceinline__ constexpr Mantissas mantissas(__nv_bfloat16) {
    return {0x43004300, 0x43004300}; // 128
}

// Code minus zero point, exact.
__device__ __forceinline__ void to_integers(uint32_t word, const ZeroTerms &zero, const Mantissas &into,
                                            uint32_t (&a)[4], __half) {
    constexpr uint32_t low = 0x000f000f, high = 0x00f000f0;
    const uint32_t upper = word >> 8;
    a[0] = add_pair<__half>(ptx::and_or(word, low, into.low), zero.low);
    a[1] = add_pair<__half>(ptx::and_or(word, high, into.high), zero.high);
    a[2] = add_pair<__half>(ptx::and_or(upper, low, into.low), zero.low);
    a[3] = add_pair<__half>(ptx::and_or(upper, high, into.high), zero.high);
}
__device__ __forceinline__ void to_integers(uint32_t word, const ZeroTerms &zero, const Mantissas &into,
                                            uint32_t (&a)[4], __nv_bfloat16) {
#pragma unroll
    for (int r = 0; r < 4; ++r)
        a[r] = add_pair<__nv_bfloat16>(ptx::and_or(word >> (4 * r), 0x000f000f, into.low),
                                       r % 2 == 0 ? zero.low : zero.high);
}
template <typename T>
__device__ __forceinline__ void to_integers(uint32_t word, const ZeroTerms &zero, uint32_t (&a)[4], T) {
    to_integers(word, zero, mantissas(T{}), a, T{});
}

// What to_raw makes of a code u: (u + kOffset) * (1 / unit).
template <typename T>
struct Raw;
template <>
struct Raw<__half> {
    static constexpr float kOffset = 0.0f;
    static __device__ __forceinline__ constexpr float unit(bool high) { return high ? 1048576.0f : 16777216.0f; }
};
template <>
struct Raw<__nv_bfloat16> {
    static constexpr float kOffset = 128.0f;
    static __device__ __forceinline__ constexpr float unit(bool /*high*/) { return 1.0f; }
};

// Codes as they stand in numbers that cost next to nothing: FP16 subnormals, which tensor cores multiply exactly, a
// nibble in the lowest bits counting u * 2^-24 and one above that (features g + 8) u * 2^-20. BF16's would be lost in
// FP32: there it is 128 + u. Sums are put right afterwards, by SumTerms.
__device__ __forceinline__ void to_raw(uint32_t word, uint32_t (&a)[4], __half) {
    constexpr uint32_t low = 0x000f000f, high = 0x00f000f0;
    a[0] = word & low;
    a[1] = word & high;
    a[2] = word >> 8 & low;
    a[3] = word >> 8 & high;
}
__device__ __forceinline__ void to_raw(uint32_t word, uint32_t (&a)[4], __nv_bfloat16) {
#pragma unroll
    for (int r = 0; r < 4; ++r)
        a[r] = ptx::and_or(word >> (4 * r), 0x000f000f, 0x43004300);
}

// Scales and offsets of a row group in the type of A, for features g and g + 8: w = (code - zero) * scale + offset.
struct ScaleTerms {
    uint32_t low;
    uint32_t high;
    uint32_t low_offset;
    uint32_t high_offset;
};
template <typename T>
__device__ __forceinline__ void scale_integers(const ScaleTerms &scale, uint32_t (&a)[4]) {
    a[0] = fma_pair<T>(a[0], scale.low, scale.low_offset);
    a[1] = fma_pair<T>(a[1], scale.high, scale.high_offset);
    a[2] = fma_pair<T>(a[2], scale.low, scale.low_offset);
    a[3] = fma_pair<T>(a[3], scale.high, scale.high_offset);
}

} // namespace marlin::cuda
