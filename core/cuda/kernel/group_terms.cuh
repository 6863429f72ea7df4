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
    static constexpr bool kSymmetric = is_symmetric(weights);
    __device__ __forceinline__ int blocks_in_run() const { return kFixed ? 2 : args.blocks_in_run; }
    __device__ __forceinline__ int groups_in_run() const { return kFixed ? 1 : args.groups_in_run; }
    __device__ __forceinline__ bool grouped() const { return kFixed || args.groups_in_run != 0; }
    __device__ __forceinline__ int zero_size() const { return kSymmetric ? 0 : args.zero_size; }
    __device__ __forceinline__ bool has_zeros() const { return !kSymmetric && args.zero_type != Type::None; }
    __device__ __forceinline__ bool has_offsets() const {
        return weights == Weights::Offsets128 || (weights == Weights::General && is_float(args.zero_type));
    }
};

// A value of one of the 16-bit types. Both conversions and a choice: cheaper than a branch.
__device__ __forceinline__ float half_of_bits(uint16_t bits, Type type) {
    const float from_bf16 = __uint_as_float(static_cast<uint32_t>(bits) << 16);
    const float from_f16 = __half2float(__ushort_as_half(bits));
    return type == Type::BF16 ? from_bf16 : from_f16;
}
__device__ __forceinline__ float load_half(const uint8_t *at, Type type) {
    return half_of_bits(*reinterpret_cast<const uint16_t *>(at), type);
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

// BF16 models often have FP16 scales: slabs and Hopper's kernels for BF16 and symmetric weights take both.
template <typename T>
inline constexpr bool kTakesBothScales = kTypeOf<T> == Type::BF16;

// The scale at `at` as FP32.
template <typename T, bool both_scales = false, Weights weights>
__device__ __forceinline__ float load_scale(const uint8_t *at, const Format<weights> &format) {
    return load_half(at, format.kSymmetric && !both_scales ? kTypeOf<T> : format.args.scale_type);
}

// What makes weights of sums over a group, of a feature: sum(w a) = scale * sum(raw a) + offset * sum(a), where raw is
// what to_raw makes of a code. FP32; exact but for the rounding of offsets and of the two products.
struct SumTerms {
    float scale;
    float offset;
};
// An integer below 2^23 in the mantissa of 2^23, and that: no conversion.
inline constexpr float kIntegers = 8388608.0f;
__device__ __forceinline__ float as_integer(uint32_t value) {
    return __uint_as_float(0x4b000000u | value);
}
// Of features g and g + 8 of some row groups of 16, the scales of row group i from scales(i) on, zeros likewise.
template <typename T, bool raw, Weights weights, int row_groups, typename Scales, typename Zeros>
__device__ __forceinline__ void load_sum_terms(const Scales &scales, const Zeros &zeros, int g,
                                               const Format<weights> &format, SumTerms (&terms)[row_groups][2]) {
    const auto each = [&](const auto &set) {
#pragma unroll
        for (int i = 0; i < row_groups; ++i)
#pragma unroll
            for (int high = 0; high < 2; ++high)
                set(terms[i][high], zeros(i) + (g + 8 * high) * format.zero_size());
    };
#pragma unroll
    for (int i = 0; i < row_groups; ++i)
#pragma unroll
        for (int high = 0; high < 2; ++high)
            terms[i][high].scale = load_scale<T, kTakesBothScales<T>>(scales(i) + 2 * (g + 8 * high), format);
    if constexpr (!raw)
        return;
    if (!format.has_zeros())
        each([](SumTerms &x, const uint8_t *) { x.offset = x.scale * (-8.0f - Raw<T>::kOffset); });
    else if (!format.has_offsets())
        each([](SumTerms &x, const uint8_t *zero) {
            x.offset = x.scale * (kIntegers - Raw<T>::kOffset - as_integer(*zero));
        });
    else
        each([&](SumTerms &x, const uint8_t *offset) {
            x.offset = load_float(offset, format.args.zero_type) - x.scale * Raw<T>::kOffset;
        });
#pragma unroll
    for (int i = 0; i < row_groups; ++i)
#pragma unroll
        for (int high = 0; high < 2; ++high)
            terms[i][high].scale *= Raw<T>::unit(high != 0);
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
    const Type type = format.kSymmetric ? kTypeOf<T> : format.args.scale_type;
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
