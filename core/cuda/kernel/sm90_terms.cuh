// Scales, zero points and offsets of a stage of Hopper's kernel, and where they lie.
#pragma once

#include "cuda/kernel/args.h"
#include "cuda/kernel/group_terms.cuh"

namespace marlin::cuda {

// Where 128 rows of a column of weights lie, in memory and in a stage: nibbles, scales, zeros, or in groups of less
// than 128 rows twice that, 64 rows each.
template <Weights weights>
struct WgmmaRuns {
    const W4A16Args &args;
    const Format<weights> format{args};

    // Parts of a stage whose terms may differ.
    static constexpr int kParts = weights == Weights::General ? 4 : weights == Weights::Rows64 ? 2 : 1;
    // What a stage takes of a column at most: zeros are integers, in general F32 offsets of four groups.
    static constexpr int kZeroSize = weights == Weights::Group128 ? 0 : weights == Weights::General ? 4 : 1;
    static constexpr int kMostBytes = 4096 + kParts * (128 + 64 * kZeroSize);

    // Whether a stage of a column is one copy: scales and zeros lie behind the nibbles, or are the column's. Else they
    // come by copies of their own. Their places are those of a run of 128 rows then, and for a column's too.
    __device__ __forceinline__ bool one_copy() const {
        return format.kFixed || args.groups_in_run == 0 || args.blocks_in_run <= 2;
    }
    // Whether a stage is two runs of 64 rows.
    __device__ __forceinline__ bool two_runs() const {
        return !format.kFixed && args.blocks_in_run == 1 && args.groups_in_run != 0;
    }
    __device__ __forceinline__ int64_t unit_size() const {
        if (!format.grouped())
            return 4096;
        return two_runs() ? 2 * args.run_size : args.run_size;
    }
    // Whether the second half of a stage is not there, for all k is used up; the first is taken twice then: the tokens
    // have zeros there.
    __device__ __forceinline__ bool half_left(int unit) const {
        return !format.kFixed && args.blocks_in_run == 1 && 2 * unit + 1 == args.runs;
    }
    // Of the second 64 rows in a stage, from the first.
    __device__ __forceinline__ int half_step(int unit) const {
        return half_left(unit) ? 0 : two_runs() ? static_cast<int>(args.run_size) : 2048;
    }
    __device__ __forceinline__ int scales_at() const { return two_runs() ? 2048 : 4096; }
    __device__ __forceinline__ int zeros_at() const {
        return format.grouped() && one_copy() ? args.zeros_offset : 4096 + 128;
    }
};

// Scales and zeros that hold for all of k, of features `first` to `first` + 15 of a column of 64, by a warp, to their
// places in the stage's part at `to`.
template <Weights weights>
__device__ __forceinline__ void bring_column_terms(const WgmmaRuns<weights> &runs, int column, int first, int lane,
                                                   uint8_t *to) {
    const W4A16Args &args = runs.args;
    const auto bring = [&](const uint8_t *from, uint8_t *to, int size) {
#pragma unroll 1
        for (int byte = lane * 2; byte < 16 * size; byte += 64)
            *reinterpret_cast<uint16_t *>(to + first * size + byte) =
                *reinterpret_cast<const uint16_t *>(from + (int64_t{64} * column + first) * size + byte);
    };
    bring(args.column_scales, to + runs.scales_at(), 2);
    bring(args.column_zeros, to + runs.zeros_at(), runs.format.zero_size());
}

__device__ __forceinline__ float2 to_floats(uint32_t pair, __half) {
    return __half22float2(as_pair<__half>(pair));
}
__device__ __forceinline__ float2 to_floats(uint32_t pair, __nv_bfloat16) {
    return __bfloat1622float2(as_pair<__nv_bfloat16>(pair));
}

// Whether scales have the type of A.
template <typename T, Weights weights>
inline constexpr bool kKnowsScales = weights == Weights::Group128 && !kTakesBothScales<T>;

// Scales, zero points and offsets of features g and g + 8, as dequant.cuh wants them, two a register. What weights are
// known to have is said in constants, which the compiler does not find behind the shuffling of bytes.
template <typename T, Weights weights>
struct PairedTerms {
    static constexpr bool kSymmetric = weights == Weights::Group128;

    uint32_t scales;
    uint32_t zeros;
    uint32_t offsets;

