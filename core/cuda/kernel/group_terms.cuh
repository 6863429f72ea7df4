// Scales, zero points and offsets of a row group, read where a group begins.
#pragma once

#include "cuda/kernel/args.h"
#include "cuda/kernel/dequant.cuh"

namespace marlin::cuda {

// The part of the arguments that Weights may fix.
template <Weights weights>
struct Format {
    const W4A16Args &args;

    static constexpr bool kFixed = weights == Weights::Group128;
    __device__ __forceinline__ int blocks_in_run() const { return kFixed ? 2 : args.blocks_in_run; }
    __device__ __forceinline__ int groups_in_run() const { return kFixed ? 1 : args.groups_in_run; }
    __device__ __forceinline__ bool grouped() const { return kFixed || args.groups_in_run != 0; }
    __device__ __forceinline__ int zero_size() const { return kFixed ? 0 : args.zero_size; }
    __device__ __forceinline__ bool has_zeros() const { return !kFixed && args.zero_type != Type::None; }
    __device__ __forceinline__ bool has_offsets() const { return !kFixed && is_float(args.zero_type); }
};

__device__ __forceinline__ float load_half(const uint8_t *at, Type type) {
    // Both conversions and a choice: cheaper than a branch.
    const uint16_t bits = *reinterpret_cast<const uint16_t *>(at);
    const float from_bf16 = __uint_as_float(static_cast<uint32_t>(bits) << 16);
    const float from_f16 = __half2float(__ushort_as_half(bits));
    return type == Type::BF16 ? from_bf16 : from_f16;
}
__device__ __forceinline__ float load_float(const uint8_t *at, Type type) {
    return type == Type::F32 ? *reinterpret_cast<const float *>(at) : load_half(at, type);
}

template <typename T>
inline constexpr Type kTypeOf = Type::F16;
template <>
inline constexpr Type kTypeOf<__nv_bfloat16> = Type::BF16;

// Minus the zero points of features g and g + 8 of a row group, as to_integers adds them. `zeros` points to feature 0.
template <typename T, Weights weights>
__device__ __forceinline__ ZeroTerms load_zeros(const uint8_t *zeros, int g, const Format<weights> &format) {
    if (format.has_offsets())
        return zero_terms(0, 0, T{});
    if (!format.has_zeros())
        return zero_terms(8, 8, T{});
    return zero_terms(zeros[g], zeros[g + 8], T{});
}

// The scale at `at` as FP32.
template <typename T, Weights weights>
__device__ __forceinline__ float load_scale(const uint8_t *at, const Format<weights> &format) {
    return load_half(at, format.kFixed ? kTypeOf<T> : format.args.scale_type);
}

// A value twice, in the type of A.
template <typename T>
__device__ __forceinline__ uint32_t splat_value(const uint8_t *at, Type type) {
    if (type == kTypeOf<T>)
        return __byte_perm(*reinterpret_cast<const uint16_t *>(at), 0, 0x1010);
    return splat(load_float(at, type), T{});
}

// Scales (and offsets) of features g and g + 8 in the type of A. Both arrays point to feature 0 of the row group.
template <typename T, Weights weights>
__device__ __forceinline__ ScaleTerms load_scales(const uint8_t *scales, const uint8_t *offsets, int g,
                                                  const Format<weights> &format) {
    const Type type = format.kFixed ? kTypeOf<T> : format.args.scale_type;
    ScaleTerms result = {splat_value<T>(scales + 2 * g, type), splat_value<T>(scales + 2 * g + 16, type), 0, 0};
    if (format.has_offsets()) {
        const Type offset_type = format.args.zero_type;
        result.low_offset = splat_value<T>(offsets + format.args.zero_size * g, offset_type);
        result.high_offset = splat_value<T>(offsets + format.args.zero_size * (g + 8), offset_type);
    }
    return result;
}

// The scales of features g and g + 8, both in the type of A, in one register. `scales` points to feature 0.
__device__ __forceinline__ uint32_t load_scale_pair(const uint8_t *scales, int g) {
    return __byte_perm(*reinterpret_cast<const uint16_t *>(scales + 2 * g),
                       *reinterpret_cast<const uint16_t *>(scales + 2 * g + 16), 0x5410);
}

} // namespace marlin::cuda