    static __device__ __forceinline__ uint32_t pair(uint32_t low, uint32_t high) {
        return __byte_perm(low, high, 0x5410);
    }
    static __device__ __forceinline__ uint32_t low(uint32_t pair) { return __byte_perm(pair, 0, 0x1010); }
    static __device__ __forceinline__ uint32_t high(uint32_t pair) { return __byte_perm(pair, 0, 0x3232); }
    __device__ __forceinline__ ScaleTerms scale_terms() const {
        const uint32_t none = splat(-0.0f, T{});
        return {low(scales), high(scales), kSymmetric ? none : low(offsets), kSymmetric ? none : high(offsets)};
    }
    __device__ __forceinline__ ZeroTerms zero_terms() const {
        if constexpr (kSymmetric)
            return cuda::zero_terms(8, 8, T{});
        else
            return {low(zeros), high(zeros)};
    }
    // Of scales that load_terms() left in their type.
    __device__ __forceinline__ float2 scale_floats(const Format<weights> &format) const {
        if constexpr (kKnowsScales<T, weights>) {
            return to_floats(scales, T{});
        } else {
            // Both conversions and a choice: cheaper than a branch.
            const float2 from_bf16 = to_floats(scales, __nv_bfloat16{});
            const float2 from_f16 = to_floats(scales, __half{});
            return format.args.scale_type == Type::BF16 ? from_bf16 : from_f16;
        }
    }
};

// A pair of the other 16-bit type as one of this.
__device__ __forceinline__ uint32_t convert_pair(uint32_t pair, __half) {
    const float2 x = to_floats(pair, __nv_bfloat16{});
    return as_bits(__floats2half2_rn(x.x, x.y));
}
__device__ __forceinline__ uint32_t convert_pair(uint32_t pair, __nv_bfloat16) {
    const float2 x = to_floats(pair, __half{});
    return as_bits(__floats2bfloat162_rn(x.x, x.y));
}

// Those of every part of a stage, for feature `feature` of the column at `column` and the one eight further. All loads
// stand side by side, whether or not groups are so small: they wait for each other less than for branches. To scale
// weights, scales come in the type of A, else as they are.
template <typename T, bool to_scale_weights, Weights weights, int parts>
__device__ __forceinline__ void load_terms(const WgmmaRuns<weights> &runs, const uint8_t *column, int half_step,
                                           int feature, PairedTerms<T, weights> (&terms)[parts]) {
    static_assert(parts == WgmmaRuns<weights>::kParts);
    const W4A16Args &args = runs.args;
    const int to_half = runs.two_runs() ? half_step : 0;
    const int to_part = args.groups_in_run == 2 ? 64 : 0;
    const int size = args.zero_size;
    const auto half = [](int part) { return part * 2 / parts; };
    const auto quarter = [](int part) { return parts == 4 ? part % 2 : 0; };
    const uint8_t *const scales = column + runs.scales_at();
    const uint8_t *const zeros = column + runs.zeros_at() + feature * size;
#pragma unroll
    for (int part = 0; part < parts; ++part)
        terms[part].scales = load_scale_pair(scales + half(part) * to_half + quarter(part) * to_part * 2, feature);
    if (to_scale_weights && !kKnowsScales<T, weights> && args.scale_type != kTypeOf<T>) {
#pragma unroll
        for (int part = 0; part < parts; ++part)
            terms[part].scales = convert_pair(terms[part].scales, T{});
    }
    if (!runs.format.has_offsets()) {
#pragma unroll
        for (int part = 0; part < parts; ++part)
            terms[part].offsets = splat(-0.0f, T{});
        if (runs.format.has_zeros()) {
#pragma unroll
            for (int part = 0; part < parts; ++part) {
                const uint8_t *const of_part = zeros + half(part) * to_half + quarter(part) * to_part;
                terms[part].zeros = paired_zero_terms(of_part[0], of_part[8], T{});
            }
        } else {
#pragma unroll
            for (int part = 0; part < parts; ++part)
                terms[part].zeros = paired_zero_terms(8, 8, T{});
        }
    } else {
#pragma unroll
        for (int part = 0; part < parts; ++part) {
            const uint8_t *const of_part = zeros + half(part) * to_half + quarter(part) * to_part * size;
            terms[part].zeros = paired_zero_terms(0, 0, T{});
            terms[part].offsets = terms[part].pair(splat_value<T>(of_part, args.zero_type),
                                                   splat_value<T>(of_part + 8 * size, args.zero_type));
        }
    }
}

} // namespace marlin::cuda
